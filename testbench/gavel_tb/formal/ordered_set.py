# SPDX-License-Identifier: Apache-2.0
"""An ordered set with check bits of which a few bits are flipped is no set."""

from __future__ import annotations

from functools import reduce
from operator import add

from amaranth.hdl import Elaboratable, Module, Mux, Value

from gavel_model.config import SwitchConfig
from gavel_model.ordered_set import Kind
from gavel_model.pins import CTL_BITS
from gavel_rtl.ordered_set import OrderedSetReader, OrderedSetWriter
from gavel_tb.formal.design import Design, Fault
from gavel_tb.formal.harness import Harness, implies


class Codec(Elaboratable):  # type: ignore[misc]  # Amaranth has no types
    """Writer and reader, with nothing between them."""

    def __init__(self, config: SwitchConfig) -> None:
        self.writer, self.reader = OrderedSetWriter(), OrderedSetReader(config)  # type: ignore[no-untyped-call]  # as RTL is

    def elaborate(self, platform: object) -> Module:
        """The module, for Amaranth."""
        m = Module()
        m.submodules.writer, m.submodules.reader = self.writer, self.reader
        return m


class OrderedSetHarness(Harness):
    """A set of any kind and contents goes over a wire that flips up to ``flips`` bits of it.

    Parameters
    ----------
    flips
        Bits of the 56 that may be flipped.
    """

    resets = False

    def __init__(self, config: SwitchConfig, fault: Fault | None = None, *, flips: int,
                 kinds: bool = False) -> None:
        super().__init__(config, fault)
        self._flips = flips
        self._kinds = kinds

    def build(self) -> None:
        """The set, the flips, the claims two cycles later."""
        m = self.m
        codec = Codec(self.config)
        m.submodules.dut = Design(codec, self.fault).fragment
        writer, reader = codec.writer, codec.reader
        kind = self.constant(8, "kind")
        value = self.constant(self.config.seq_bits, "value")
        data = self.constant(16, "data")
        is_credits = self.constant(1, "is_credits")
        self.suppose((kind >= Kind.ACK) & (kind <= Kind.INIT_ECHO))
        self.suppose(implies(kind <= Kind.NACK, data == 0))
        flips = self.constant(CTL_BITS, "flips")
        self.suppose(reduce(add, (flips[n] for n in range(CTL_BITS))) <= self._flips)
        entries = writer.credits
        m.d.comb += [
            Value.cast(writer.kind).eq(kind), writer.value.eq(value), writer.data.eq(data),
            writer.is_credits.eq(is_credits), writer.protect.eq(1),
            entries.vc.eq(self.constant(3, "vc")), entries.freed.eq(self.constant(15, "freed")),
            entries.second_vc.eq(self.constant(3, "second_vc")),
            entries.second_freed.eq(self.constant(15, "second_freed")),
            reader.coming_protect.eq(1), reader.present.eq(1), reader.ctl.eq(writer.ctl ^ flips),
        ]
        steady = self.after(2)
        received, update = reader.received, reader.credits
        retry = received.ack | received.nack | received.init | received.init_echo
        hit = steady & flips.any()
        self.claim("a set of link-level retry that was hit is none",
                   implies(hit & ~is_credits, ~retry))
        self.claim("a CF Update that was hit is none", implies(hit & is_credits, ~update.valid))
        # The check bits of the two stand in different places.
        if self._flips == 1 or self._kinds:
            self.claim("a set that was hit is not of the other family", implies(
                hit, ~Mux(is_credits, retry, update.valid)))
        whole = steady & ~flips.any()
        self.claim("a whole set is what it was", implies(whole & ~is_credits, (
            (received.ack == (kind == Kind.ACK)) & (received.nack == (kind == Kind.NACK))
            & (received.init == (kind == Kind.INIT))
            & (received.init_echo == (kind == Kind.INIT_ECHO))
            & (received.value == value) & (received.data == data) & ~update.valid)))
        self.claim("a whole CF Update is what it was", implies(whole & is_credits, (
            update.valid & ~retry & (update.vc == entries.vc)
            & (update.freed == entries.freed) & (update.second_vc == entries.second_vc)
            & (update.second_freed == entries.second_freed))))
