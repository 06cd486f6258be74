# SPDX-License-Identifier: Apache-2.0
"""Pauses that the peer asks for, and the watchdog over them."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import TIMER_BITS, SwitchConfig
from gavel_model.mac_control import PFC_CLASSES
from gavel_model.register_map import COUNTERS, QUANTUM_BITS, Counter
from gavel_rtl.flow_interfaces import FlowSettings, PauseFrame

_LONGEST = (1 << TIMER_BITS) - 1


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
        running = Cat(self._time(m, n) for n in range(PFC_CLASSES))
        bites = [self._watch(m, vc, running) for vc in range(vcs)]
        m.d.comb += self.count[Counter.PFC_WATCHDOG].eq(Cat(bites).any())
        return m

    def _time(self, m: Module, number: int) -> Signal:
        """Whether the timer of a class is above 0."""
        # A quantum is a power of two of cycles.
        shift = (QUANTUM_BITS // self._config.data_width).bit_length() - 1
        time = self.pause.times[number]
        timer = Signal(shift + len(time), name=f"timer_{number}")
        running = Signal(name=f"running_{number}")
        with m.If(self.pause.valid & self.pause.enabled[number]):
            m.d.sync += [timer.eq(Cat(Const(0, shift), time)), running.eq(time.any())]
        with m.Elif(running):
            m.d.sync += [timer.eq(timer - 1), running.eq(timer != 1)]
        return running

    def _watch(self, m: Module, vc: int, running: Value) -> Signal:
        """Pauses a VC; returns whether its watchdog bites in this cycle."""
        settings = self.settings
        watch, restore = (Signal(TIMER_BITS, name=f"{name}_{vc}") for name in ("watch", "restore"))
        asked, restoring, bites = (
            Signal(name=f"{name}_{vc}") for name in ("asked", "restoring", "bites"))
        watched = Signal(TIMER_BITS + 1, name=f"watched_{vc}")
        m.d.comb += [
            asked.eq(settings.pfc_receive[vc] & (running & self.classes[vc]).any()),
            self.paused[vc].eq(asked & ~restoring),
            watched.eq(watch + 1),
            bites.eq(asked & ~restoring & settings.watchdog.any()
                     & (watched >= settings.watchdog)),
        ]
        with m.If(asked & ~restoring & ~bites):
            m.d.sync += watch.eq(Mux(watched[-1], _LONGEST, watched))
        with m.Else():
            m.d.sync += watch.eq(0)
        with m.If(restoring):
            m.d.sync += [restore.eq(restore - 1), restoring.eq(restore != 1)]
        with m.Elif(bites):
            m.d.sync += [restore.eq(settings.restore), restoring.eq(settings.restore.any())]
        return bites
