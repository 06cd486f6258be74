# SPDX-License-Identifier: Apache-2.0
"""Errors of a link in windows of time (docs/telemetry.md, Health of a link)."""

from __future__ import annotations

from typing import NamedTuple

from gavel_model.observation import Observation
from gavel_model.register_map import Counter

LARGEST = (1 << 24) - 1
"""Where a count stops."""

_CORRECTED = 1 << Counter.LLR_TX_REPLAY | 1 << Counter.LLR_RX_REPLAY
_UNCORRECTABLE = (1 << Counter.LLR_TX_FLUSH | 1 << Counter.RX_ERR | 1 << Counter.RX_FCS
                  | 1 << Counter.RX_FRAGMENT)


def corrected(seen: Observation) -> int:
    """Errors that link-level retry repairs, 0...2."""
    return (seen.count & _CORRECTED).bit_count()


def uncorrectable(seen: Observation) -> int:
    """Errors that it does not repair, 0...4."""
    return (seen.count & _UNCORRECTABLE).bit_count()


class Alarms(NamedTuple):
    """Whether a count has come to its limit in a cycle."""

    corrected: bool
    uncorrectable: bool


class LinkHealth:
    """Counts both over windows.

    Attributes
    ----------
    corrected, uncorrectable
        Registers ``CORRECTED``, ``UNCORRECTABLE`` as visible in the cycle.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.corrected = self.uncorrectable = 0
        self._counts = (0, 0)
        self._elapsed = 0

    def step(self, seen: Observation, *, window: int, limits: tuple[int, int],
             window_written: bool = False) -> Alarms:
        """One cycle.

        Parameters
        ----------
        seen
            What was observed in the cycle before.
        window, limits
            Registers ``HEALTH_WINDOW`` and ``CORRECTED_LIMIT``, ``UNCORRECTABLE_LIMIT`` as visible
            in this cycle.
        window_written
            ``HEALTH_WINDOW`` is written in this cycle: what is observed in it is the first of a
            window.
        """
        alarms = Alarms(False, False)
        if window:
            before = self._counts
            after = (min(before[0] + corrected(seen), LARGEST),
                     min(before[1] + uncorrectable(seen), LARGEST))
            alarms = Alarms(*(was < limit <= now for was, now, limit
                              in zip(before, after, limits, strict=True)))
            self._counts = after
            self._elapsed += 1
            if self._elapsed == window:
                self.corrected, self.uncorrectable = after
                self._begin()
        if window_written:
            self._begin()
        return alarms

    def _begin(self) -> None:
        self._counts = (0, 0)
        self._elapsed = 0
