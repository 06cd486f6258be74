# SPDX-License-Identifier: Apache-2.0
"""Counts that a snapshot freezes (docs/telemetry.md, Snapshot)."""

from __future__ import annotations

TABLE_BITS = 48
"""Width of an entry of a table."""


class FrozenCounts:
    """Counts by number, and what they were at the last `freeze`.

    Parameters
    ----------
    entries
        How many.
    bits
        Width of each; they wrap.
    """

    __slots__ = ("_entries", "_frozen", "_live", "_mask")

    def __init__(self, entries: int, bits: int = TABLE_BITS) -> None:
        self._entries = entries
        self._mask = (1 << bits) - 1
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._live = [0] * self._entries
        self._frozen = [0] * self._entries

    def add(self, entry: int, amount: int = 1) -> None:
        """Counts ``amount``."""
        self._live[entry] = self._live[entry] + amount & self._mask

    def freeze(self) -> None:
        """From now on `read` gives what the counts are now."""
        self._frozen = self._live[:]

    def read(self, entry: int) -> int:
        """An entry as it was at the last `freeze`; 0 before the first, and if there is none."""
        return self._frozen[entry] if entry < self._entries else 0
