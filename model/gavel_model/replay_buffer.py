# SPDX-License-Identifier: Apache-2.0
"""Replay buffer and its reader (docs/llr.md, 6.1 and 6.2)."""

from __future__ import annotations

from collections import deque
from enum import Enum

from gavel_model.config import SwitchConfig
from gavel_model.link_tx import LinkTx
from gavel_model.outgoing_frame import OutgoingFrame
from gavel_model.pins import TxPins


class Launch(Enum):
    """What is done with a frame whose first word is in register B."""

    WAIT = 0
    KEEP = 1
    PLAIN = 2
    DROP = 3


_KEEP = Launch.KEEP
_DROP = Launch.DROP
_WAIT = Launch.WAIT


class LaunchRegister:
    """Register L: ``word`` is the word in it, or None."""

    __slots__ = ("word",)

    def __init__(self) -> None:
        self.word: TxPins | None = None


class ReplayBuffer:
    """Frames from `Egress` until they need not be sent again.

    Words come without gaps within a frame, so once the first word of a frame is written the
    others are there in time, and the words themselves stay with their frame: the ring accounts
    for words. Register B holds the word at ``position`` of the frame that is read, if it is
    ``held``.

    Attributes
    ----------
    waiting, unsent, used
        As the specification says.
    uncounted
        Matches that are not in ``waiting`` and ``used``, those of this cycle first: of it and of as
        many before as ``gate_stages`` says.
    unsent_frames
        Frames of which a word is written and the last word not launched for the first time.
    kept
        Frames launched and not released, oldest first.
    held
        B holds a word.
    launched
        Register that a launched word goes to: O, or L with ``launch_stages`` = 1.
    mid
        The first word of a frame is launched, and its last is not.
    frame, decision, first
        The frame of the latest launch, what is done with it, and whether this is its first
        transmission.
    """

    __slots__ = (
        "_end", "_link_tx", "_max_words", "_position", "_stages", "_words", "decision", "first",
        "frame", "held", "kept", "launched", "mid", "uncounted", "unsent", "unsent_frames", "used",
        "waiting",
    )

    def __init__(self, config: SwitchConfig, link_tx: LinkTx) -> None:
        self._max_words = config.max_frame_words
        self._stages = config.gate_stages
        self._link_tx = link_tx
        self.launched: LinkTx | LaunchRegister = link_tx
        if config.launch_stages:
            self.launched = LaunchRegister()
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.waiting = 0
        self.uncounted = [0] * (1 + self._stages)
        self.unsent = 0
        self.used = 0
        self.unsent_frames: deque[OutgoingFrame] = deque()
        self.kept: deque[OutgoingFrame] = deque()
        self.held = False
        self.mid = False
        self.frame = OutgoingFrame([], False, False)
        self.decision = _WAIT
        self.first = False
        self._words: list[TxPins] = []
        self._position = 0
        self._end = 0
        self.launched.word = None

    @property
    def busy(self) -> bool:
        """There are words to be fetched, or in B, L or O."""
        return bool(self._link_tx.word is not None or self.held or self.unsent_frames
                    or self.launched.word is not None)

    @property
    def launching(self) -> bool:
        """L holds a word, as visible in the cycle."""
        return self.launched is not self._link_tx and self.launched.word is not None

    def show(self) -> None:
        """First part of a cycle in which O is free, with ``launch_stages`` = 1: the word in L goes
        to O, and `launch` or `pass_on` writes L."""
        self._link_tx.word = self.launched.word

    def matched(self) -> None:
        """A frame for this output is matched: room for a longest one is reserved, at once or by
        `reserve`."""
        if self._stages:
            self.uncounted[0] = 1
        else:
            self._reserve()

    def reserve(self) -> None:
        """Last part of a cycle with ``gate_stages`` > 0: a match of so many cycles before counts
        from the next one on."""
        if self.uncounted.pop():
            self._reserve()
        self.uncounted.insert(0, 0)

    def _reserve(self) -> None:
        self.waiting += 1
        self.used += self._max_words

    def write(self, word: TxPins, frame: OutgoingFrame) -> None:
        """Last part of a cycle: the word that `Egress` gives in it."""
        self.unsent += 1
        if word.sop:
            self.unsent_frames.append(frame)
        if word.eop:
            self.used -= self._max_words - len(frame.words)

    def launch(self, decision: Launch, index: int, seq: int, free: object) -> bool:
        """Launches the word in B if it may; ``launched`` is emptied if O is free and it gets none.

        Parameters
        ----------
        decision
            What is to be done with a frame if B holds its first word.
        index
            Place of that frame in ``kept``, or the number of those if it is the first of
            ``unsent_frames``.
        seq
            Its number, if it is to be kept.
        free
            O is free (true or false).

        Returns
        -------
        Whether the last word of ``frame`` was launched or dropped.
        """
        launched = self.launched
        if self.mid:
            decision = self.decision
        if not self.held or decision is _WAIT or not (free or decision is _DROP):
            if free:
                launched.word = None
            return False
        if not self.mid:
            self._begin(decision, index)
        self.held = False
        position = self._position
        word = self._words[position]
        if decision is _KEEP and not position:
            word = word._replace(llr=1, seq=seq)
        if decision is not _DROP:
            launched.word = word
        elif free:
            launched.word = None
        if self.first:
            self.unsent -= 1
        self._position = position = position + 1
        ended = position == self._end
        self.mid = not ended
        return ended

    def pass_on(self, free: object) -> None:
        """`launch` and `fetch` where every frame goes out plainly and none is kept."""
        if free:
            if self.held:
                if not self.mid:
                    self._begin(Launch.PLAIN, 0)
                position = self._position
                self.launched.word = self._words[position]
                self.unsent -= 1
                self._position = position = position + 1
                self.mid = position < self._end
                if not self.mid:
                    self.forget()
                self.held = self.mid or bool(self.unsent_frames)
                return
            self.launched.word = None
        if not self.held:
            self.held = bool(self.unsent_frames)

    def _begin(self, decision: Launch, index: int) -> None:
        kept = self.kept
        self.decision = decision
        self.first = index == len(kept)
        self.frame = frame = self.unsent_frames[0] if self.first else kept[index]
        self._words = frame.words
        self._position = 0
        self._end = len(frame.words)

    def fetch(self, index: int) -> None:
        """Fetches the next word into B, if B is empty and the word is written.

        ``index`` is the place of the next frame as in `launch`, after this cycle's launch.
        """
        if not self.held:
            self.held = self.mid or index < len(self.kept) or bool(self.unsent_frames)

    def keep(self, now: int) -> None:
        """The first transmission of ``frame`` has ended; it stays until it is released."""
        self.frame.sent_at = now
        self.waiting -= 1
        self.kept.append(self.unsent_frames.popleft())

    def forget(self) -> None:
        """The last word of ``frame``, which is not kept, has been launched or dropped."""
        self.waiting -= 1
        self.used -= len(self.unsent_frames.popleft().words)

    def release(self, frames: int) -> int:
        """Lets the oldest kept frames go; returns their words, still counted in ``used``."""
        kept = self.kept
        return sum(len(kept.popleft().words) for _ in range(frames))
