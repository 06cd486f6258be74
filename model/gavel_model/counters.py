# SPDX-License-Identifier: Apache-2.0
"""Counters of a port (docs/spec.md, Counters)."""

from __future__ import annotations

import struct

from gavel_model.register_map import COUNTER_BITS, COUNTERS

_MASK = (1 << COUNTER_BITS) - 1
_PACK = struct.Struct(f"<{COUNTERS}I")


class Counters:
    """Wrapping 32-bit counters, indexed by `gavel_model.register_map.Counter`."""

    __slots__ = ("_changed", "_packed", "_values")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._values = [0] * COUNTERS
        self._packed = 0
        self._changed = False

    def __getitem__(self, number: int) -> int:
        return self._values[number]

    def add(self, number: int, amount: int) -> None:
        """Adds ``amount`` to a counter."""
        values = self._values
        values[number] = values[number] + amount & _MASK
        self._changed = True

    def packed(self) -> int:
        """All counters as one number, counter 0 in the low 32 bits."""
        if self._changed:
            self._packed = int.from_bytes(_PACK.pack(*self._values), "little")
            self._changed = False
        return self._packed
