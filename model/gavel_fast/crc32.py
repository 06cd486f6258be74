# SPDX-License-Identifier: Apache-2.0
"""CRC-32 of IEEE 802.3, 3.2.9, eight bytes at a time.

Values are those of the register: the CRC without the final inversion. Method: slicing by eight
(Kounavis and Berry, 2005).
"""

from __future__ import annotations

import numpy as np

from gavel_fast.compiled import compiled

FIRST = 0xFFFFFFFF
"""The register before the first byte."""

_POLYNOMIAL = 0xEDB88320
_SLICES = 8


def _tables() -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Row n: what a byte does to the register when n bytes of zeros follow it."""
    rows = np.zeros((_SLICES, 256), np.int64)
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        rows[0, byte] = value
    for n in range(1, _SLICES):
        rows[n] = rows[n - 1] >> 8 ^ rows[0][rows[n - 1] & 0xFF]
    return rows


_TABLES = _tables()


@compiled
def add_lane(crc: int, lane: int) -> int:
    """The register after eight more bytes, the first in bits 7:0 of ``lane``."""
    mixed = lane ^ crc
    return (
        _TABLES[7, mixed & 0xFF] ^ _TABLES[6, mixed >> 8 & 0xFF]
        ^ _TABLES[5, mixed >> 16 & 0xFF] ^ _TABLES[4, mixed >> 24 & 0xFF]
        ^ _TABLES[3, mixed >> 32 & 0xFF] ^ _TABLES[2, mixed >> 40 & 0xFF]
        ^ _TABLES[1, mixed >> 48 & 0xFF] ^ _TABLES[0, mixed >> 56 & 0xFF]
    )


@compiled
def add_bytes(crc: int, lane: int, count: int) -> int:
    """The register after the first ``count`` (0...8) bytes of ``lane``."""
    for n in range(count):
        crc = crc >> 8 ^ _TABLES[0, (crc ^ lane >> 8 * n) & 0xFF]
    return crc
