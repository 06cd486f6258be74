# SPDX-License-Identifier: Apache-2.0
"""The sending side of a link partner: window, numbers, replay (docs/llr.md, as a device may read
it that is not this switch)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, NamedTuple

from gavel_model.pins import RxPins
from gavel_tb.partner.flow import CONTROL, Flow
from gavel_tb.partner.misbehaviour import Fault, Switchboard
from gavel_tb.partner.outgoing import OutFrame, partner_words, poisoned
from gavel_tb.partner.settings import NEVER, PartnerSettings

_DATA_MASK = 0xFFFF


class SenderState(IntEnum):
    """State of the sending side."""

    OFF = 0
    INIT = 1
    ADVANCE = 2
    REPLAY = 3


class _Kept(NamedTuple):
    """A frame that is not acknowledged."""

    words: list[RxPins]
    size: int
    tag: Any


class Sender:
    """Sends frames of a queue, in order; those that are not acknowledged again.

    Parameters
    ----------
    settings
        Of the partner.
    faults
        What is to go wrong.

    Attributes
    ----------
    queue
        Frames to be sent.
    refill
        Asked for a frame when one could be sent and the queue is empty.
    flow
        Chooses the frames instead of queue and refill where there is flow control.
    released
        Called with the tag of each frame that is acknowledged.
    lost
        Tags of the frames that were given up.
    state, oldest, next
        As in docs/llr.md.
    deadline
        Cycle in which the replay timer runs out.
    up
        The link from the other end is up.
    replays, first_words, all_words, seq_errors
        Counts: replays, words of first transmissions, all words, ACKs outside of the window.
    """

    def __init__(self, settings: PartnerSettings, faults: Switchboard) -> None:
        self._settings = settings
        self._faults = faults
        self._mask = (1 << settings.seq_bits) - 1
        self.queue: deque[OutFrame] = deque()
        self.refill: Callable[[], OutFrame | None] | None = None
        self.flow: Flow | None = None
        self.released: Callable[[Any], None] | None = None
        self.lost: list[Any] = []
        self.state = SenderState.OFF
        self.oldest = self.next = settings.init_seq
        self.init_data = settings.init_data - 1 & _DATA_MASK
        self.init_at = NEVER
        self.deadline = NEVER
        self.up = True
        self.replays = self.first_words = self.all_words = self.seq_errors = 0
        self._kept: deque[_Kept] = deque()
        self._kept_bytes = 0
        # Those of them that are no MAC Control frames.
        self._frames = 0
        self._waiting: OutFrame | None = None
        self._words: Iterator[RxPins] = iter(())
        self._not_before = 0
        self._at = 0
        self._replay_from = 0
        self._without_progress = 0
        self._held: int | None = None

    @property
    def outstanding(self) -> int:
        """Frames not acknowledged."""
        return len(self._kept)

    @property
    def idle(self) -> bool:
        """Nothing is left to send, and all that was sent is acknowledged; MAC Control frames of
        flow control, which never end, do not count."""
        if self.flow is None:
            return not (self._kept or self.queue or self._waiting)
        return not (self._frames or self.flow.queues or self._waiting)

    def busy(self, now: int) -> bool:
        """A word is under way, or a frame waits for what cannot be told beforehand."""
        return bool(now < self._not_before or self.state is SenderState.REPLAY or self._waiting
                    or self.queue or (self.flow is not None and self.flow.queues))

    @property
    def newest_tag(self) -> Any:
        """Tag of the frame that was sent for the first time last, of those that are kept."""
        return self._kept[-1].tag

    def start(self) -> None:
        """Begins a new INIT; what was outstanding is given up, and a frame under way is cut off:
        its end after the INIT would pass for that of a frame with a new number."""
        self.lost += [kept.tag for kept in self._kept if kept.tag is not CONTROL]
        if self.flow is not None:
            self.flow.restart()
        self._kept.clear()
        self._kept_bytes = self._frames = 0
        self._words = iter(())
        self.oldest = self.next = self._settings.init_seq
        self.init_data = self.init_data + 1 & _DATA_MASK
        self.init_at = 0
        self.deadline = NEVER
        self._held = None
        self._without_progress = 0
        self.state = SenderState.INIT

    def word(self, now: int) -> RxPins | None:
        """The word of this cycle."""
        pins = next(self._words, None)
        if pins is None and now >= self._not_before and self.up:
            self._begin(now)
            return next(self._words, None)
        return pins

    def link(self, up: bool, now: int) -> None:
        """The link goes down or comes up; the replay timer holds in between."""
        if up == self.up:
            return
        self.up = up
        if not up:
            self._held = self.deadline - now if self.deadline < NEVER else None
            self.deadline = NEVER
        elif self._held is not None:
            self.deadline = now + self._held
            self._held = None

    def expire(self, now: int) -> None:
        """The replay timer has run out."""
        self.deadline = NEVER
        if self.state is SenderState.ADVANCE and self._kept:
            self._replay()

    def echo(self, value: int, data: int, now: int) -> None:
        """An echo of an INIT was received."""
        if self.state is SenderState.INIT and value == self.next and data == self.init_data:
            self.state = SenderState.ADVANCE
            self.init_at = NEVER

    def acknowledge(self, value: int, nack: bool, now: int) -> None:
        """An ACK or NACK was received."""
        if self.state < SenderState.ADVANCE:
            return
        ahead = value + 1 - self.oldest & self._mask
        kept = self._kept
        if ahead > len(kept):
            self.seq_errors += 1
            return
        if ahead:
            self._release(ahead)
            if self.state is SenderState.ADVANCE:
                self._restart(now)
        if nack and kept and (
            self.state is SenderState.ADVANCE or self.oldest != self._replay_from
        ):
            self._replay()

    def _release(self, frames: int) -> None:
        for _ in range(frames):
            freed = self._kept.popleft()
            self._kept_bytes -= freed.size
            if freed.tag is CONTROL:
                continue
            self._frames -= 1
            if self.released is not None:
                self.released(freed.tag)
        self.oldest = self.oldest + frames & self._mask
        # ACKs may overtake a replay.
        self._at = max(0, self._at - frames)
        self._without_progress = 0

    def _restart(self, now: int) -> None:
        timer = self._settings.replay_timer
        self.deadline = now + timer if timer and self._kept else NEVER

    def _replay(self) -> None:
        limit = self._settings.replay_limit
        if limit is not None and self._without_progress >= limit:
            self.start()
            return
        self._without_progress += 1
        self.replays += 1
        self.state = SenderState.REPLAY
        self.deadline = NEVER
        self._at = 0
        self._replay_from = self.oldest

    def _begin(self, now: int) -> None:
        """Finds the next frame, if one may be sent."""
        if self.state is SenderState.REPLAY:
            if self._at < len(self._kept):
                self._send(self._kept[self._at].words, now)
                self._at += 1
                return
            self.state = SenderState.ADVANCE
            self._restart(now)
        if self.state is SenderState.INIT:
            return
        frame = self._waiting
        if frame is None:
            if self.flow is not None:
                frame = self.flow.next(now)
            elif self.queue:
                frame = self.queue.popleft()
            elif self.refill is not None:
                frame = self.refill()
            if frame is None:
                return
        if not frame.eligible or self.state is SenderState.OFF:
            self._waiting = None
            data = poisoned(frame.data) if frame.poisoned else frame.data
            words = partner_words(data, self._settings.word_bytes, None)
            self.first_words += len(words)
            self._send(words, now)
            return
        size = len(frame.data)
        settings = self._settings
        if len(self._kept) >= settings.window_frames or (
            self._kept and self._kept_bytes + size > settings.window_bytes
        ):
            self._waiting = frame
            return
        self._waiting = None
        self._first(frame, now)

    def _first(self, frame: OutFrame, now: int) -> None:
        """First transmission of an eligible frame."""
        data, settings, faults = frame.data, self._settings, self._faults
        if frame.poisoned or (faults and faults.take(Fault.POISON) is not None):
            data = poisoned(data)
        words = partner_words(data, settings.word_bytes, self.next)
        if not self._kept and settings.replay_timer:
            self.deadline = now + settings.replay_timer
        self._kept.append(_Kept(words, len(data), frame.tag))
        self._kept_bytes += len(data)
        self._frames += frame.tag is not CONTROL
        self.next = self.next + 1 & self._mask
        self.first_words += len(words)
        self._send(self._spoiled(words) if faults else words, now)

    def _spoiled(self, words: list[RxPins]) -> list[RxPins]:
        """The words as they go wrong for the first time."""
        faults = self._faults
        if faults.take(Fault.SKIP) is not None:
            return []
        if faults.take(Fault.BAD_FCS) is not None:
            words = [*words[:-1], words[-1]._replace(data=words[-1].data ^ 1)]
        higher = faults.take(Fault.WRONG_SEQ)
        if higher is not None:
            words = [words[0]._replace(seq=words[0].seq + higher & self._mask), *words[1:]]
        if faults.take(Fault.REPEAT) is not None:
            words = words + words
        return words

    def _send(self, words: list[RxPins], now: int) -> None:
        self.all_words += len(words)
        self._words = iter(words)
        self._not_before = now + len(words) + self._settings.gap
