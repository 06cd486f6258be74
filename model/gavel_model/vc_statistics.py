# SPDX-License-Identifier: Apache-2.0
"""Frames and bytes of each VC at the two ends of a port (docs/telemetry.md, tables 0 and 1)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.frozen_counts import FrozenCounts
from gavel_model.observation import Observation

_PER_VC = 4
_FRAMES, _BYTES, _DROPPED = range(3)


class VcStatistics:
    """Counts what a port files, drops and sends, by VC; a snapshot freezes the counts.

    Parameters
    ----------
    config
        V.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._vcs = config.vcs
        self._ingress = FrozenCounts(_PER_VC * config.vcs)
        self._egress = FrozenCounts(_PER_VC * config.vcs)

    def reset(self) -> None:
        """Reset values."""
        self._ingress.reset()
        self._egress.reset()

    def step(self, seen: Observation, freeze: int) -> None:
        """One cycle.

        Parameters
        ----------
        seen
            What was observed in the cycle before.
        freeze
            A snapshot was taken in the cycle before: it takes in ``seen``.
        """
        ingress, egress = self._ingress, self._egress
        if seen.filed:
            first = _PER_VC * (seen.filed_voq % self._vcs)
            ingress.add(first + _FRAMES)
            ingress.add(first + _BYTES, seen.filed_length)
        if seen.dropped:
            ingress.add(_PER_VC * seen.dropped_vc + _DROPPED)
        if seen.sent:
            first = _PER_VC * seen.sent_vc
            egress.add(first + _FRAMES)
            egress.add(first + _BYTES, seen.sent_length)
        if freeze:
            ingress.freeze()
            egress.freeze()

    def read_ingress(self, entry: int) -> int:
        """An entry of table 0 as the last snapshot has it; 0 if there is none."""
        return self._ingress.read(entry)

    def read_egress(self, entry: int) -> int:
        """An entry of table 1 as the last snapshot has it; 0 if there is none."""
        return self._egress.read(entry)
