# SPDX-License-Identifier: Apache-2.0
"""What a port's self-test has counted."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.selftest_format import (
    COUNT_BITS,
    COUNT_ROWS,
    PORT_BITS,
    SEQUENCE_BITS,
    TIME_BITS,
)
from gavel_model.selftest_map import COUNTS, HIGH_OF, RESULTS, SelfTestFinding, SelfTestRegister
from gavel_rtl.lib.one_hot import select
from gavel_rtl.register_fields import REGISTER_BITS
from gavel_rtl.selftest_interfaces import KIND_BITS, CheckedFrame

ROW_BITS = COUNT_ROWS.bit_length() - 1


class SelfTestResults(wiring.Component):
    """Counts, latency, first error (docs/selftest.md, chapters 3 and 7).

    Parameters
    ----------
    config
        W.

    Members
    -------
    clear
        All go to their reset values.
    turn, fresh
        Row whose count is taken in; it is the first time since ``clear``, so it was 0 before.
    sent, bytes, frame
        What to count.
    now
        Low bits of ``CYCLES``.
    select, row
        One-hot, as in `RESULTS`: the register to read; low bits of its offset.
    value, high
        Its low half and, of 64 bits, its high one; 0 if none is selected.

    Cycle behaviour
    ---------------
    A count is the row of a memory, and what is to come on top of it a register. In a cycle with
    its ``turn`` the row takes in what was to come before the cycle. All else that happens in a
    cycle is visible in the next; ``value`` and ``high`` are combinational. ``clear`` goes before
    what happens in the same cycle.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "clear": In(1),
            "turn": In(ROW_BITS),
            "fresh": In(1),
            "sent": In(1),
            "bytes": In(config.empty_bits + 1),
            "frame": In(CheckedFrame()),
            "now": In(REGISTER_BITS),
            "select": In(len(RESULTS)),
            "row": In(ROW_BITS),
            "value": Out(REGISTER_BITS),
            "high": Out(REGISTER_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        frame, register = self.frame, SelfTestRegister
        least = Signal(TIME_BITS, init=(1 << TIME_BITS) - 1)
        most = Signal(TIME_BITS)
        with m.If(frame.timed & (frame.latency < least)):
            m.d.sync += least.eq(frame.latency)
        with m.If(frame.timed & (frame.latency > most)):
            m.d.sync += most.eq(frame.latency)
        errors = self._first_error(m)
        with m.If(self.clear):
            m.d.sync += [value.eq(value.init) for value in (least, most, *errors)]
        chosen = {name: self.select[n] for n, name in enumerate(RESULTS)}
        count = self._count(m)
        is_count, is_narrow, above = Signal(), Signal(), Signal()
        m.d.comb += [
            is_count.eq(Cat(chosen[name] for name in COUNTS).any()),
            is_narrow.eq(Cat(chosen[name] for name in COUNTS if name not in HIGH_OF).any()),
            # Of 32 bits a count shows the largest value if it is above.
            above.eq(is_narrow & count[REGISTER_BITS:].any()),
            self.value.eq(above.replicate(REGISTER_BITS) | select([
                (is_count, count[:REGISTER_BITS]),
                (chosen[register.LATENCY_MIN], least), (chosen[register.LATENCY_MAX], most),
                (chosen[register.FIRST_ERROR], errors[0]),
                (chosen[register.FIRST_ERROR_CYCLE], errors[1])])),
            self.high.eq(Mux(is_count, count[REGISTER_BITS:], 0)),
        ]
        return m

    def _count(self, m: Module) -> Signal:
        """Counts, in memory; returns the one that is read."""
        m.submodules.counts = memory = Memory(shape=COUNT_BITS, depth=COUNT_ROWS, init=[])
        shown, old = (memory.read_port(domain="comb") for _ in range(2))
        write = memory.write_port()
        count = Signal(COUNT_BITS)
        due = []
        for name, (amount, largest) in self._amounts().items():
            at = Signal(name=f"{name.name.lower()}_turn")
            to_come = Signal(range(COUNT_ROWS * largest + 1), name=f"{name.name.lower()}_to_come")
            m.d.comb += at.eq(self.turn == name % COUNT_ROWS)
            m.d.sync += to_come.eq(Mux(at, 0, to_come) + amount)
            with m.If(self.clear):
                m.d.sync += to_come.eq(0)
            due.append((at, to_come))
        added = Signal(max(len(value) for _, value in due))
        m.d.comb += [
            added.eq(select(due)),
            shown.addr.eq(self.row),
            count.eq(shown.data),
            old.addr.eq(self.turn),
            write.addr.eq(self.turn),
            write.data.eq(Mux(self.fresh, 0, old.data) + added),
            write.en.eq(1),
        ]
        return count

    def _amounts(self) -> dict[SelfTestRegister, tuple[Value, int]]:
        """What each count adds in a cycle, and the most that it can add."""
        frame, register = self.frame, SelfTestRegister
        return {
            register.SENT: (self.sent, 1),
            register.FRAMES: (frame.ended, 1),
            register.BYTES: (self.bytes, self._config.word_bytes),
            register.LATENCY_SUM: (frame.latency, (1 << TIME_BITS) - 1),
            register.BAD_FCS: (frame.bad, 2),
            register.HEADER_ERRORS: (frame.header, 1),
            register.PAYLOAD_ERRORS: (frame.payload, 1),
            register.LOST: (frame.lost, (1 << SEQUENCE_BITS - 1) - 1),
            register.OUT_OF_ORDER: (frame.late, 1),
        }

    def _first_error(self, m: Module) -> tuple[Signal, Signal]:
        frame = self.frame
        error, cycle = Signal(REGISTER_BITS, name="first_error"), Signal(REGISTER_BITS)
        kind, kinds = Signal(KIND_BITS), SelfTestFinding
        for condition, number in reversed((
            (frame.bad.any(), kinds.BAD_FCS), (frame.header, kinds.HEADER),
            (frame.payload, kinds.PAYLOAD), (frame.lost.any(), kinds.LOST),
            (frame.late, kinds.OUT_OF_ORDER),
        )):
            with m.If(condition):
                m.d.comb += kind.eq(number)
        unused = REGISTER_BITS - 1 - KIND_BITS - PORT_BITS - SEQUENCE_BITS
        with m.If(kind.any() & ~error[-1]):
            m.d.sync += [
                error.eq(Cat(frame.sequence, frame.source, kind, Const(0, unused), Const(1, 1))),
                cycle.eq(self.now),
            ]
        return error, cycle
