# SPDX-License-Identifier: Apache-2.0
"""Scenarios of full windows, of the wrap of sequence numbers, and of pins that are not ready."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

from gavel_model.ordered_set import Kind
from gavel_tb.behaviour.judgement import HANDSHAKE, SOME, C, Counts, received, sent
from gavel_tb.behaviour.scenario import Scenario
from gavel_tb.behaviour.steps import Script

_FRAMES = 20
_NUMBERS = 1 << 20
_SILENCE = 800


class WindowFrames(Scenario):
    """Four frames may be outstanding, and no ACK comes: a fifth one is not sent; when the ACK
    comes, it leaves in the very cycle."""

    WINDOW_FRAMES = 4
    REPLAY_TIMER = 2000
    SIZE: ClassVar[int] = 64
    FITTING: ClassVar[int] = 4
    ACK_TO_PINS: ClassVar[int] = 9
    """Cycles from the ACK on the receive pins to the first word of a frame that waits: three to a
    match, six from there to the pins."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.partner.silence(_SILENCE)
        self.feed(_FRAMES, self.SIZE)
        yield from self.until(lambda: Kind.ACK in self._kinds_in(), "the ACK")
        self.must(len(self.log.frames_out) == self.FITTING,
                  f"{len(self.log.frames_out)} frames were sent")
        ack = self.log.sets_in[-1].cycle
        yield from self.drain()
        first = self.log.frames_out[self.FITTING].first
        self.must(first == ack + self.ACK_TO_PINS, f"a frame comes {first - ack} cycles after the "
                  "ACK")
        self.must(self.log.most_outstanding == self.FITTING, "more were outstanding")

    def _kinds_in(self) -> list[Kind]:
        return [seen.item.kind for seen in self.log.sets_in if seen.item is not None]

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(_FRAMES)


class WindowCells(WindowFrames):
    """The same for cells: room for three longest frames. Their words are given back two cycles
    after the ACK counts."""

    WINDOW_FRAMES = 0
    WINDOW_CELLS = 27
    SIZE = 523
    FITTING = 3
    ACK_TO_PINS = 11


class Wrap(Scenario):
    """Both directions go across the wrap of 20 bits, clean: no false duplicate, no gap."""

    INIT_SEQ = _NUMBERS - 50
    PARTNER: ClassVar[Mapping[str, int]] = {"init_seq": _NUMBERS - 30}
    COUNT: ClassVar[int] = 200

    def _play(self) -> Script:
        yield from self.bring_up()
        self.feed(self.COUNT)
        self.send(self.COUNT)
        yield from self.drain()
        self.must(self.log.frames_out[-1].seq == self.COUNT - 50 - 1, "no wrap")

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(self.COUNT) | received(self.COUNT)


class WrapInReplay(Wrap):
    """The last frame but one before the wrap is lost in each direction: the replays go across."""

    LOST: ClassVar[int] = _NUMBERS - 2

    def _play(self) -> Script:
        self.out_tap.lose_frame(self.LOST)
        self.back_tap.lose_frame(self.LOST)
        yield from super()._play()
        again = [frame.seq for frame in self.log.frames_out if not frame.new]
        self.must(again[:3] == [self.LOST, self.LOST + 1, 0], f"sent again: {again}")
        for values in (self.log.values_in(Kind.NACK), self.log.values_out(Kind.NACK)):
            self.must(values == [self.LOST - 1], "other NACKs")

    def _expected(self) -> Counts:
        again = sum(not frame.new for frame in self.log.frames_out)
        late = len(self.log.frames_in) - self.COUNT
        return HANDSHAKE | sent(self.COUNT + again) | received(self.COUNT) | {
            C.LLR_RX_NACK_CTL_OS: 1, C.LLR_TX_REPLAY: 1, C.LLR_TX_NACK_CTL_OS: 1,
            C.LLR_RX_REPLAY: 1, C.LLR_RX_OK: self.COUNT + late, C.LLR_RX_MISSING_SEQ: late,
        }


