# SPDX-License-Identifier: Apache-2.0
"""The most cells and credits of a port that were ever in use (docs/telemetry.md, chapter 5)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.observation import Observation


class Watermarks:
    """The largest values observed since the watermarks were cleared.

    Parameters
    ----------
    config
        V.

    Attributes
    ----------
    cells
        Of the ingress buffer.
    vc_cells, credits_used
        Of each VC.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._vcs = config.vcs
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.cells = 0
        self.vc_cells = [0] * self._vcs
        self.credits_used = [0] * self._vcs

    def step(self, seen: Observation, clear: int) -> None:
        """One cycle.

        Parameters
        ----------
        seen
            What was observed in the cycle before.
        clear
            The watermarks were cleared in the cycle before: they forget ``seen``, too.
        """
        if clear:
            self.reset()
            return
        self.cells = max(self.cells, seen.cells)
        self.vc_cells = [max(pair) for pair in zip(self.vc_cells, seen.vc_cells, strict=True)]
        self.credits_used = [max(pair) for pair in zip(self.credits_used, seen.credits_used,
                                                       strict=True)]
