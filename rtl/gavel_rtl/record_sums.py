# SPDX-License-Identifier: Apache-2.0
"""What a record of telemetry says of a port."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.record_format import PORT, PORT_WORDS, SUMS, WORD_BITS
from gavel_model.register_map import DROPS
from gavel_rtl.telemetry_interfaces import Observation

CORRECTED_BITS = 2
UNCORRECTABLE_BITS = 3
"""Widths of the events of a link in a cycle."""

DROPPED_BITS = len(DROPS).bit_length()
"""Width of the number of counters of `DROPS` that count in a cycle."""


class RecordSample(wiring.Signature):
    """A port in one cycle, for records.

    Members
    -------
    seen
        What was observed in the cycle before.
    blocked
        From StallAccount: some VC was in a state from ``link down`` to ``stopped`` then.
    corrected, uncorrectable, dropped
        How many of their counters counted then.
    events
        Register ``EVENTS`` of the port, as visible in this cycle.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "seen": Out(Observation(config)),
            "blocked": Out(1),
            "corrected": Out(CORRECTED_BITS),
            "uncorrectable": Out(UNCORRECTABLE_BITS),
            "dropped": Out(DROPPED_BITS),
            "events": Out(PORT["events"]),
        })


class RecordSums(wiring.Component):
    """Sums, and the largest number of cells, over an interval (docs/telemetry.md, Records).

    Members
    -------
    sample
        The port.
    restart
        The sample is the first of an interval.
    words
        What has been summed up until the cycle before, as the record has it; ``events`` as they
        are now.

    Cycle behaviour
    ---------------
    A sample is visible in the next cycle.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "sample": In(RecordSample(config)),
            "restart": In(1),
            "words": Out(PORT_WORDS * WORD_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sample = self.sample
        amounts = {"rx_bytes": sample.seen.rx_bytes, "tx_bytes": sample.seen.tx_bytes}
        fields: dict[str, Value] = {"cells": self._largest(m, sample.seen.cells),
                                    "events": sample.events}
        for name in SUMS:
            fields[name] = self._sum(m, name, amounts.get(name, getattr(sample, name, None)))
        m.d.comb += self.words.eq(Cat(_resized(fields[name], bits) for name, bits in PORT.items()))
        return m

    def _largest(self, m: Module, cells: Value) -> Value:
        largest = Signal(len(cells), name="largest")
        with m.If(self.restart | (cells > largest)):
            m.d.sync += largest.eq(cells)
        return largest

    def _sum(self, m: Module, name: str, amount: Value) -> Value:
        """The sum; from its largest value on all ones, whatever its register then has."""
        bits = PORT[name]
        total, full = Signal(bits, name=name), Signal(name=f"{name}_full")
        after = Signal(bits + 1, name=f"{name}_after")
        m.d.comb += after.eq(total + amount)
        # Not a sum with 0: so all bits but the lowest have a reset, and no logic, for it.
        with m.If(self.restart):
            m.d.sync += [total.eq(amount), full.eq(0)]
        with m.Else():
            m.d.sync += [total.eq(after[:bits]), full.eq(full | after[bits])]
        return total | full.replicate(bits)


def _resized(value: Value, bits: int) -> Value:
    return Cat(value, Const(0, bits - len(value)))
