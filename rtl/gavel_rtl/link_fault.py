# SPDX-License-Identifier: Apache-2.0
"""Link faults from the fault sets received."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
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
        A word as received; not a signature, since the word is a register of the block around it.
    fault
        State of the link.

    Cycle behaviour
    ---------------
    ``fault`` in the next cycle takes account of the word; its lower column goes first. After
    reset there is no fault.
    """

    data: In(DATA_BITS)
    ctl: In(LANES)
    fault: Out(Fault)

    def elaborate(self, platform):
        m = Module()
        fault, kind = Signal.like(Value.cast(self.fault)), Signal.like(Value.cast(self.fault))
        seen = Signal(range(SETS + 1))
        columns = Signal(range(COLUMNS))
        state = (fault, kind, seen, columns)
        after = state
        for lane in (0, COLUMN_LANES):
            after = self._step(m, lane, *after)
        m.d.sync += [register.eq(value) for register, value in zip(state, after, strict=True)]
        m.d.comb += self.fault.eq(fault)
        return m

    def _step(self, m, lane, *before):
        """The state after the column that begins in ``lane``."""
        column = self.data.word_select(lane // COLUMN_LANES, 8 * COLUMN_LANES)
        found = Signal.like(before[0], name=f"set_{lane}")
        is_set = Signal(name=f"is_set_{lane}")
        with m.If(self.ctl[lane:lane + COLUMN_LANES] == 1):
            for one in (Fault.LOCAL, Fault.REMOTE):
                with m.If(column == Cat(Const(Character.SEQUENCE.value, 24), Const(one.value, 8))):
                    m.d.comb += [found.eq(one.value), is_set.eq(1)]

        after = [Signal.like(value, name=f"{name}_{lane}")
                 for name, value in zip(("fault", "kind", "seen", "columns"), before, strict=True)]
        m.d.comb += [new.eq(old) for new, old in zip(after, before, strict=True)]
        fault, kind, seen, columns = after
        _, old_kind, old_seen, old_columns = before
        with m.If(is_set):
            # A first set counts as one, whatever the kind before it was.
            with m.If(found != old_kind):
                m.d.comb += seen.eq(1)
            with m.Elif(old_seen != SETS):
                m.d.comb += seen.eq(old_seen + 1)
            with m.If(seen == SETS):
                m.d.comb += fault.eq(found)
            m.d.comb += [kind.eq(found), columns.eq(0)]
        with m.Elif(old_columns == COLUMNS - 1):
            m.d.comb += [fault.eq(Fault.NONE.value), seen.eq(0)]
        with m.Else():
            m.d.comb += columns.eq(old_columns + 1)
        return after
