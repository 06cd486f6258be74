# SPDX-License-Identifier: Apache-2.0
"""Sequence numbers of the transmitter of link-level retry (docs/llr.md, 6.3)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.llr_timers import TIMER_MASK
from gavel_model.replay_buffer import ReplayBuffer

_OLDEST, _NEXT, _SEND, _USED = 3, 23, 43, 63
"""Where the members of probe point ``llr_tx`` stand, above the state."""


class LlrWindow:
    """Which frames are outstanding, and the release of those that are acknowledged.

    Attributes
    ----------
    oldest
        Number of the oldest frame not acknowledged.
    next
        Number of the next first transmission.
    send
        Number of the frame being launched or to be launched next.
    released
        Frames before it have given back their words.
    freeing
        A release is under way.
    watched
        ``oldest`` as visible in the cycle before, None if nothing was outstanding in it.
    """

    __slots__ = (
        "_buffer", "_freed", "_seq_mask", "freeing", "next", "oldest", "released", "send",
        "watched",
    )

    def __init__(self, config: SwitchConfig, buffer: ReplayBuffer) -> None:
        self._seq_mask = (1 << config.seq_bits) - 1
        self._buffer = buffer
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.begin_at(0)
        self.freeing = False
        self._freed = 0
        self.watched: int | None = None

    def begin_at(self, number: int) -> None:
        """Nothing is outstanding, and the next frame has this number."""
        self.oldest = self.next = self.send = self.released = number

    @property
    def outstanding(self) -> int:
        """Frames sent and not acknowledged."""
        return self.next - self.oldest & self._seq_mask

    @property
    def behind(self) -> bool:
        """An ACK has gone past the reader."""
        return self.send - self.oldest & self._seq_mask > self.outstanding

    @property
    def settled(self) -> bool:
        """Everything acknowledged is released."""
        return self.released == self.oldest and not self.freeing

    @property
    def index(self) -> int:
        """Place of frame ``send`` among the frames kept in the buffer."""
        return self.send - self.released & self._seq_mask

    def packed(self) -> int:
        """Probe point ``llr_tx``, but for the state."""
        return (self.oldest << _OLDEST | self.next << _NEXT | self.send << _SEND
                | self._buffer.used << _USED)

    def too_old(self, now: int, limit: int) -> bool:
        """The oldest frame is, in a cycle without progress; ``limit`` 0 is none."""
        if not limit or not self.outstanding or self.watched != self.oldest:
            return False
        frame = self._buffer.kept[self.oldest - self.released & self._seq_mask]
        return now - frame.sent_at & TIMER_MASK >= limit

    def acknowledge(self, number: int) -> int | None:
        """All frames up to this number have arrived: returns how many of them are new, or None if
        the number is outside of the window."""
        new = number + 1 - self.oldest & self._seq_mask
        if new > self.outstanding:
            return None
        self.oldest = self.oldest + new & self._seq_mask
        return new

    def sent(self, first: bool) -> None:
        """The last word of frame ``send`` was launched, for the first time or again."""
        self.send = self.send + 1 & self._seq_mask
        if first:
            self.next = self.next + 1 & self._seq_mask

    def rewind(self, replay: bool) -> None:
        """The reader goes back to the oldest frame, or gives up all that were sent."""
        if not replay:
            self.oldest = self.next
        self.send = self.oldest

    def release(self, oldest: int, may: bool) -> None:
        """Part of a cycle: ends the release of the cycle before, and starts one if it may.

        ``oldest`` is as visible in the cycle.
        """
        self._buffer.used -= self._freed
        self._freed = 0
        self.freeing = may and self.released != oldest
        if self.freeing:
            self._freed = self._buffer.release(oldest - self.released & self._seq_mask)
            self.released = oldest
