# SPDX-License-Identifier: Apache-2.0
"""What a record of telemetry says of a port (docs/telemetry.md, Records)."""

from __future__ import annotations

from typing import NamedTuple

from gavel_model.record_format import PORT, SUMS


class Sample(NamedTuple):
    """A port in one cycle: fields of `gavel_model.record_format.PORT`.

    Attributes
    ----------
    rx_bytes, tx_bytes, cells
        As in the `Observation`.
    blocked
        As `gavel_model.stall_account.StallAccount.step` returns.
    corrected, uncorrectable
        Events of the link (chapter 6).
    dropped
        Counters of `gavel_model.register_map.DROPS` that count.
    """

    rx_bytes: int = 0
    tx_bytes: int = 0
    cells: int = 0
    blocked: int = 0
    corrected: int = 0
    uncorrectable: int = 0
    dropped: int = 0


class RecordSums:
    """Sums and the largest number of cells over an interval."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """An interval begins."""
        self._values = dict.fromkeys(PORT, 0)

    def step(self, sample: Sample) -> None:
        """Takes in a cycle."""
        values = self._values
        for name in SUMS:
            values[name] = min(values[name] + getattr(sample, name), (1 << PORT[name]) - 1)
        values["cells"] = max(values["cells"], sample.cells)

    def fields(self, events: int) -> dict[str, int]:
        """What the record says, with register ``EVENTS`` of the port."""
        return self._values | {"events": events}
