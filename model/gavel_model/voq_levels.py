# SPDX-License-Identifier: Apache-2.0
"""How full the VOQs of an input are, and were at most (docs/telemetry.md, table 3)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.observation import Observation


class VoqLevels:
    """Cells in each VOQ, and the most since the watermarks were cleared.

    Parameters
    ----------
    config
        P, V.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._voqs = config.voqs
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._cells = [0] * self._voqs
        self._most = [0] * self._voqs

    def step(self, seen: Observation, clear: int) -> None:
        """One cycle.

        Parameters
        ----------
        seen
            What was observed in the cycle before; no frame is opened that was not filed.
        clear
            The watermarks were cleared in the cycle before: they forget ``seen``, too.
        """
        cells, most = self._cells, self._most
        if seen.filed:
            voq = seen.filed_voq
            cells[voq] += seen.filed_cells
            most[voq] = max(most[voq], cells[voq])
        if seen.opened:
            cells[seen.opened_voq] -= seen.opened_cells
        if clear:
            self._most = [0] * self._voqs

    def read(self, entry: int) -> int:
        """An entry of the table as it is now; 0 if there is none."""
        voq, is_watermark = divmod(entry, 2)
        if voq >= self._voqs:
            return 0
        return (self._most if is_watermark else self._cells)[voq]
