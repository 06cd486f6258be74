# SPDX-License-Identifier: Apache-2.0
"""What arrives while load is offered, of each VC, and who lacks credits meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_tb.llr_deliveries import Deliveries
from gavel_tb.partner.device import LlrPartner


class LoadFigures:
    """Looks at the second half of the time in which frames begin.

    Parameters
    ----------
    config, deliveries, partners
        What is looked at.
    middle
        Cycle from which on arrivals and credits count.

    Attributes
    ----------
    due
        Cycle from which on `step` is to be called in every cycle, until `end`.
    """

    def __init__(
        self, config: SwitchConfig, deliveries: Deliveries, partners: Sequence[LlrPartner],
        middle: int,
    ) -> None:
        self._config = config
        self._deliveries = deliveries
        self.due = middle
        self._credits = [partner.flow.credits for partner in partners if partner.flow is not None]
        self._without = [[0] * len(self._credits) for _ in range(config.vcs)]
        self._began: int | None = None
        self._before = [0] * config.vcs
        self._figures: dict[str, Any] = {}

    def step(self, cycle: int) -> None:
        """Counts a cycle."""
        if self._began is None:
            self._began = cycle
            self._before = list(self._deliveries.bytes_of_vc)
        for vc, row in enumerate(self._without):
            for port, account in enumerate(self._credits):
                if not account.fits(vc, MIN_FRAME_BYTES):
                    row[port] += 1

    def end(self, cycle: int) -> None:
        """No further frames begin."""
        self.due = 1 << 62
        cycles = max(1, cycle - (self._began or 0))
        capacity = self._config.ports * self._config.word_bytes * cycles
        counted = zip(self._deliveries.bytes_of_vc, self._before, strict=True)
        self._figures = {
            "rate_of_vc": [(after - before) / capacity for after, before in counted],
            "ports_without_credits": [sum(2 * count > cycles for count in row)
                                      for row in self._without],
        }

    def figures(self) -> dict[str, Any]:
        """Of the second half: ``rate_of_vc``, share of the links' capacity; and
        ``ports_without_credits``, for each VC the partners that could not have sent its shortest
        frame in more than half of these cycles."""
        return self._figures
