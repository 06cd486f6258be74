# SPDX-License-Identifier: Apache-2.0
"""Link faults from the fault sets received."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_rtl.xgmii import COLUMN_LANES, DATA_BITS, LANES, Character, Fault

SETS = 4
"""Sets of one kind that raise a fault (IEEE 802.3, 46.3.4)."""

COLUMNS = 128
"""Columns in a row without a set that clear it."""


class LinkFault(wiring.Component):
    """State machine of link fault signalling, two columns a cycle (docs/xgmii.md, XgmiiRx).

    Members
    -------
    data, ctl
        A word as received, t; not a signature, since it is a part of one.
    fault
        State of the link.
    faulty_next
        There is a fault in the next cycle.

    Cycle behaviour
    ---------------
    t: fault sets are found, and registered. ``fault`` takes account of the word in t+2; its lower
    column goes first. After reset there is no fault.
    """

    data: In(DATA_BITS)
    ctl: In(LANES)
    fault: Out(Fault)
    faulty_next: Out(1)

    def elaborate(self, platform):
        m = Module()
        fault = Signal.like(Value.cast(self.fault), name="fault")
        # Whether it was local fault; bit n: more than n sets.
        kind, seen = Signal(name="kind"), Signal(SETS, name="seen")
        lower, upper = (self._find(m, lane) for lane in (0, COLUMN_LANES))
        full, nearly = self._count(m, lower[1], upper[1])
        state = (fault, kind, seen)
        after = self._step(m, 0, lower, full, *state)
        after = self._step(m, COLUMN_LANES, upper, nearly & ~lower[1], *after)
        m.d.sync += [register.eq(value) for register, value in zip(state, after, strict=True)]
        m.d.comb += [self.fault.eq(fault), self.faulty_next.eq(after[0] != Fault.NONE)]
        return m

    def _count(self, m, lower, upper):
        """Columns without a set, up to the last that counts; returns whether there are as many, and
        whether there will be with one more. ``lower``, ``upper``: a set is in the column."""
        last = COLUMNS - 1
        columns = Signal(range(COLUMNS))
        full, nearly = Signal(), Signal()
        none = ~(lower | upper)
        m.d.sync += [
            columns.eq(Mux(upper, 0, Mux(lower, 1, Mux(columns >= last - 2, last, columns + 2)))),
            full.eq(none & (columns >= last - 2)),
            nearly.eq(none & (columns >= last - 3)),
        ]
        return full, nearly

    def _step(self, m, lane, column, full, *before):
        """The state after the column that begins in ``lane``."""
        found, is_set = column
        after = [Signal.like(value, name=f"{name}_{lane}")
                 for name, value in zip(("fault", "kind", "seen"), before, strict=True)]
        m.d.comb += [new.eq(old) for new, old in zip(after, before, strict=True)]
        fault, kind, seen = after
        _, old_kind, old_seen = before
        with m.If(is_set):
            # A first set counts as one, whatever the kind before it was.
            same = found == old_kind
            m.d.comb += [kind.eq(found), seen.eq(Cat(1, old_seen[:-1] & same.replicate(SETS - 1)))]
            with m.If(same & old_seen[-2]):
                m.d.comb += [fault.eq(Mux(found, Fault.LOCAL, Fault.REMOTE))]
        with m.Elif(full):
            m.d.comb += [fault.eq(Fault.NONE.value), seen.eq(0)]
        return after

    def _find(self, m, lane):
        """Whether the column which begins in ``lane`` tells a local fault, and whether it tells a
        fault; a cycle later."""
        column = self.data.word_select(lane // COLUMN_LANES, 8 * COLUMN_LANES)
        begins = ((self.ctl[lane:lane + COLUMN_LANES] == 1)
                  & (column[:24] == Character.SEQUENCE.value))
        found = Signal(name=f"is_local_{lane}")
        is_set = Signal(name=f"is_set_{lane}")
        m.d.sync += [
            found.eq(column[24]),
            is_set.eq(begins & column[24:].matches(Fault.LOCAL.value, Fault.REMOTE.value)),
        ]
        return found, is_set
