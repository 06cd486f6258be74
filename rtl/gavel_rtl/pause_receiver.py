# SPDX-License-Identifier: Apache-2.0
"""Pauses that the peer asks for, and the watchdog over them."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import TIMER_BITS, SwitchConfig
from gavel_model.mac_control import PFC_CLASSES, PFC_TIME_BITS
from gavel_model.register_map import COUNTERS, QUANTUM_BITS, Counter
from gavel_rtl.flow_interfaces import FlowSettings, PauseFrame
from gavel_rtl.lib.sums import is_less


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
        For each VC the classes that belong to it in the next cycle, bit n = class n.
    pause
        A PFC frame that ended in this cycle, w.
    paused
        Bit v: VC v may not send.
    count
        Counter events.

    Cycle behaviour
    ---------------
    A frame in w shows in ``paused`` in w+1, which is combinational from two registers of each VC.
    That a frame is good is known late: what follows from it in w is chosen by it, and the cycles
    that its times end in are found in w+1. After reset nothing is paused.
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
        following, now, before = (
            Signal(self._shift + PFC_TIME_BITS, init=start, name=name)
            for name, start in (("following", 2), ("now", 1), ("before", 0)))
        m.d.sync += [following.eq(following + 1), now.eq(following), before.eq(now)]
        timers = [self._time(m, n, following, before) for n in range(PFC_CLASSES)]
        said, stays = (Cat(bits) for bits in zip(*timers, strict=True))
        bites = [self._watch(m, vc, said, stays) for vc in range(vcs)]
        m.d.comb += self.count[Counter.PFC_WATCHDOG].eq(Cat(bites).any())
        return m

    def _time(self, m: Module, number: int, following: Signal,
              before: Signal) -> tuple[Signal, Signal]:
        """Whether the timer of a class is above 0 in the next cycle, with a frame in this one and
        without: it is up to the cycle that it was set to end in. Both cycles are given by counts
        of which that of ``following`` is two above ``before``."""
        time = self.pause.times[number]
        end = Signal.like(before, name=f"end_{number}")
        running = Signal(name=f"running_{number}")
        came, ends = Signal(name=f"came_{number}"), Signal(name=f"ends_{number}")
        said, stays = Signal(name=f"said_{number}"), Signal(name=f"stays_{number}")
        # ``end`` is not there yet in the first cycle, nor in the one before the second: where a
        # quantum is no longer, these may be it.
        first, second = (time == cycles >> self._shift if not cycles % (1 << self._shift)
                         else Const(0, 1) for cycles in (1, 2))
        m.d.comb += [
            stays.eq(running & ~Mux(came, first, ends)),
            said.eq(Mux(self.pause.enabled[number], self.pause.lasts[number], stays)),
        ]
        m.d.sync += [
            came.eq(self.pause.valid & self.pause.enabled[number]),
            ends.eq(Mux(came, second, following == end)),
            running.eq(Mux(self.pause.valid, said, stays)),
        ]
        with m.If(came):
            m.d.sync += end.eq(before + Cat(Const(0, self._shift), time))
        return said, stays

    def _watch(self, m: Module, vc: int, said: Value, stays: Value) -> Signal:
        """Pauses a VC; returns whether its watchdog bites in this cycle."""
        settings, watchdog = self.settings, self.settings.coming.watchdog
        asked, restoring, reached, bites = (
            Signal(name=f"{name}_{vc}") for name in ("asked", "restoring", "reached", "bites"))
        # One counter for both: who is not listened to is not watched. While it is not restoring it
        # stands two above ``watch``, so that what this comes to is compared in the cycle before.
        # Where none was asked for it counts on, and in the next cycle, ``begins``, stands for 2.
        time = Signal(TIMER_BITS + 1, init=2, name=f"time_{vc}")
        begins = Signal(init=1, name=f"begins_{vc}")
        # Whether ``time`` is 1, while it is restoring.
        restored, restores = Signal(name=f"restored_{vc}"), settings.restore.any()
        moved = (time + Mux(restoring, Const(-1, len(time)), 1))[:len(time)]
        # From the beginning, or by how far it has come: each a register of its own, since one of
        # them waits for a comparison, and the other for the states.
        at_once, in_time = Signal(name=f"at_once_{vc}"), Signal(name=f"in_time_{vc}")
        watches, starts = Signal(name=f"watches_{vc}"), Signal(name=f"starts_{vc}")
        m.d.comb += [
            self.paused[vc].eq(asked & ~restoring),
            bites.eq(asked & reached),
            reached.eq(at_once | in_time),
            watches.eq(~restoring & asked & ~reached),
            starts.eq(Mux(restoring, restored, ~asked | Mux(reached, ~restores, begins))),
        ]
        mine = self.classes[vc]
        m.d.sync += [
            asked.eq(settings.coming.pfc_receive[vc] & Mux(
                self.pause.valid, (said & mine).any(), (stays & mine).any())),
            begins.eq(~restoring & ~asked),
            time.eq(Mux(restoring, Mux(restored, 2, moved), Mux(
                reached, Mux(restores, settings.restore, 2),
                Mux(begins, 3, Mux(time[-1], time, moved))))),
            restoring.eq(Mux(restoring, ~restored, bites & restores)),
            restored.eq(Mux(restoring, time == 2, settings.restore == 1)),
            at_once.eq((starts & (watchdog == 1)) | (watches & begins & (watchdog == 2))),
            in_time.eq(watches & ~begins & watchdog.any() & ~is_less(time, watchdog)),
        ]
        return bites
