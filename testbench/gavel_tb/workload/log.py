# SPDX-License-Identifier: Apache-2.0
"""What happened to every frame, kept compactly; everything reported is computed from it."""

from __future__ import annotations

from array import array


class FrameLog:
    """One row per delivered frame, in order of delivery.

    ``source``, ``target``: ports. ``received``: cycle of the last word on the receive pins.
    ``sent``: cycle of the first word on the transmit pins. ``words``: length in words. Frames
    enter and leave without gaps, so these give every word's cycle.
    """

    def __init__(self) -> None:
        self.source = array("H")
        self.target = array("H")
        self.received = array("Q")
        self.sent = array("Q")
        self.words = array("I")

    def __len__(self) -> int:
        return len(self.source)

    def add(self, source: int, target: int, received: int, sent: int, words: int) -> None:
        """Adds a delivered frame."""
        self.source.append(source)
        self.target.append(target)
        self.received.append(received)
        self.sent.append(sent)
        self.words.append(words)

    def latencies(self) -> list[int]:
        """Cycles from last word in to first word out, in order of delivery."""
        return [out - into for into, out in zip(self.received, self.sent, strict=True)]
