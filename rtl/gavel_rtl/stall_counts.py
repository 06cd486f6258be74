# SPDX-License-Identifier: Apache-2.0
"""Wide counts of the states of a few VCs, of which a snapshot is taken."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import enum, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_rtl.block import place
from gavel_rtl.lib.frozen_counters import FrozenCounters
from gavel_rtl.lib.one_hot import select
from gavel_rtl.telemetry_interfaces import TABLE_BITS

STATE_BITS = 4
MOST_VCS = 2
"""All their states are visited before a snapshot may be read."""


class StallState(enum.Enum, shape=STATE_BITS):
    """What a VC does in a cycle: the first that applies (docs/flow_control.md, Why a VC does not
    send)."""

    SENDING = 0
    EMPTY = 1
    LINK_DOWN = 2
    REPLAY_BUFFER_FULL = 3
    PAUSED = 4
    NO_CREDIT = 5
    STOPPED = 6
    OUTPUT_BUSY = 7
    INPUTS_BUSY = 8
    NOT_CHOSEN = 9


_STATES = len(StallState)
_ROUND = MOST_VCS * _STATES
_LOW_BITS = (2 * _ROUND - 1).bit_length() + 1
_TOP = _LOW_BITS - 1
"""The bit that low and high bits have in common."""


class StallLowBits(FrozenCounters):
    """Low bits of the counts of one VC, by state.

    Cycle behaviour
    ---------------
    As of `FrozenCounters`.
    """

    def __init__(self):
        super().__init__(_STATES, _LOW_BITS, 1)


class StallCounts(wiring.Component):
    """Counts of 48 bits for each state of up to `MOST_VCS` VCs, one of which a cycle counts for
    each VC.

    Low bits stand in a small memory for each VC. High bits, of all VCs in one memory, follow them:
    each count is visited in turn, and its high bits, of which the lowest is a copy of the highest
    low bit, add one if the copy is no longer right. Between two looks at a count it has added less
    than what turns that bit twice. In the round behind a freeze the frozen low bits are looked at
    instead, and the whole count goes to the frozen counts.

    Parameters
    ----------
    vcs
        1 ... `MOST_VCS`.

    Members
    -------
    states
        State of each VC.
    counts
        They are counted in this cycle.
    freeze
        A snapshot: what is counted in this cycle belongs to it. One pulse in a round at most.
    entry
        State and, above it, VC that is wanted.
    value
        Its count at the last snapshot; 0 before the first.

    Cycle behaviour
    ---------------
    ``value`` is combinational, and right from 2 + 10 * `MOST_VCS` cycles after ``freeze`` on.
    A look takes two cycles: low and high bits are read in the first, written in the second.
    """

    def __init__(self, vcs: int):
        self._vcs = vcs
        self._entry_bits = STATE_BITS + (vcs - 1).bit_length()
        super().__init__({
            "states": In(StallState).array(vcs),
            "counts": In(1),
            "freeze": In(1),
            "entry": In(self._entry_bits),
            "value": Out(TABLE_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        turn, copying, cleared, taken = self._rounds(m)
        state, vc = turn[:STATE_BITS], turn[STATE_BITS:]
        looks = []
        for v in range(self._vcs):
            low = place(m, f"low_{v}", StallLowBits())
            m.d.comb += [
                low.address.eq(Value.cast(self.states[v])),
                low.amount.eq(self.counts),
                low.freeze.eq(self.freeze),
                low.shown.eq(state),
            ]
            looks.append((vc == v, Mux(copying, low.value, low.now)))
        low_bits = Signal(_LOW_BITS)
        high_bits = Signal(TABLE_BITS - _TOP)
        looked_at, copies = Signal(self._entry_bits, name="looked_at"), Signal(name="copies")

        depth = 1 << self._entry_bits
        m.submodules.high = high = Memory(shape=len(high_bits), depth=depth, init=[])
        m.submodules.frozen = frozen = Memory(shape=TABLE_BITS, depth=depth, init=[])
        read, read_frozen = (memory.read_port(domain="comb") for memory in (high, frozen))
        write, write_frozen = high.write_port(), frozen.write_port()
        m.d.comb += read.addr.eq(turn)
        m.d.sync += [
            low_bits.eq(select(looks)),
            high_bits.eq(Mux(cleared, read.data, 0)),
            looked_at.eq(turn),
            copies.eq(copying),
        ]
        m.d.comb += [
            write.addr.eq(looked_at),
            write.data.eq(high_bits + (high_bits[0] ^ low_bits[_TOP])),
            write.en.eq(1),
            write_frozen.addr.eq(looked_at),
            write_frozen.data.eq(Cat(low_bits[:_TOP], write.data)),
            write_frozen.en.eq(copies),
            read_frozen.addr.eq(self.entry),
            self.value.eq(Mux(taken, read_frozen.data, 0)),
        ]
        return m

    def _rounds(self, m: Module) -> tuple[Signal, Signal, Signal, Signal]:
        """Which count has its turn, whether it is copied, whether all have had a turn since reset,
        and whether there was a snapshot."""
        turn = Signal(self._entry_bits, name="turn")
        copying, cleared, taken = (Signal(name=name) for name in ("copying", "cleared", "taken"))
        last = Signal(self._entry_bits, name="last")
        ends = Signal(name="round_ends")
        m.d.comb += ends.eq(turn == (self._vcs - 1 << STATE_BITS | _STATES - 1))
        with m.If(ends):
            m.d.sync += [turn.eq(0), cleared.eq(1)]
        with m.Elif(turn[:STATE_BITS] == _STATES - 1):
            m.d.sync += turn.eq(1 << STATE_BITS)
        with m.Else():
            m.d.sync += turn.eq(turn + 1)
        with m.If(self.freeze):
            # The round of copies begins in the next cycle, and ends where it began.
            m.d.sync += [copying.eq(1), taken.eq(1), last.eq(turn)]
        with m.Elif(turn == last):
            m.d.sync += copying.eq(0)
        return turn, copying, cleared, taken
