# SPDX-License-Identifier: Apache-2.0
"""Credits of a frame (docs/flow_control.md, Credits of a frame)."""

from __future__ import annotations

from gavel_fast.compiled import compiled
from gavel_model.register_map import CREDIT_BITS, CreditUnit

CREDIT_MASK = (1 << CREDIT_BITS) - 1
"""Where credit counters wrap."""

_SIZE = int(CreditUnit.SIZE)
_SIZE_MASK = 7
_LEAST_SHIFT = 5
_OVERHEAD = int(CreditUnit.OVERHEAD)
_BYTE = 0xFF
_SIGN = 0x80


@compiled
def credits_of(unit: int, length: int) -> int:
    """Credits of a frame of ``length`` bytes, FCS included; ``unit`` is ``CBFC_SENDER`` or
    ``CBFC_RECEIVER``."""
    shift = _LEAST_SHIFT + (unit >> _SIZE & _SIZE_MASK)
    overhead = unit >> _OVERHEAD & _BYTE
    if overhead & _SIGN:
        overhead -= 2 * _SIGN
    return length + overhead + (1 << shift) - 1 >> shift
