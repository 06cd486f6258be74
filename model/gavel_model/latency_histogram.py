# SPDX-License-Identifier: Apache-2.0
"""How long frames took from one end of the switch to the other (docs/telemetry.md, table 2)."""

from __future__ import annotations

from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.frozen_counts import FrozenCounts
from gavel_model.observation import Observation

_BINS = 16
_TIME_MASK = (1 << 32) - 1


class LatencyHistogram:
    """Counts the frames of an input by VC and by the logarithm of their latency.

    Parameters
    ----------
    config
        P, V, K.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._vcs = config.vcs
        self._voqs = config.voqs
        self._least = config.latency_cycles - config.match_stages - 1
        self._counts = FrozenCounts(_BINS * config.vcs)
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._counts.reset()
        self._cycle = 0
        self._filed: list[deque[int]] = [deque() for _ in range(self._voqs)]

    def step(self, seen: Observation, freeze: int) -> None:
        """One cycle.

        Parameters
        ----------
        seen
            What was observed in the cycle before. A frame that is opened without having been filed
            is not counted.
        freeze
            A snapshot was taken in the cycle before: it takes in ``seen``.
        """
        if seen.opened and self._filed[seen.opened_voq]:
            filed = self._filed[seen.opened_voq].popleft()
            latency = self._least + self._cycle - filed & _TIME_MASK
            self._counts.add(_BINS * (seen.opened_voq % self._vcs) + latency_bin(latency))
        if seen.filed:
            self._filed[seen.filed_voq].append(self._cycle)
        if freeze:
            self._counts.freeze()
        self._cycle += 1

    def read(self, entry: int) -> int:
        """An entry of the table as the last snapshot has it; 0 if there is none."""
        return self._counts.read(entry)


def latency_bin(latency: int) -> int:
    """Bin of a latency in cycles: the logarithm less 3, from 0 to 15."""
    return min(max(latency.bit_length() - 4, 0), _BINS - 1)
