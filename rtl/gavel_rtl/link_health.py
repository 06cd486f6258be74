# SPDX-License-Identifier: Apache-2.0
"""Errors of a link, counted in windows of time."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import Counter
from gavel_rtl.telemetry_interfaces import Observation

WINDOW_BITS = 32
HEALTH_BITS = 24

CORRECTED = (Counter.LLR_TX_REPLAY, Counter.LLR_RX_REPLAY)
UNCORRECTABLE = (Counter.LLR_TX_FLUSH, Counter.RX_ERR, Counter.RX_FCS, Counter.RX_FRAGMENT)


class LinkHealth(wiring.Component):
    """Errors that link-level retry repairs, and those that it does not (docs/telemetry.md, Health
    of a link).

    Parameters
    ----------
    config
        Widths of what is observed.

    Members
    -------
    seen
        What was observed in the cycle before.
    window, corrected_limit, uncorrectable_limit
        Registers.
    begin
        A window begins with what is observed in this cycle; ``window`` is its length from the next
        cycle on.
    corrected_now, uncorrectable_now
        Errors in ``seen``.
    corrected_alarm, uncorrectable_alarm
        A count reaches its limit with them.
    corrected, uncorrectable
        Counts of the last whole window.

    Cycle behaviour
    ---------------
    Errors and alarms are combinational from ``seen``; the counts of a window show in the cycle
    after its last one is in ``seen``. They stay at their largest value.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "seen": In(Observation(config)),
            "window": In(WINDOW_BITS),
            "corrected_limit": In(HEALTH_BITS),
            "uncorrectable_limit": In(HEALTH_BITS),
            "begin": In(1),
            "corrected_now": Out(range(len(CORRECTED) + 1)),
            "uncorrectable_now": Out(range(len(UNCORRECTABLE) + 1)),
            "corrected_alarm": Out(1),
            "uncorrectable_alarm": Out(1),
            "corrected": Out(HEALTH_BITS),
            "uncorrectable": Out(HEALTH_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Which observation of its window this is, counted from 1.
        number = Signal(WINDOW_BITS, init=1)
        counting, last = Signal(), Signal()
        m.d.comb += [
            counting.eq(self.window.any()),
            last.eq(number == self.window),
        ]
        with m.If(self.begin | last):
            m.d.sync += number.eq(1)
        with m.Elif(counting):
            m.d.sync += number.eq(number + 1)
        for name, counters in (("corrected", CORRECTED), ("uncorrectable", UNCORRECTABLE)):
            now: Value = getattr(self, f"{name}_now")
            m.d.comb += now.eq(sum((self.seen.count[counter] for counter in counters),
                                   Const(0, 1)))
            self._count(m, name, now, counting, last)
        return m

    def _count(self, m: Module, name: str, now: Value, counting: Signal, last: Signal) -> None:
        count = Signal(HEALTH_BITS, name=f"{name}_count")
        after = Signal(HEALTH_BITS, name=f"{name}_after")
        total = Signal(HEALTH_BITS + 1, name=f"{name}_sum")
        short = Signal(HEALTH_BITS + 1, name=f"{name}_short")
        limit = getattr(self, f"{name}_limit")
        m.d.comb += [
            total.eq(count + now),
            after.eq(Mux(total[-1], ~0, total)),
            # What is missing to the limit, beyond all that can come if it is passed already.
            short.eq(limit - count),
            getattr(self, f"{name}_alarm").eq(
                counting & short.any() & (short <= now)),
        ]
        with m.If(counting):
            m.d.sync += count.eq(after)
        with m.If(last):
            m.d.sync += getattr(self, name).eq(after)
        with m.If(last | self.begin):
            m.d.sync += count.eq(0)
