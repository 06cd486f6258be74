# SPDX-License-Identifier: Apache-2.0
"""Output register and queue in front of the transmit pins (docs/spec.md, LinkTx)."""

from __future__ import annotations

from collections import deque

from gavel_model.pins import TxPins

HOLD_WORDS = 4
"""Words in the queue from which on no more words are read for this output."""


class LinkTx:
    """Transmit side of a port's link.

    Attributes
    ----------
    shown
        The word on the pins, or None.
    hold
        No word may be read for this output, as visible from the next cycle.
    """

    __slots__ = ("_queue", "hold", "shown")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.shown: TxPins | None = None
        self.hold = False
        self._queue: deque[TxPins] = deque()

    def step(self, word: TxPins | None, ready: int) -> None:
        """Takes the word that `Egress` gives, if any, and pin ``ready`` (0 or not 0)."""
        queue = self._queue
        if queue:
            if word is not None:
                queue.append(word)
            if ready:
                self.shown = queue.popleft()
            self.hold = len(queue) >= HOLD_WORDS
        elif ready or self.shown is None:
            self.shown = word
        elif word is not None:
            queue.append(word)
