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
    one bit for each class and VC. That a frame is good is known late, so the cycles that its times
    end in are found in w+1. After reset nothing is paused.
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
        now, before = (Signal(self._shift + PFC_TIME_BITS, name=name)
                       for name in ("now", "before"))
        m.d.sync += [now.eq(now + 1), before.eq(now)]
        running = Cat(self._time(m, n, now, before) for n in range(PFC_CLASSES))
        bites = [self._watch(m, vc, running) for vc in range(vcs)]
        m.d.comb += self.count[Counter.PFC_WATCHDOG].eq(Cat(bites).any())
        return m

    def _time(self, m: Module, number: int, now: Signal, before: Signal) -> Signal:
        """Whether the timer of a class is above 0: up to the cycle that it was set to end in."""
        time = self.pause.times[number]
        end = Signal.like(now, name=f"end_{number}")
        running = Signal(name=f"running_{number}")
        comes, came = Signal(name=f"comes_{number}"), Signal(name=f"came_{number}")
        ends = Signal(name=f"ends_{number}")
        m.d.comb += [
            comes.eq(self.pause.valid & self.pause.enabled[number]),
            # In the first cycle ``end`` is not there yet; where a quantum is one, this may be it.
            ends.eq(Mux(came, time == 1 if self._shift == 0 else 0, now == end)),
        ]
        m.d.sync += came.eq(comes)
        with m.If(came):
            m.d.sync += end.eq(before + Cat(Const(0, self._shift), time))
        with m.If(comes):
            m.d.sync += running.eq(self.pause.lasts[number])
        with m.Elif(ends):
            m.d.sync += running.eq(0)
        return running

    def _watch(self, m: Module, vc: int, running: Value) -> Signal:
        """Pauses a VC; returns whether its watchdog bites in this cycle."""
        settings, watchdog = self.settings, self.settings.coming.watchdog
        asked, restoring, reached, bites = (
            Signal(name=f"{name}_{vc}") for name in ("asked", "restoring", "reached", "bites"))
        # One counter for both: who is not listened to is not watched. While it is not restoring it
        # stands two above ``watch``, so that what this comes to is compared in the cycle before.
        # Where none was asked for it counts on, and in the next cycle, ``begins``, stands for 2.
        time = Signal(TIMER_BITS + 1, init=2, name=f"time_{vc}")
        begins = Signal(init=1, name=f"begins_{vc}")
        restored, restores = time == 1, settings.restore.any()
        moved = (time + Mux(restoring, Const(-1, len(time)), 1))[:len(time)]
        reaches, at_once = Signal(name=f"reaches_{vc}"), Signal(name=f"at_once_{vc}")
        m.d.comb += [
            asked.eq(settings.pfc_receive[vc] & (running & self.classes[vc]).any()),
            self.paused[vc].eq(asked & ~restoring),
            bites.eq(asked & reached),
            # By how far it has come, and from the beginning.
            reaches.eq(watchdog.any() & Mux(begins, watchdog <= 2, time >= watchdog)),
            at_once.eq(watchdog == 1),
        ]
        # ``asked`` is the last to be known.
        m.d.sync += [
            begins.eq(~restoring & ~asked),
            time.eq(Mux(restoring, Mux(restored, 2, moved), Mux(
                reached, Mux(restores, settings.restore, 2),
                Mux(begins, 3, Mux(time[-1], time, moved))))),
            restoring.eq(Mux(restoring, ~restored, bites & restores)),
            reached.eq(Mux(restoring, restored & at_once, Mux(
                asked, Mux(reached, ~restores & at_once, reaches), at_once))),
        ]
        return bites
