# SPDX-License-Identifier: Apache-2.0
"""Frames and bytes of each VC at the two ends of a port."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.lib.high_bits import FROZEN_LOW_BITS, HighBits
from gavel_rtl.telemetry_interfaces import TABLE_BITS, Observation, TableRead
from gavel_rtl.voq import vc_of_voq

_KIND_BITS = 2
_FRAMES, _BYTES, _DROPPED = range(3)
"""Entries of a VC in the tables."""


class _Entry(NamedTuple):
    """A counter: its low bits, and whether they carry in this cycle."""

    low: Signal
    carries: Value


class VcStatistics(wiring.Component):
    """Counts the frames and bytes that a port files, drops and sends, by VC (docs/telemetry.md,
    tables 0 and 1).

    The low bits are registers; the high bits of both tables stand together in memories
    (`HighBits`), the egress table in the upper half.

    Parameters
    ----------
    config
        V, and the width of a length.

    Members
    -------
    seen
        What was observed in the cycle before.
    freeze
        A snapshot was taken in the cycle before: it takes in ``seen``.
    read
        The entry wanted.
    value
        It, as the last snapshot has it; 0 if no entry of these tables is wanted.

    Cycle behaviour
    ---------------
    ``value`` follows ``read`` in the same cycle, and shows a snapshot from 18 cycles after
    ``freeze`` on; the next ``freeze`` comes no sooner. After reset all counters are 0.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "seen": In(Observation(config)),
            "freeze": In(1),
            "read": In(TableRead()),
            "value": Out(TABLE_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, seen = self._config, self.seen
        vc_bits = (config.vcs - 1).bit_length()
        byte_bits = config.length_bits
        filed_vc = Signal(config.vc_bits)
        m.d.comb += filed_vc.eq(vc_of_voq(config, seen.filed_voq))
        entries: dict[int, _Entry] = {}
        for egress, valid, vc, length in (
            (0, seen.filed, filed_vc, seen.filed_length),
            (1, seen.sent, seen.sent_vc, seen.sent_length),
        ):
            for v in range(config.vcs):
                counts = valid & (vc == v)
                first = (egress << vc_bits | v) << _KIND_BITS
                name = f"{'sent' if egress else 'filed'}_{v}"
                entries[first + _FRAMES] = self._count(m, name, counts, Const(1))
                entries[first + _BYTES] = self._count(m, f"{name}_bytes", counts, length)
        for v in range(config.vcs):
            entries[v << _KIND_BITS | _DROPPED] = self._count(
                m, f"dropped_{v}", seen.dropped & (seen.dropped_vc == v), Const(1))

        freeze, rising = Signal(), Signal(2 << vc_bits << _KIND_BITS)
        m.d.sync += freeze.eq(self.freeze)
        m.d.comb += [rising[n].eq(entry.carries) for n, entry in entries.items()]
        high = HighBits(
            m, rising, TABLE_BITS - FROZEN_LOW_BITS, freeze=freeze,
            carry_to={n: byte_bits for n in entries if n % (1 << _KIND_BITS) == _BYTES})

        number = Signal(range(len(rising)))
        m.d.comb += number.eq(Cat(self.read.entry[:_KIND_BITS + vc_bits], self.read.egress))
        planes = [Signal(len(rising), name=f"frozen_{bit}")
                  for bit in range(FROZEN_LOW_BITS + byte_bits)]
        for n, entry in entries.items():
            frozen = Signal(len(entry.low), name=f"{entry.low.name}_frozen")
            with m.If(freeze):
                m.d.sync += frozen.eq(entry.low)
            m.d.comb += [plane[n].eq(bit) for plane, bit in zip(planes, frozen, strict=False)]
        low = Cat(plane.bit_select(number, 1) for plane in planes)
        named = (self.read.ingress | self.read.egress) & ~self.read.entry[len(number) - 1:].any()
        # Where the low bits of bytes reach into the high ones, those are 0.
        m.d.comb += self.value.eq(Mux(
            named, low | high.read_frozen(number) << FROZEN_LOW_BITS, 0))
        return m

    @staticmethod
    def _count(m: Module, name: str, counts: Value, amount: Value) -> _Entry:
        """The low bits of a counter, as many as last until their carry has been added."""
        bits = FROZEN_LOW_BITS + (len(amount) if len(amount) > 1 else 0)
        low, total = Signal(bits, name=name), Signal(bits + 1, name=f"{name}_total")
        m.d.comb += total.eq(low + amount)
        with m.If(counts):
            m.d.sync += low.eq(total)
        return _Entry(low, counts & total[-1])
