# SPDX-License-Identifier: Apache-2.0
"""Receiver side of credits with a register before the choice of what CF_Update says,
``gate_stages`` = 2 (docs/flow_control.md, Receiver, Choice)."""

from __future__ import annotations

from gavel_model.alarm import NEVER
from gavel_model.credit_receiver import Choice, CreditReceiver


class LateCreditReceiver(CreditReceiver):
    """The choice is made of the keys of the cycle before, but for what was told in it."""

    __slots__ = ("_keys_before", "_settled_at")

    def reset(self) -> None:
        """Reset values."""
        super().reset()
        self._keys_before = [0] * self._vcs
        self._settled_at = 0

    def wake_at(self, now: int) -> int:
        """The next cycle after ``now`` with work, if nothing happens."""
        return now + 1 if self._stale or now < self._settled_at else NEVER

    def _next_choice(self, now: int) -> Choice:
        if self._stale:
            self._stale = False
            # What has changed is in the keys of this cycle, and in the choice of the next.
            self._settled_at = now + 1
        chosen = self._choose(self._keys_before)
        self._keys_before = self._keys()
        if self._loaded:
            first, second, _ = self._chosen
            self._keys_before[first] = self._keys_before[second] = 0
        return chosen
