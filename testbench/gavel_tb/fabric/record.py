# SPDX-License-Identifier: Apache-2.0
"""What happened to the frames of a run."""

from __future__ import annotations

from collections import Counter as Tally


class Record:
    """Counts of delivered frames.

    Attributes
    ----------
    latency
        Frames by cycles from the last word on the pins of the source to the first word on those
        of the destination.
    frames, frame_bytes
        Delivered frames, and all their bytes.
    last
        Cycle of the latest delivery.
    """

    def __init__(self) -> None:
        self.latency: Tally[int] = Tally()
        self.frames = 0
        self.frame_bytes = 0
        self.last = 0

    def delivered(self, latency: int, size: int, cycle: int) -> None:
        """A frame of ``size`` bytes has come, in ``cycle`` with its last word."""
        self.latency[latency] += 1
        self.frames += 1
        self.frame_bytes += size
        if cycle > self.last:
            self.last = cycle
