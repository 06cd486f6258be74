# SPDX-License-Identifier: Apache-2.0
"""The register between the choice of an ordered set and the set."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.ordered_set import DATA_BITS, VALUE_BITS
from gavel_model.pins import CTL_BITS
from gavel_rtl.block import place
from gavel_rtl.ordered_set import OrderedSetWriter

REST_BITS = 20
"""What a set says behind v, or behind entry 0: entry 1, or the init data above four bits that mean
nothing."""

KIND_BITS = 3
"""Low bits of D1; a CF_Update is told apart by a bit of its own."""


class ControlStage(wiring.Component):
    """Holds what the next ordered set says, and puts it together for LinkTx (docs/llr.md,
    ControlTransmitter, with ``control_stages`` = 1).

    Members
    -------
    chosen
        A set is chosen in this cycle; never while one is held.
    kind, is_credits, value, rest
        What it says; taken in every cycle in which none is held.
    protect
        There is a check in the set that is loaded, as visible in the cycle.
    free
        The register of LinkTx is empty, or taken in this cycle.
    held
        The stage holds a set.
    holds_answer, holds_init, holds_credits
        And it is an ACK or NACK, an INIT, a CF_Update.
    init_waiting
        An INIT is in the stage or in the register of LinkTx.
    ctl
        The set that is held, or 0.

    Cycle behaviour
    ---------------
    What is chosen is held from the next cycle on, and to the first with ``free``, that one
    included. All outputs are of registers and of ``protect``. After reset nothing is held.
    """

    def __init__(self):
        super().__init__({
            "chosen": In(1),
            "kind": In(KIND_BITS),
            "is_credits": In(1),
            "value": In(VALUE_BITS),
            "rest": In(REST_BITS),
            "protect": In(1),
            "free": In(1),
            "held": Out(1),
            "holds_answer": Out(1),
            "holds_init": Out(1),
            "holds_credits": Out(1),
            "init_waiting": Out(1),
            "ctl": Out(CTL_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held = self.held
        kept = [Signal.like(getattr(self, name), name=f"{name}_held")
                for name in ("kind", "is_credits", "value", "rest")]
        kind, is_credits, value, rest = kept
        with m.If(~held):
            m.d.sync += [register.eq(getattr(self, name)) for register, name in zip(
                kept, ("kind", "is_credits", "value", "rest"), strict=True)]
        m.d.sync += held.eq(Mux(held, ~self.free, self.chosen))
        m.d.comb += [
            self.holds_answer.eq(held & ~is_credits & (kind[0] ^ kind[1])),
            self.holds_init.eq(held & ~is_credits & kind[0] & kind[1]),
            self.holds_credits.eq(held & is_credits),
        ]
        shows_init = Signal()
        with m.If(self.free):
            m.d.sync += shows_init.eq(self.holds_init)
        becomes_init = self.chosen & ~self.is_credits & self.kind[0] & self.kind[1]
        m.d.sync += self.init_waiting.eq(
            becomes_init | self.holds_init | (shows_init & ~self.free))

        writer = place(m, "writer", OrderedSetWriter())
        entries = writer.credits
        m.d.comb += [
            Value.cast(writer.kind).eq(kind),
            writer.is_credits.eq(is_credits),
            writer.protect.eq(self.protect),
            writer.value.eq(value),
            writer.data.eq(rest[REST_BITS - DATA_BITS:]),
            Cat(entries.freed, entries.vc).eq(value),
            Cat(entries.second_freed, entries.second_vc).eq(rest),
            self.ctl.eq(Mux(held, writer.ctl, Const(0, CTL_BITS))),
        ]
        return m
