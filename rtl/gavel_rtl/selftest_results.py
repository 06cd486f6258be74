# SPDX-License-Identifier: Apache-2.0
"""What a port's self-test has counted."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.selftest_format import ERROR_BITS, PORT_BITS, SEQUENCE_BITS, TIME_BITS
from gavel_model.selftest_map import RESULTS, SelfTestFinding, SelfTestRegister
from gavel_rtl.selftest_interfaces import COUNT_BITS, KIND_BITS, CheckedFrame

WIDE_BITS = 64
_FRAME_BITS = 48
_SUM_BITS = 56
"""Widths of counts: none comes round in a day at a word in each nanosecond."""


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
    sent, bytes, frame
        What to count.
    now
        Low bits of ``CYCLES``.
    select
        One-hot, as in `RESULTS`: the register to read.
    value, high
        Its low half and, of 64 bits, its high one; 0 if none is selected.

    Cycle behaviour
    ---------------
    What happens in a cycle is visible in the next; ``value`` and ``high`` are combinational.
    ``clear`` goes before what happens in the same cycle.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "clear": In(1),
            "sent": In(1),
            "bytes": In(config.empty_bits + 1),
            "frame": In(CheckedFrame()),
            "now": In(COUNT_BITS),
            "select": In(len(RESULTS)),
            "value": Out(COUNT_BITS),
            "high": Out(COUNT_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        frame = self.frame
        register = SelfTestRegister
        values: dict[SelfTestRegister, Value] = {}
        for name, width, amount in (
            (register.SENT, _FRAME_BITS, self.sent), (register.FRAMES, _FRAME_BITS, frame.ended),
            (register.BYTES, _SUM_BITS, self.bytes),
            (register.LATENCY_SUM, _SUM_BITS, Mux(frame.timed, frame.latency, 0)),
        ):
            values[name] = count = Signal(width, name=name.name.lower())
            m.d.sync += count.eq(count + amount)
        for name, amount in ((register.BAD_FCS, frame.bad), (register.HEADER_ERRORS, frame.header),
                             (register.PAYLOAD_ERRORS, frame.payload),
                             (register.LOST, frame.lost), (register.OUT_OF_ORDER, frame.late)):
            values[name] = self._saturating(m, name.name.lower(), amount)
        values[register.LATENCY_MIN] = least = Signal(TIME_BITS, init=(1 << TIME_BITS) - 1)
        values[register.LATENCY_MAX] = most = Signal(TIME_BITS)
        with m.If(frame.timed & (frame.latency < least)):
            m.d.sync += least.eq(frame.latency)
        with m.If(frame.timed & (frame.latency > most)):
            m.d.sync += most.eq(frame.latency)
        errors = self._first_error(m)
        values |= dict(zip((register.FIRST_ERROR, register.FIRST_ERROR_CYCLE), errors,
                           strict=True))
        with m.If(self.clear):
            m.d.sync += [value.eq(value.init) for value in values.values()]
        m.d.comb += [
            self.value.eq(self._selected(values, 0, COUNT_BITS)),
            self.high.eq(self._selected(values, COUNT_BITS, WIDE_BITS)),
        ]
        return m

    def _saturating(self, m: Module, name: str, amount: Value) -> Signal:
        count = Signal(ERROR_BITS, name=name)
        total = Signal(ERROR_BITS + 1, name=f"{name}_next")
        m.d.comb += total.eq(count + amount)
        m.d.sync += count.eq(total[:ERROR_BITS] | total[ERROR_BITS].replicate(ERROR_BITS))
        return count

    def _first_error(self, m: Module) -> tuple[Signal, Signal]:
        frame = self.frame
        error, cycle = Signal(COUNT_BITS, name="first_error"), Signal(COUNT_BITS)
        kind, kinds = Signal(KIND_BITS), SelfTestFinding
        for condition, number in reversed((
            (frame.bad.any(), kinds.BAD_FCS), (frame.header, kinds.HEADER),
            (frame.payload, kinds.PAYLOAD), (frame.lost.any(), kinds.LOST),
            (frame.late, kinds.OUT_OF_ORDER),
        )):
            with m.If(condition):
                m.d.comb += kind.eq(number)
        unused = COUNT_BITS - 1 - KIND_BITS - PORT_BITS - SEQUENCE_BITS
        with m.If(kind.any() & ~error[-1]):
            m.d.sync += [
                error.eq(Cat(frame.sequence, frame.source, kind, Const(0, unused), Const(1, 1))),
                cycle.eq(self.now),
            ]
        return error, cycle

    def _selected(self, values: dict[SelfTestRegister, Value], low: int, high: int) -> Value:
        total: Value = Const(0, COUNT_BITS)
        for n, register in enumerate(RESULTS):
            part = values[register][low:high]
            if len(part):
                total = total | Mux(self.select[n], part, 0)
        return total
