# SPDX-License-Identifier: Apache-2.0
"""Snapshots at random, for the benches of what they freeze."""

from __future__ import annotations

import random

SETTLED = 31
"""Cycles after a snapshot in which nothing is read, and none is taken (docs/telemetry.md)."""


class RandomSnapshots:
    """Often as soon as may be, and long times without.

    Parameters
    ----------
    rng
        Decides when.
    last
        Cycle of the last one, or the first cycle behind it in which there can be one.

    Attributes
    ----------
    settled
        What was frozen may be read in this cycle.
    finished
        And it is of the last snapshot.
    """

    def __init__(self, rng: random.Random, last: int) -> None:
        self._rng, self._last = rng, last
        self._cycle = -1
        self._taken = self._cycle - SETTLED
        self.settled = self.finished = False

    def next(self) -> bool:
        """Whether there is one in the next cycle."""
        self._cycle += 1
        since = self._cycle - self._taken
        # The blocks are told one cycle after it was taken.
        self.settled = since >= SETTLED
        self.finished = self.settled and self._taken >= self._last
        if since <= SETTLED or self._taken >= self._last:
            return False
        taken = (self._cycle >= self._last
                 or self._rng.random() < (0.5 if since < SETTLED + 3 else 0.01))
        if taken:
            self._taken = self._cycle
        return taken
