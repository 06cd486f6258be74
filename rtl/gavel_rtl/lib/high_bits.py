# SPDX-License-Identifier: Apache-2.0
"""High bits of many counters, in memories made of LUTs."""

from collections.abc import Mapping

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib.memory import Memory

from gavel_rtl.lib.one_hot import select

_TURN_BITS = 4
ROW = 1 << _TURN_BITS
"""Counters in a memory, and cycles from one visit of a counter to the next."""

FROZEN_LOW_BITS = _TURN_BITS + 1
"""Least number of low bits of a counter that adds one, if there are frozen copies."""


class HighBits:
    """Adds the carries out of low bits to high bits; logic of the module that makes it.

    All memories are visited at one address a cycle, in turn: the counter there gets its carry. The
    first visit after a freeze writes a frozen copy, too, and adds no carry that came later.

    So a counter may carry once in `ROW` cycles; with ``freeze`` once in twice as many.

    Parameters
    ----------
    m
        Gets the logic.
    rising
        Bit n: the low bits of counter n carry in this cycle.
    bits
        Width of the high bits.
    freeze
        One pulse, more than `ROW` cycles after the last: what carried before this cycle is frozen.
        None: nothing ever is.
    carry_to
        Places in the high bits to which counters carry, by number; 0 for all others.

    Attributes
    ----------
    carries
        Bit n: the carry of counter n has still to be added.
    """

    def __init__(self, m: Module, rising: Value, bits: int, *, freeze: Value | None = None,
                 carry_to: Mapping[int, int] | None = None) -> None:
        entries = len(rising)
        self._m = m
        self._bits = bits
        self._carry_to = carry_to or {}
        self._turn, at = Signal(_TURN_BITS, name="turn"), Signal(ROW, name="at")
        self._cleared = Signal(name="cleared")
        m.d.comb += at.eq(1 << self._turn)
        m.d.sync += self._turn.eq(self._turn + 1)
        with m.If(self._turn.all()):
            m.d.sync += self._cleared.eq(1)
        self.carries = Signal(entries, name="carries")
        self._visited = Signal(entries, name="visited")
        visited = at.replicate(-(-entries // ROW))[:entries]
        if freeze is not None:
            visited = visited & self._freeze(freeze)
        m.d.comb += self._visited.eq(visited)
        m.d.sync += self.carries.eq(rising | (self.carries & ~self._visited))
        self._frozen: list[Memory] = []
        self._high = [self._memory(start, frozen=freeze is not None)
                      for start in range(0, entries, ROW)]

    def _freeze(self, freeze: Value) -> Value:
        """Whose carry may be added; all in `ROW` cycles behind ``freeze`` are copied."""
        m, last = self._m, Signal(_TURN_BITS, name="last_copied")
        self._copying, self._taken = Signal(name="copying"), Signal(name="taken")
        due = Signal(len(self.carries), name="due")
        with m.If(freeze):
            m.d.sync += [
                self._copying.eq(1),
                self._taken.eq(1),
                last.eq(self._turn),
                due.eq(self.carries & ~self._visited),
            ]
        with m.Elif(self._turn == last):
            m.d.sync += self._copying.eq(0)
        return due | ~self._copying.replicate(len(due))

    def _memory(self, start: int, *, frozen: bool) -> Memory:
        """The memory of the counters from ``start`` on, and that of their copies."""
        m, name = self._m, f"high_{start}"
        m.submodules[name] = memory = Memory(shape=self._bits, depth=ROW, init=[])
        write, carries = memory.write_port(), Signal(ROW, name=f"{name}_carries")
        if frozen:
            # Read a cycle ahead: the path is short, and what is 0 is so by a reset.
            found = Signal(self._bits, name=f"{name}_found")
            m.d.sync += found.eq(self._read(memory, (self._turn + 1)[:_TURN_BITS]))
        else:
            found = self._read(memory, self._turn)
        m.d.comb += [
            carries.eq((self.carries & self._visited)[start:start + ROW]),
            write.addr.eq(self._turn),
            write.data.eq(found + self._carry(start, carries)),
            write.en.eq(carries.any() | ~self._cleared),
        ]
        if frozen:
            m.submodules[f"frozen_{start}"] = copies = Memory(
                shape=self._bits, depth=ROW, init=[])
            copy = copies.write_port()
            m.d.comb += [copy.addr.eq(self._turn), copy.data.eq(write.data),
                         copy.en.eq(self._copying)]
            self._frozen.append(copies)
        return memory

    def _carry(self, start: int, carries: Signal) -> Value:
        """What is added in a memory: a one at the place of the counter that carries."""
        places: dict[int, int] = {}
        for n in range(min(ROW, len(self.carries) - start)):
            place = self._carry_to.get(start + n, 0)
            places[place] = places.get(place, 0) | 1 << n
        return select([((carries & Const(mask, ROW)).any(), Const(1 << place))
                       for place, mask in places.items()])

    def _read(self, memory: Memory, address: Value) -> Value:
        port = memory.read_port(domain="comb")
        self._m.d.comb += port.addr.eq(address)
        return Mux(self._cleared, port.data, 0)

    def read(self, row: int, address: Value) -> Value:
        """The high bits at ``address`` of memory ``row``, without a carry that waits."""
        return self._read(self._high[row], address)

    def read_frozen(self, number: Value) -> Value:
        """The high bits of counter ``number`` as they were frozen, from `ROW` + 1 cycles after
        ``freeze`` on; 0 before the first."""
        m, found = self._m, []
        for row, copies in enumerate(self._frozen):
            port = copies.read_port(domain="comb")
            m.d.comb += port.addr.eq(number[:_TURN_BITS])
            found.append((self._taken & (number[_TURN_BITS:] == row), port.data))
        return select(found)
