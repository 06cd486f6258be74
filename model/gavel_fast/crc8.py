# SPDX-License-Identifier: Apache-2.0
"""CRC-8 of ordered sets (docs/llr.md), over lanes instead of bytes."""

from __future__ import annotations

import numpy as np

from gavel_fast.compiled import compiled
from gavel_model.crc8 import crc8

_TABLE = np.array([crc8(bytes((value,))) for value in range(256)], np.int64)


@compiled
def crc8_of(content: int, count: int) -> int:
    """CRC-8 of the first ``count`` bytes of ``content``, the first in bits 7:0."""
    value = 0
    for n in range(count):
        value = _TABLE[value ^ (content >> 8 * n & 0xFF)]
    return value
