# SPDX-License-Identifier: Apache-2.0
"""Scenarios of PFC to the cycle: when a pause is asked for, and when it begins and ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from gavel_model.register_map import QUANTUM_BITS, Port
from gavel_tb.behaviour.flow.direct import INPUT, MATCH_TO_PINS, OUTPUT, Direct
from gavel_tb.behaviour.flow.plan import EndPlan
from gavel_tb.behaviour.judgement import C, Counts
from gavel_tb.behaviour.steps import Script

_XOFF, _XON = 20, 10
_END_TO_PAUSE = 13
"""Cycles from the last word of the frame that fills a VC on the receive pins to the first word of
the PFC frame on the transmit pins: filed, counted, wanted, taken, and as from a match."""

_LEFT_TO_RESUME = 6
"""Cycles from the last word on the transmit pins of the frame whose leaving is enough to the first
word of the PFC frame that says so."""

_TO_EFFECT = 4
"""Cycles from the last word of a PFC frame on the receive pins to the first without a match."""


class Thresholds(Direct):
    """XOFF is sent when a VC has as many cells as ``PFC_XOFF``, not one less; while that lasts
    again after half of the time asked for; and XON when it has as few as ``PFC_XON``. Each in its
    very cycle."""

    TIME: ClassVar[int] = 40
    VC: ClassVar[int] = 2

    def _plan(self, port: int) -> EndPlan:
        plan = super()._plan(port)
        if port != INPUT:
            return plan
        return replace(plan, flow=replace(plan.flow, pause_send=1 << self.VC, xoff=_XOFF, xon=_XON,
                                          pause_time=self.TIME))

    def _play(self) -> Script:
        yield from self.bring_up()
        log, out = self.ends[INPUT].log, self.ends[OUTPUT].log
        self.stop(OUTPUT, 1 << self.VC)
        yield from self.written()
        self.feed(INPUT, OUTPUT, _XOFF - 1, vc=self.VC)
        self.feed(INPUT, OUTPUT, 3 * _XOFF, vc=0)
        yield from self.quiet(100)
        self.must(not log.pauses_out, "a pause is asked for early")
        self.feed(INPUT, OUTPUT, vc=self.VC)
        yield from self.quiet(0)
        end = log.back[-1].last
        half = self.TIME * QUANTUM_BITS // self.config.data_width // 2
        yield from self.cycles(4 * half + 30)
        self.stop(OUTPUT, 0)
        yield from self.until(lambda: not self.ledger.outstanding, "all has left")
        yield from self.cycles(30)
        pauses = log.pauses_out
        cycles = [seen.first - end for seen, _ in pauses[:-1]]
        # It is wanted one cycle after the time is over, and taken one cycle later.
        wanted = [_END_TO_PAUSE + n * (half + 2) for n in range(len(cycles))]
        self.must(len(cycles) >= 4 and cycles == wanted,
                  f"XOFF comes in {cycles}, not in {wanted} and so on")
        classes = 1 << self.VC | 1 << self.VC + 4
        times = tuple(self.TIME * (classes >> n & 1) for n in range(8))
        for _, pause in pauses[:-1]:
            self.must(pause == (classes, times), f"XOFF is {pause}")
        self.must(pauses[-1][1] == (classes, (0,) * 8), f"XON is {pauses[-1][1]}")
        left = [seen.last for seen in out.frames_out
                if seen.entry is not None and seen.entry.vc == self.VC][_XOFF - _XON - 1]
        since = pauses[-1][0].first - left
        self.must(since == _LEFT_TO_RESUME, f"XON comes {since} cycles after the frame has left")


class _Paused(Direct):
    """The output takes pauses of VCs 1 and 2, whose classes are 5 and 2, and frames of the VCs come
    all the time."""

    VC_MAP: ClassVar[int] = 0x0010_0200
    """Class 2 on VC 2, class 5 on VC 1, all others on VC 0."""

    FRAMES: ClassVar[Mapping[int, int]] = {64: 60, 512: 480}
    EVERY: ClassVar[bool] = False
    """All VCs of the output may be paused."""

    def _plan(self, port: int) -> EndPlan:
        plan = super()._plan(port)
        if port != OUTPUT:
            return plan
        return replace(plan, flow=replace(plan.flow, pause_receive=0b110))

    def _play(self) -> Script:
        yield from self.bring_up()
        self.write(OUTPUT, Port.VC_MAP, self.VC_MAP)
        yield from self.written()
        yield from self._meet()
        yield from self.until(lambda: not self.ledger.outstanding, "all has arrived")

    def _meet(self) -> Script:
        """What happens."""
        raise NotImplementedError

    def begun(self, vc: int) -> list[int]:
        """Cycles of the first words of the frames of a VC on the transmit pins."""
        return [seen.first for seen in self.ends[OUTPUT].log.frames_out
                if seen.entry is not None and seen.entry.vc == vc]

    def pause(self, times: Mapping[int, int]) -> Script:
        """A PFC frame is received; afterwards ``self.told`` is the cycle of its last word."""
        count = len(self.ends[OUTPUT].log.back)
        self.feed_pause(OUTPUT, times)
        yield from self.until(lambda: len(self.ends[OUTPUT].log.back) > count, "the PFC frame")
        self.told = self.ends[OUTPUT].log.back[-1].last

    @property
    def quantum(self) -> int:
        """Cycles."""
        return QUANTUM_BITS // self.config.data_width


class PauseExact(_Paused):
    """A pause keeps frames from being matched from the fourth cycle after its last word on, for as
    many quanta as it says, to the cycle. The other VCs go on."""

    QUANTA: ClassVar[int] = 25

    def _meet(self) -> Script:
        words = 64 // self.word_bytes
        self.feed(INPUT, OUTPUT, self.FRAMES[self.config.data_width], vc=1)
        yield from self.cycles(100)
        yield from self.pause({5: self.QUANTA})
        yield from self.cycles(self.QUANTA * self.quantum + 60)
        begun = self.begun(1)
        first = self.told + _TO_EFFECT + self.QUANTA * self.quantum + MATCH_TO_PINS
        before = [cycle for cycle in begun if cycle < first]
        self.must(first in begun, f"after the pause frames begin in cycle "
                  f"{begun[len(before)]}, not in {first}")
        last = self.told + _TO_EFFECT - 1 + MATCH_TO_PINS
        self.must(last - words < before[-1] <= last,
                  f"the last frame before the pause begins in cycle {before[-1]}, not {last}")


class PauseEnds(_Paused):
    """A pause is taken back, made longer, and made shorter; a class that is not enabled keeps its
    time; and only the VCs of the classes are concerned."""

    def _meet(self) -> Script:
        every = 12
        yield from self.pause({5: 0xFFFF, 2: 40})
        self.feed(INPUT, OUTPUT, every, vc=2)
        self.feed(2, OUTPUT, every, vc=1)
        self.feed(3, OUTPUT, every, vc=0)
        yield from self.quiet(10)
        self.must(len(self.begun(0)) > 0 and not self.begun(1) and not self.begun(2),
                  "not VC 1 and VC 2 stand still and VC 0 goes on")
        # Class 0 is on VC 0, which is not paused by PFC.
        yield from self.pause({2: 60, 0: 0xFFFF})
        again = self.told
        yield from self.until(lambda: len(self.begun(2)) == every, "VC 2 has left")
        yield from self.cycles(60)
        first = again + _TO_EFFECT + 60 * self.quantum + MATCH_TO_PINS
        self.must(self.begun(2)[0] == first, f"VC 2 goes on in {self.begun(2)[0]}, not {first}")
        self.must(len(self.begun(0)) == every and not self.begun(1), "VC 1 is not paused any more")
        yield from self.pause({5: 0})
        yield from self.cycles(30)
        first = self.told + _TO_EFFECT + MATCH_TO_PINS
        self.must(self.begun(1)[0] == first, f"VC 1 goes on in {self.begun(1)[0]}, not {first}")


class PauseHasEnd(_Paused):
    """The watchdog: a peer pauses for longer than allowed, and is not listened to for a while,
    again and again; to the cycle."""

    WATCHDOG: ClassVar[int] = 120
    RESTORE: ClassVar[int] = 48
    QUANTA: ClassVar[Mapping[int, int]] = {64: 60, 512: 480}

    def _meet(self) -> Script:
        self.write(OUTPUT, Port.PFC_WATCHDOG, self.WATCHDOG)
        self.write(OUTPUT, Port.PFC_RESTORE, self.RESTORE)
        yield from self.written()
        quanta = self.QUANTA[self.config.data_width]
        yield from self.pause({5: quanta})
        self.feed(INPUT, OUTPUT, 150, vc=1)
        lasts = quanta * self.quantum
        yield from self.cycles(lasts + 20)
        begin = self.told + _TO_EFFECT
        allowed = self._allowed(begin, lasts)
        begun = self.begun(1)
        words = 64 // self.word_bytes
        for cycle in begun:
            match = cycle - MATCH_TO_PINS
            self.must(match in allowed or match >= begin + lasts,
                      f"a frame is matched in cycle {match - begin} of the pause")
        for first in (cycle for cycle in allowed if cycle - 1 not in allowed):
            length = next(n for n in range(1, lasts) if first + n not in allowed)
            found = [cycle for cycle in begun if 0 <= cycle - MATCH_TO_PINS - first < length]
            self.must(found[:1] == [first + MATCH_TO_PINS] and len(found) == -(-length // words),
                      f"{len(found)} frames are matched in {length} cycles of the pause")

    def _allowed(self, begin: int, lasts: int) -> set[int]:
        """Cycles of the pause in which frames may be matched."""
        period = self.WATCHDOG + self.RESTORE
        return {begin + cycle for cycle in range(lasts)
                if self.RESTORE and cycle % period >= self.WATCHDOG}

    def _bursts(self, lasts: int) -> int:
        """How often the watchdog strikes."""
        return (lasts + self.RESTORE) // (self.WATCHDOG + self.RESTORE)

    def _expected(self) -> Mapping[int, Counts]:
        lasts = self.QUANTA[self.config.data_width] * self.quantum
        return {OUTPUT: {C.PFC_WATCHDOG: self._bursts(lasts)}}


class PauseIsCounted(PauseHasEnd):
    """With nothing to restore the watchdog only counts: the pause is kept."""

    RESTORE = 0
