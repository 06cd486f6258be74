# SPDX-License-Identifier: Apache-2.0
"""High bits of many counters, in memories made of LUTs."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
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
        # The address, and its one-hot code.
        self._turn, self._at = Signal(_TURN_BITS, name="turn"), Signal(ROW, name="at", init=1)
        self._cleared = Signal(name="cleared")
        m.d.sync += [self._turn.eq(self._turn + 1), self._at.eq(self._at.rotate_left(1))]
        with m.If(self._turn.all()):
            m.d.sync += self._cleared.eq(1)
        self.carries = Signal(entries, name="carries")
        # Those whose carries are added in this cycle, if they wait.
        self._visited = Signal(entries, name="visited")
        m.d.sync += self.carries.eq(rising | (self.carries & ~self._visited))
        self._frozen: list[Memory] = []
        # Whose carries are added in the next cycle, if they wait.
        self._next = self._of_each_row(self._at.rotate_left(1))
        self._with_copies = freeze is not None
        wanted = (self.carries | rising) & self._next if freeze is None else self._freeze(freeze)
        self._high = [self._memory(start, wanted) for start in range(0, entries, ROW)]

    def _of_each_row(self, row: Value) -> Value:
        entries = len(self.carries)
        return row.replicate(-(-entries // ROW))[:entries]

    def _freeze(self, freeze: Value) -> Signal:
        """Whose carries are to be added in the next cycle; all counters in the `ROW` cycles behind
        ``freeze`` are copied, without what carried later."""
        m, last = self._m, Signal(_TURN_BITS, name="last_copied")
        self._copying, self._taken = Signal(name="copying"), Signal(name="taken")
        due, wanted = (Signal(len(self.carries), name=name) for name in ("due", "wanted"))
        is_last, copies_next = Signal(name="is_last"), Signal(name="copies_next")
        m.d.comb += [
            is_last.eq(self._turn == last),
            copies_next.eq(self._copying & ~is_last),
            wanted.eq(self.carries & self._next & (due | ~copies_next.replicate(len(due)))),
        ]
        with m.If(freeze):
            m.d.sync += [
                self._copying.eq(1),
                self._taken.eq(1),
                last.eq(self._turn),
                due.eq(self.carries & ~self._visited),
            ]
        with m.Elif(is_last):
            m.d.sync += self._copying.eq(0)
        return wanted

    def _memory(self, start: int, wanted: Value) -> Memory:
        """The memory of the counters from ``start`` on. What is to be added, and to what, is found
        a cycle ahead: paths are short, and what counts as 0 is so by the reset of a register."""
        m, name = self._m, f"high_{start}"
        m.submodules[name] = memory = Memory(shape=self._bits, depth=ROW, init=[])
        write, found = memory.write_port(), Signal(self._bits, name=f"{name}_found")
        m.d.sync += found.eq(self._read(memory, (self._turn + 1)[:_TURN_BITS]))
        added: list[tuple[Value, Value]] = []
        for place, counters in self._places(start).items():
            carry = Signal(name=f"{name}_carry_to_{place}")
            m.d.sync += carry.eq(Cat(wanted[n] for n in counters).any())
            m.d.comb += [self._visited[n].eq(self._at[n % ROW] & carry) for n in counters]
            added.append((carry, Const(1 << place)))
        m.d.comb += [
            write.addr.eq(self._turn),
            write.data.eq(found + select(added)),
            write.en.eq(Cat(carry for carry, _ in added).any() | ~self._cleared),
        ]
        if self._with_copies:
            self._copy(f"frozen_{start}", write.data)
        return memory

    def _copy(self, name: str, data: Value) -> None:
        """The frozen copies of a memory, to which ``data`` is written."""
        m = self._m
        m.submodules[name] = copies = Memory(shape=self._bits, depth=ROW, init=[])
        copy = copies.write_port()
        m.d.comb += [
            copy.addr.eq(self._turn),
            copy.data.eq(data),
            copy.en.eq(self._copying),
        ]
        self._frozen.append(copies)

    def _places(self, start: int) -> dict[int, list[int]]:
        """Places to which counters of a memory carry, and which counters do."""
        places: dict[int, list[int]] = {}
        for n in range(start, min(start + ROW, len(self.carries))):
            places.setdefault(self._carry_to.get(n, 0), []).append(n)
        return places

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
