# SPDX-License-Identifier: Apache-2.0
"""Pauses that the peer asks for, and the watchdog over them."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import TIMER_BITS, SwitchConfig
from gavel_model.mac_control import PFC_CLASSES, PFC_TIME_BITS
from gavel_model.register_map import COUNTERS, QUANTUM_BITS, Counter
from gavel_rtl.flow_interfaces import FlowSettings, PauseFrame


class PauseReceiver(wiring.Component):
    """Which VCs may not send because of the peer (docs/flow_control.md, PFC).

    Parameters
    ----------
    config
        V, W.

    Members
    -------
    settings
        Registers as visible in the cycle.
    classes
        For each VC the classes that belong to it, bit n = class n.
    pause
        A PFC frame that ended in this cycle, w.
    paused
        Bit v: VC v may not send.
    count
        Counter events.

    Cycle behaviour
    ---------------
    A frame in w shows in ``paused`` in w+1, which is combinational from ``classes``, settings and
    one bit for each class and VC. After reset nothing is paused.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(FlowSettings(config)),
            "classes": In(PFC_CLASSES).array(config.vcs),
            "pause": In(PauseFrame()),
            "paused": Out(config.vcs),
            "count": Out(COUNTERS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        vcs = self._config.vcs
        # A quantum is a power of two of cycles.
        self._shift = (QUANTUM_BITS // self._config.data_width).bit_length() - 1
        now = Signal(self._shift + PFC_TIME_BITS)
        m.d.sync += now.eq(now + 1)
        running = Cat(self._time(m, n, now) for n in range(PFC_CLASSES))
        bites = [self._watch(m, vc, running) for vc in range(vcs)]
        m.d.comb += self.count[Counter.PFC_WATCHDOG].eq(Cat(bites).any())
        return m

    def _time(self, m: Module, number: int, now: Signal) -> Signal:
        """Whether the timer of a class is above 0: up to the cycle that it was set to end in."""
        time = self.pause.times[number]
        end = Signal.like(now, name=f"end_{number}")
        running = Signal(name=f"running_{number}")
        with m.If(self.pause.valid & self.pause.enabled[number]):
            m.d.sync += [end.eq(now + Cat(Const(0, self._shift), time)), running.eq(time.any())]
        with m.Elif(now == end):
            m.d.sync += running.eq(0)
        return running

    def _watch(self, m: Module, vc: int, running: Value) -> Signal:
        """Pauses a VC; returns whether its watchdog bites in this cycle."""
        settings = self.settings
        asked, restoring, reached, bites = (
            Signal(name=f"{name}_{vc}") for name in ("asked", "restoring", "reached", "bites"))
        # One counter for both: who is not listened to is not watched. While it is not restoring it
        # stands one above ``watch``, so that nothing has to be added before the comparison.
        time = Signal(TIMER_BITS + 1, init=1, name=f"time_{vc}")
        at_end = Mux(restoring, time == 1, time[-1])
        m.d.comb += [
            asked.eq(settings.pfc_receive[vc] & (running & self.classes[vc]).any()),
            self.paused[vc].eq(asked & ~restoring),
            reached.eq(~restoring & settings.watchdog.any() & (time >= settings.watchdog)),
            bites.eq(asked & reached),
        ]
        # ``asked`` is the last to be known.
        m.d.sync += [
            time.eq(Mux(asked | restoring, Mux(
                reached, Mux(settings.restore.any(), settings.restore, 1),
                Mux(at_end, time, time + Mux(restoring, -1, 1))), 1)),
            restoring.eq(Mux(restoring, time != 1, bites & settings.restore.any())),
        ]
        return bites
