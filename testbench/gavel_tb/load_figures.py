# SPDX-License-Identifier: Apache-2.0
"""What arrives while load is offered, of each VC, and what is full when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_tb.llr_deliveries import Deliveries
from gavel_tb.partner.device import LlrPartner


class LoadFigures:
    """Looks at a run in the middle and at the end of the time in which frames begin.

    Parameters
    ----------
    config, deliveries, partners
        What is looked at.
    middle
        Cycle from which on arrivals count.

    Attributes
    ----------
    due
        Cycle in which `begin` is to be called.
    """

    def __init__(
        self, config: SwitchConfig, deliveries: Deliveries, partners: Sequence[LlrPartner],
        middle: int,
    ) -> None:
        self._config = config
        self._deliveries = deliveries
        self._partners = partners
        self.due = middle
        self._began = 0
        self._before = [0] * config.vcs
        self._figures: dict[str, Any] = {}

    def begin(self, cycle: int) -> None:
        """From now on arrivals count."""
        self.due = 1 << 62
        self._began = cycle
        self._before = list(self._deliveries.bytes_of_vc)

    def end(self, cycle: int) -> None:
        """No further frames begin."""
        capacity = self._config.ports * self._config.word_bytes * max(1, cycle - self._began)
        counted = zip(self._deliveries.bytes_of_vc, self._before, strict=True)
        flows = [partner.flow for partner in self._partners if partner.flow is not None]
        self._figures = {
            "rate_of_vc": [(after - before) / capacity for after, before in counted],
            "ports_without_credits": [
                sum(not flow.credits.fits(vc, MIN_FRAME_BYTES) for flow in flows)
                for vc in range(self._config.vcs)
            ],
        }

    def figures(self) -> dict[str, Any]:
        """``rate_of_vc``: share of the links' capacity in the second half; and
        ``ports_without_credits``: partners that could not send the shortest frame of each VC at the
        end."""
        return self._figures
