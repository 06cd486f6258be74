# SPDX-License-Identifier: Apache-2.0
"""Link faults from the fault sets received (IEEE 802.3, 46.3.4; docs/xgmii.md, XgmiiRx)."""

from __future__ import annotations

from gavel_model.xgmii import Fault

SETS = 4
"""Sets of one kind that raise a fault."""

COLUMNS = 128
"""Columns in a row without a set that clear it."""


class LinkFault:
    """The state machine of one link.

    Attributes
    ----------
    fault
        As visible in the cycle.
    """

    __slots__ = ("_columns", "_kind", "_seen", "fault")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.fault = Fault.NONE
        self._kind = Fault.NONE
        self._seen = 0
        self._columns = 0

    def step(self, column: Fault) -> None:
        """Takes the set that one column holds, `Fault.NONE` if it holds none."""
        if column is Fault.NONE:
            self._columns = min(self._columns + 1, COLUMNS)
            if self._columns == COLUMNS:
                self.fault = Fault.NONE
                self._seen = 0
            return
        self._columns = 0
        self._seen = self._seen + 1 if column is self._kind and self._seen else 1
        self._kind = column
        if self._seen >= SETS:
            self._seen = SETS
            self.fault = column
