# SPDX-License-Identifier: Apache-2.0
"""Words that a link carries over time, in bins that grow with the run."""

from __future__ import annotations

BINS = 256


class Usage:
    """Counts words per bin of 2**``shift`` cycles; bins are joined in pairs when they run out.

    Attributes
    ----------
    total
        All words.
    """

    __slots__ = ("_counts", "shift", "total")

    def __init__(self) -> None:
        self.shift = 4
        self.total = 0
        self._counts = [0] * BINS

    def add(self, cycle: int) -> None:
        """A word in a cycle."""
        self.total += 1
        place = cycle >> self.shift
        if place >= BINS:
            self.coarsen(cycle)
            place = cycle >> self.shift
        self._counts[place] += 1

    def coarsen(self, cycle: int) -> None:
        """Joins bins until a cycle has one."""
        while cycle >> self.shift >= BINS:
            pairs = zip(self._counts[::2], self._counts[1::2], strict=True)
            self._counts = [first + second for first, second in pairs] + [0] * (BINS // 2)
            self.shift += 1

    def bins(self, cycles: int) -> list[int]:
        """Words in each bin of the first so many cycles; all links of a run have the same bins."""
        self.coarsen(max(0, cycles - 1))
        return self._counts[: -(-cycles >> self.shift)]
