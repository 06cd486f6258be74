# SPDX-License-Identifier: Apache-2.0
"""Scenarios at the edges of the timers: one cycle decides."""

from __future__ import annotations

from typing import ClassVar

from gavel_model.ordered_set import Kind, OrderedSet, encode
from gavel_tb.behaviour.judgement import HANDSHAKE, SOME, C, Counts
from gavel_tb.behaviour.scenario import Scenario
from gavel_tb.behaviour.steps import Script

FLUSH_TO_INIT = 6
"""Cycles from that in which the buffer is given up to LLR_INIT on the pins, no frame under way:
restart, address, release, settled, INIT, pins."""

_TO_EFFECT = 2


class TimedAck(Scenario):
    """One frame, and its ACK in a chosen cycle: so many after the last one that is in time."""

    LATE: ClassVar[int] = 0

    def _play(self) -> Script:
        yield from self.bring_up()
        self.back_tap.sets_blocked = True
        self.feed(1)
        yield from self.until(lambda: self.log.frames_out, "the frame")
        last = self._last_in_time(self.log.frames_out[0].last)
        yield from self.until(lambda: self.now == last + self.LATE - 1, "the chosen cycle")
        self.back_tap.sets_blocked = False
        self.back_tap.inserts.append(encode(OrderedSet(Kind.ACK, 0), self.PROTECT))
        yield from self.cycles(1)
        self.must(self.log.sets_in[-1].cycle == last + self.LATE, "the ACK came too late")
        yield from self._after()

    def _last_in_time(self, end: int) -> int:
        """The last cycle in which the ACK may be on the pins, for a frame that ended in one."""
        raise NotImplementedError

    def _after(self) -> Script:
        yield from self.drain()


class ReplayTimerEdge(TimedAck):
    """The ACK comes in the last cycle in which it stops the replay timer."""

    REPLAYS: ClassVar[int] = 0
    SENT: ClassVar[int] = 1

    def _last_in_time(self, end: int) -> int:
        """See `TimedAck`: in the cycle in which the timer runs out the ACK goes before it."""
        return end + self.replay_timer - _TO_EFFECT

    def _expected(self) -> Counts:
        return HANDSHAKE | {C.LLR_TX_OK: self.SENT, C.LLR_RX_ACK_CTL_OS: SOME,
                            C.LLR_TX_REPLAY: self.REPLAYS}


class ReplayTimerBefore(ReplayTimerEdge):
    """The ACK comes one cycle earlier."""

    LATE = -1


class ReplayTimerAfter(ReplayTimerEdge):
    """The ACK comes one cycle too late: a replay begins, and finds nothing to send."""

    LATE = 1
    REPLAYS = 1


class ReplayOvertaken(ReplayTimerEdge):
    """The ACK comes in the last cycle in which the first word is not sent again."""

    LATE = 3
    REPLAYS = 1


class ReplayNotOvertaken(ReplayTimerEdge):
    """The ACK comes one cycle after that: the frame is sent again."""

    LATE = 4
    REPLAYS = 1
    SENT = 2


class DataAgeEdge(TimedAck):
    """The ACK comes in the last cycle in which the frame is not too old."""

    REPLAY_TIMER = 0
    DATA_AGE = 500

    def _last_in_time(self, end: int) -> int:
        """See `TimedAck`: a frame's age counts from the launch of its last word."""
        return end - 1 + self.DATA_AGE - _TO_EFFECT

    def _after(self) -> Script:
        yield from self.drain()
        self.feed(1)
        yield from self.drain()

    def _expected(self) -> Counts:
        return HANDSHAKE | {C.LLR_TX_OK: 2, C.LLR_RX_ACK_CTL_OS: SOME}


class DataAgeAfter(DataAgeEdge):
    """LLR-09: the ACK comes one cycle too late. The buffer is given up, INIT follows in the very
    cycle, and a new frame goes out after it."""

    LATE = 1

    def _after(self) -> Script:
        flushed = self.log.sets_in[-1].cycle + _TO_EFFECT - self.LATE
        yield from self.until(lambda: len(self.log.values_out(Kind.INIT)) == 2, "INIT")
        self.must(self.now == flushed + FLUSH_TO_INIT,
                  f"INIT comes {self.now - flushed} cycles after the flush")
        self.feed(1)
        yield from self.drain()

    def _expected(self) -> Counts:
        return super()._expected() | {
            C.LLR_TX_INIT_CTL_OS: 2, C.LLR_RX_INIT_ECHO_CTL_OS: 2, C.LLR_TX_FLUSH: 1,
        }
