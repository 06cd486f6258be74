# SPDX-License-Identifier: Apache-2.0
"""Counters of a port (docs/spec.md, Counters)."""

from __future__ import annotations

import struct

from gavel_model.register_map import COUNTER_BITS, COUNTERS

COUNTER_MASK = (1 << COUNTER_BITS) - 1
"""Where a counter wraps."""

_PACK = struct.Struct(f"<{COUNTERS}I")


class Counters:
    """Wrapping 32-bit counters, indexed by `gavel_model.register_map.Counter`.

    Attributes
    ----------
    values
        The counters. Who writes to them wraps them and sets ``changed``, as `add` does.
    changed
        ``values`` were written to since the last `packed`.
    """

    __slots__ = ("_packed", "changed", "values")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.values = [0] * COUNTERS
        self._packed = 0
        self.changed = False

    def __getitem__(self, number: int) -> int:
        return self.values[number]

    def add(self, number: int, amount: int) -> None:
        """Adds ``amount`` to a counter."""
        values = self.values
        values[number] = values[number] + amount & COUNTER_MASK
        self.changed = True

    def packed(self) -> int:
        """All counters as one number, counter 0 in the low 32 bits."""
        if self.changed:
            self._packed = int.from_bytes(_PACK.pack(*self.values), "little")
            self.changed = False
        return self._packed
