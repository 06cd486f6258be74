# SPDX-License-Identifier: Apache-2.0
"""Scheduler that matches by the requests of the cycle before, ``match_stages`` = 1 (docs/spec.md,
Requests a cycle earlier)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gavel_model.config import SwitchConfig
from gavel_model.scheduler import Match, Scheduler


class LateScheduler(Scheduler):
    """What it is told takes effect one cycle later than in a `Scheduler`; which inputs and outputs
    are free is that of the cycle, as there. ``ready`` alone is that of the cycle, for those who
    observe it; all other attributes are those of the cycle before, or state of its own."""

    __slots__ = ("_allow_now", "_coming", "_matched", "_shown")

    def __init__(self, config: SwitchConfig, allow: list[int]) -> None:
        self._allow_now = allow
        super().__init__(config, allow.copy())

    def reset(self) -> None:
        """Reset values."""
        super().reset()
        self._allow[:] = self._allow_now
        self._shown = [[0] * self._ports for _ in range(self._ports)]
        self._coming: list[Callable[[], None]] = []
        self._matched = 0

    @property
    def ready(self) -> list[list[int]]:
        """For each output and input the VCs that are shown in the cycle, a mask."""
        return self._shown

    @property
    def resting(self) -> bool:
        """A step changes nothing."""
        return super().resting and not self._coming and not self._matched

    def voq_filled(self, i: int, j: int, v: int) -> None:
        """VOQ (j, v) of input i is shown."""
        self._shown[j][i] |= 1 << v
        self._coming.append(partial(super().voq_filled, i, j, v))

    def voq_emptied(self, i: int, j: int, v: int) -> None:
        """VOQ (j, v) of input i is no longer shown."""
        self._shown[j][i] &= ~(1 << v)
        self._coming.append(partial(super().voq_emptied, i, j, v))

    def allow_changed(self, j: int) -> None:
        """`FlowControl` has changed the mask of output j."""
        self._coming.append(partial(self._permit, j, self._allow_now[j]))

    def _permit(self, j: int, vcs: int) -> None:
        self._allow[j] = vcs
        super().allow_changed(j)

    def serve(self, j: int, weights: list[int] | None, strict: int) -> None:
        """Settings of output j."""
        self._coming.append(partial(super().serve, j, weights, strict))

    def limit_bypass(self, limit: int) -> None:
        """Register ``BYPASS_LIMIT`` is written."""
        self._coming.append(partial(super().limit_bypass, limit))

    def step(self, free_inputs: int, free_outputs: int, unknown: int = 0) -> list[Match]:
        """Makes the matches of a cycle."""
        matches = super().step(free_inputs, free_outputs, unknown | self._matched)
        self._matched = sum(1 << i for i, _, _ in matches)
        coming, self._coming = self._coming, []
        for change in coming:
            change()
        return matches
