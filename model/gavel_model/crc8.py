# SPDX-License-Identifier: Apache-2.0
"""CRC-8 that guards ordered sets and preambles where protection is on (docs/llr.md) [ours]."""

from __future__ import annotations

POLYNOMIAL = 0x07
"""x^8 + x^2 + x + 1 (that of ATM header error control, ITU-T I.432.1). Up to 119 bits of message
any three flipped bits are found."""

_TOP = 0x80
_BYTE = 0xFF


def _row(value: int) -> int:
    for _ in range(8):
        value = (value << 1 ^ POLYNOMIAL if value & _TOP else value << 1) & _BYTE
    return value


_TABLE = tuple(_row(value) for value in range(256))


def crc8(data: bytes) -> int:
    """CRC-8 of ``data``: initial value 0, most significant bit first, no final inversion."""
    value = 0
    for byte in data:
        value = _TABLE[value ^ byte]
    return value