class WrapOften(Scenario):
    """32 sequence numbers and 800 frames each way, one in forty lost: wraps at all places."""

    SWITCH = "wrap"
    OUT_ERRORS = BACK_ERRORS = 1 / 40
    COUNT: ClassVar[int] = 800

    def _play(self) -> Script:
        yield from self.bring_up()
        self.send(self.COUNT)
        fed = 0
        while fed < self.COUNT:
            # No more than the input buffer has room for.
            if fed - self.log.first_sent < self.config.buffer_cells // 2:
                self.feed(10)
                fed += 10
            yield from self.cycles(1)
        yield from self.drain()

    def _expected(self) -> Counts:
        seen = self.log.counters()
        return {counter: seen[counter] for counter in C if counter >= C.LLR_TX_INIT_CTL_OS} | {
            C.LLR_RX_EXPECTED_SEQ_GOOD: self.COUNT, C.LLR_TX_NACK_CTL_OS: SOME,
            C.LLR_RX_REPLAY: seen[C.LLR_TX_NACK_CTL_OS], C.LLR_RX_NACK_CTL_OS: SOME,
            C.LLR_TX_REPLAY: self.checker.sender.replays,
        }


class Stopped(Scenario):
    """Transmit pins are not ready for words, as with a pause of all classes: ACK and NACK of the
    switch go on, new frames wait, and a NACK that comes meanwhile is obeyed with the first cycle
    that is ready."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.out_tap.lose_frame(8)
        self.feed(10)
        yield from self.until(lambda: len(self.log.frames_out) == 10, "ten frames")
        self.ready = 0
        began = self.now
        self.back_tap.lose_frame(3)
        back = self.send(_FRAMES)
        yield from self.until(lambda: self.log.values_in(Kind.NACK), "a NACK")
        self.feed(5)
        yield from self.cycles(300)
        self.must(len(self.log.frames_out) == 10, "a frame was sent")
        kinds = {seen.item.kind for seen in self.log.sets_out
                 if seen.item is not None and seen.cycle > began}
        self.must(kinds == {Kind.ACK, Kind.NACK}, "ACK and NACK did not go on")
        self.must(all(entry.arrived is not None for entry in back), "the partner's frames wait")
        self.ready = 1
        resumed = self.now + 1
        yield from self.drain()
        following = self.log.frames_out[10:]
        self.must([frame.seq for frame in following] == [8, 9, 10, 11, 12, 13, 14],
                  "not the replay and then the new frames")
        self.must(following[0].first == resumed, "the replay began late")

    def _expected(self) -> Counts:
        late = len(self.log.frames_in) - _FRAMES
        return HANDSHAKE | sent(15 + 2) | received(_FRAMES) | {
            C.LLR_RX_NACK_CTL_OS: 1, C.LLR_TX_REPLAY: 1, C.LLR_TX_NACK_CTL_OS: 1,
            C.LLR_RX_REPLAY: 1, C.LLR_RX_OK: _FRAMES + late, C.LLR_RX_MISSING_SEQ: late,
        }


class StoppedInFrame(Scenario):
    """The pins stop being ready within a frame, and a NACK comes: the frame goes on to its end
    first, and then all from the lost frame on is sent again."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.out_tap.lose_frame(0)
        # So that the frames follow each other when they leave.
        self.ready = 0
        self.feed(2)
        self.feed(1, 523)
        yield from self.until(lambda: not self.feeder, "three frames in")
        self.ready = 1
        yield from self.until(lambda: len(self.log.frames_out) == 2, "two frames")
        yield from self.cycles(3)
        self.ready = 0
        yield from self.until(lambda: self.log.values_in(Kind.NACK), "a NACK")
        yield from self.cycles(20)
        self.must(len(self.log.frames_out) == 2, "the frame went on")
        self.ready = 1
        yield from self.drain()
        out = self.log.frames_out
        self.must([frame.seq for frame in out] == [0, 1, 2, 0, 1, 2], "another order")
        self.must([frame.first - before.last for before, frame in pairwise(out)][2:] == [4, 1, 1],
                  "the replay does not follow after three idle cycles")

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(6) | {C.LLR_RX_NACK_CTL_OS: 1, C.LLR_TX_REPLAY: 1}
