# SPDX-License-Identifier: Apache-2.0
"""Scenarios in which the buffer is given up before a replay is at its end."""

from __future__ import annotations

from collections.abc import Generator
from typing import ClassVar

from gavel_model.config import MIN_FRAME_BYTES
from gavel_model.ordered_set import Kind, OrderedSet, encode
from gavel_model.register_map import Port
from gavel_tb.behaviour.judgement import HANDSHAKE, C, Counts, sent
from gavel_tb.behaviour.ledger import Entry
from gavel_tb.behaviour.scenario import Scenario
from gavel_tb.behaviour.steps import Script
from gavel_tb.behaviour.timers import FLUSH_TO_INIT

MORE = 20
"""Frames that come when all is over."""

_SET_TO_EFFECT = 2
_SET_TO_REPLAY = 7
_DOWN_TO_FLUSH = 1


class GivenUpInReplay(Scenario):
    """Frames are sent again; before the last of them is, the buffer is given up. A frame that has
    begun ends, no other begins, INIT follows in the very cycle, and then new frames.

    Attributes
    ----------
    flushed
        Cycle in which the buffer is given up.
    last_start
        Last cycle in which a replayed frame may begin on the pins. For a flush that comes without
        warning it is that of the flush: none is launched in it, and a launch shows one cycle later.
    """

    FRAMES: ClassVar[int] = 50
    FIRST: ClassVar[int] = 0
    """Number of the frame with which the replay begins."""

    flushed = last_start = 0

    def _play(self) -> Script:
        yield from self.bring_up()
        self.fed = self.feed(self.FRAMES)
        yield from self._ask()
        yield from self.until(lambda: not self.log.frames_out[-1].new, "the replay")
        yield from self._give_up()
        yield from self._end()
        self.back_tap.sets_blocked = False
        self.feed(MORE)
        yield from self.drain()

    def _ask(self) -> Script:
        """What leads to the replay; at its end a frame has left. A frame is lost, unless a subclass
        says otherwise."""
        self.out_tap.lose_frame(self.FIRST)
        yield from self.until(lambda: self.log.values_in(Kind.NACK), "a NACK")

    def _give_up(self) -> Script:
        """What ends it; sets `flushed` and `last_start`."""
        raise NotImplementedError

    def _end(self) -> Script:
        """What follows."""
        yield from self.until(lambda: len(self.log.values_out(Kind.INIT)) == 2, "INIT")
        self.must(self.now == self.judge_replay() + FLUSH_TO_INIT - 1,
                  f"INIT comes {self.now - self.flushed} cycles after the flush")
        self.ledger.write_off(self._lost())

    def _lost(self) -> list[Entry]:
        """Frames that were given up and had not arrived."""
        return []

    @property
    def again(self) -> int:
        """Frames that were sent again."""
        return sum(not frame.new for frame in self.log.frames_out)

    def judge_replay(self) -> int:
        """Looks at what was sent again; gives the cycle in which the reader goes back: the one
        after the flush, or that in which the end of a frame under way is on the pins."""
        words = -(-MIN_FRAME_BYTES // self.word_bytes)
        eligible = [frame for frame in self.log.frames_out if frame.seq is not None]
        replayed = [frame for frame in eligible if not frame.new]
        begun = (self.last_start - replayed[0].first) // words + 1
        self.must([frame.seq for frame in replayed] == list(range(self.FIRST, self.FIRST + begun)),
                  f"sent again: {[frame.seq for frame in replayed]}, must be {begun} frames "
                  f"from {self.FIRST} on")
        self.must(begun < len(eligible) - begun - self.FIRST, "the replay was at its end")
        return max(self.flushed + 1, replayed[-1].last)

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(self.FRAMES + self.again + MORE) | {
            C.LLR_TX_REPLAY: 1, C.LLR_TX_FLUSH: 1,
            C.LLR_TX_INIT_CTL_OS: 2, C.LLR_RX_INIT_ECHO_CTL_OS: 2,
        }


class LinkDownInReplay(GivenUpInReplay):
    """The link goes down in a replay, for ``pcs_lost``: what was sent and did not arrive is
    lost."""

    PCS_LOST = 500
    FIRST = 5

    def _give_up(self) -> Script:
        began = self.now + 1
        self.out.take_down(self.PCS_LOST)
        self.back.take_down(self.PCS_LOST)
        self.flushed = began + self.PCS_LOST + _DOWN_TO_FLUSH
        # The link counts as down, and nothing is launched, from the cycle after this one on.
        self.last_start = began + 1
        yield from self.cycles(1)

    def _lost(self) -> list[Entry]:
        lost = [entry for entry in self.fed[:self.log.first_sent] if entry.arrived is None]
        self.must(lost == self.fed[self.FIRST:self.log.first_sent],
                  "others than those to be sent again have not arrived")
        return lost

    def _expected(self) -> Counts:
        return super()._expected() | {C.LLR_RX_NACK_CTL_OS: 1}


class TooOldInReplay(GivenUpInReplay):
    """Nothing is acknowledged: the replay timer runs out, and while all is sent again the oldest
    frame becomes too old. A replay makes no frame younger. All has arrived before."""

    REPLAY_TIMER = 400
    DATA_AGE = 500
    FRAMES = 200

    def _ask(self) -> Script:
        self.back_tap.sets_blocked = True
        yield from self.until(lambda: self.log.frames_out, "a frame")
        self.flushed = self.last_start = self.log.frames_out[0].last - 1 + self.DATA_AGE

    def _give_up(self) -> Script:
        yield from self.until(lambda: self.now == self.flushed, "the flush")


class NoMoreReplays(GivenUpInReplay):
    """Management allows no more replays in the middle of one, and a NACK asks for another one: it
    acknowledges frames, so that it is no repetition of the first, and the buffer is given up. All
    has arrived before."""

    FIRST = 10
    SECOND: ClassVar[int] = 15

    def _ask(self) -> Script:
        self.back_tap.sets_blocked = True
        yield from self.until(lambda: len(self.log.frames_out) == self.FRAMES, "all frames")
        asked = yield from self._nack(self.FIRST)
        yield from self.until(lambda: not self.log.frames_out[-1].new, "the replay")
        self.must(self.log.frames_out[-1].first == asked + _SET_TO_REPLAY, "the replay is late")

    def _give_up(self) -> Script:
        self.write(Port.LLR_REPLAY_COUNT, 0)
        asked = yield from self._nack(self.SECOND)
        self.flushed = self.last_start = asked + _SET_TO_EFFECT

    def _nack(self, wanted: int) -> Generator[None, None, int]:
        """A NACK that asks for a frame and all after it; gives its cycle on the pins."""
        self.back_tap.inserts.append(
            encode(OrderedSet(Kind.NACK, wanted - 1), self.PROTECT))
        yield from self.cycles(1)
        seen = self.log.sets_in[-1]
        self.must(seen.item == OrderedSet(Kind.NACK, wanted - 1), "the NACK did not come")
        return seen.cycle

    def _expected(self) -> Counts:
        return super()._expected() | {C.LLR_RX_NACK_CTL_OS: 2}
