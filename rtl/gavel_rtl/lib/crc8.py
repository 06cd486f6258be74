# SPDX-License-Identifier: Apache-2.0
"""CRC-8 of a message of constant length, as linear algebra over GF(2).

Initial value 0, most significant bit of each byte first, no inversion at the end: every message
bit adds a constant, which is x^(8 + number of bits that follow it) modulo the generator.
"""

from amaranth.hdl import Value, ValueLike

from gavel_rtl.lib.crc import multiply

CRC8_BITS = 8
POLYNOMIAL = 0x07
"""Generator without x^8, bit n = coefficient of x^n (docs/llr.md, Control ordered sets)."""


def _power(exponent: int) -> int:
    """x^``exponent`` modulo the generator."""
    value = 1
    for _ in range(exponent):
        value <<= 1
        if value >> CRC8_BITS:
            value ^= 1 << CRC8_BITS | POLYNOMIAL
    return value


def crc8(message: ValueLike) -> Value:
    """CRC-8 of ``message``: whole bytes, the first of them in bits 7:0. Pass a Signal."""
    message = Value.cast(message)
    columns = []
    for bit in range(len(message)):
        later_bytes = len(message) // 8 - 1 - bit // 8
        columns.append(_power(CRC8_BITS + 8 * later_bytes + bit % 8))
    return multiply(message, tuple(columns), CRC8_BITS)
