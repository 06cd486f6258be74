# SPDX-License-Identifier: Apache-2.0
"""The counters of a port with 64 bits, frozen by a snapshot (docs/telemetry.md, Snapshot)."""

from __future__ import annotations

from gavel_model.frozen_counts import FrozenCounts
from gavel_model.observation import Observation
from gavel_model.register_map import COUNTERS, Counter

TOTAL_BITS = 64
"""Width of a counter in a snapshot."""


class FrozenTotals:
    """What the counters of a port would be with 64 bits, and what they were at a snapshot."""

    def __init__(self) -> None:
        self._totals = FrozenCounts(COUNTERS, TOTAL_BITS)

    def reset(self) -> None:
        """Reset values."""
        self._totals.reset()

    def step(self, seen: Observation, freeze: int) -> None:
        """One cycle.

        Parameters
        ----------
        seen
            What was observed in the cycle before.
        freeze
            A snapshot was taken in the cycle before: it takes in ``seen``.
        """
        totals, events = self._totals, seen.count
        while events:
            lowest = events & -events
            totals.add(lowest.bit_length() - 1)
            events -= lowest
        totals.add(Counter.RX_BYTES, seen.rx_bytes)
        totals.add(Counter.TX_BYTES, seen.tx_bytes)
        if freeze:
            totals.freeze()

    def read(self, counter: int) -> int:
        """A counter as the last snapshot has it, 64 bits; 0 before, and if there is none."""
        return self._totals.read(counter)
