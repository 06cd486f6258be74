# SPDX-License-Identifier: Apache-2.0
"""CRC-32 of IEEE 802.3 as linear algebra over GF(2): constants in Python, steps in Amaranth.

The register is kept reflected: bit 0 is the coefficient of x^31, bytes enter least significant
bit first, and the FCS is the complement of the register, least significant byte first. A number
here is either such a register or, in `data_columns`, what one data bit adds to it. All constants
follow from `POLYNOMIAL`.
"""

from functools import cache

from amaranth.hdl import Cat, Const, Value, ValueLike

CRC_BITS = 32
POLYNOMIAL = 0x04C11DB7
"""Generator without x^32, bit n = coefficient of x^n (IEEE 802.3, 3.2.9)."""

INITIAL = (1 << CRC_BITS) - 1
REFLECTED = int(f"{POLYNOMIAL:0{CRC_BITS}b}"[::-1], 2)


@cache
def advance(state: int, bits: int) -> int:
    """The register after ``bits`` zero bits: ``state`` times x^bits modulo the generator."""
    for _ in range(bits):
        state = (state >> 1) ^ (REFLECTED if state & 1 else 0)
    return state


@cache
def retreat(state: int, bits: int) -> int:
    """The register ``bits`` zero bits ago: what `advance` makes ``state`` of."""
    for _ in range(bits):
        last = state >> CRC_BITS - 1
        state = (state ^ (REFLECTED if last else 0)) << 1 | last
    return state


@cache
def data_columns(bits: int) -> tuple[int, ...]:
    """What each bit of a ``bits``-bit word, bit 0 first on the wire, adds to the register."""
    columns = [REFLECTED]
    for _ in range(bits - 1):
        columns.append(advance(columns[-1], 1))
    return tuple(reversed(columns))


@cache
def state_columns(bits: int) -> tuple[int, ...]:
    """What each bit of the old register adds to the new one when ``bits`` bits pass."""
    return tuple(advance(1 << bit, bits) for bit in range(CRC_BITS))


@cache
def rows(columns: tuple[int, ...], outputs: int = CRC_BITS) -> tuple[int, ...]:
    """The matrix by rows: for each output bit, the mask of the input bits that it is the XOR of."""
    return tuple(
        sum((column >> output & 1) << index for index, column in enumerate(columns))
        for output in range(outputs)
    )


def residue(zero_bytes: int = 0, mask: int = 0) -> int:
    """The register after a frame with its FCS, and then ``zero_bytes`` zero bytes.

    The FCS is the good one exclusive-or ``mask``.
    """
    return advance(INITIAL ^ mask, CRC_BITS + 8 * zero_bytes)


def multiply(value: ValueLike, columns: tuple[int, ...], outputs: int = CRC_BITS) -> Value:
    """Matrix times vector: the low ``outputs`` bits, each the XOR of some of ``value``'s bits.

    ``value`` is used once for each output bit: pass a Signal, not a large expression.
    """
    value = Value.cast(value)
    return Cat((value & Const(mask, len(value))).xor() for mask in rows(columns, outputs))


def crc32_data(word: ValueLike, outputs: int = CRC_BITS) -> Value:
    """What ``word`` adds to the register by itself, its CRC from a register of 0: low bits."""
    word = Value.cast(word)
    return multiply(word, data_columns(len(word)), outputs)


def crc32_of(octets: ValueLike, outputs: int = CRC_BITS) -> Value:
    """Low bits of the CRC of ``octets``, byte 0 in bits 7:0. Pass a Signal."""
    octets = Value.cast(octets)
    ends = advance(INITIAL, len(octets)) ^ INITIAL
    return crc32_data(octets, outputs) ^ Const(ends, CRC_BITS)[:outputs]


def crc32_advance(state: ValueLike, zero_bytes: int) -> Value:
    """The register ``state`` (32 bits) after ``zero_bytes`` zero bytes."""
    return multiply(state, state_columns(8 * zero_bytes))


def crc32_retreat(state: ValueLike, zero_bytes: int) -> Value:
    """The register ``state`` (32 bits) ``zero_bytes`` zero bytes ago. Pass a Signal."""
    return multiply(state, tuple(retreat(1 << bit, 8 * zero_bytes) for bit in range(CRC_BITS)))


def crc32_step(state: ValueLike, word: ValueLike) -> Value:
    """The register after ``word``, whose bit 0 is first on the wire, from register ``state``."""
    word = Value.cast(word)
    return crc32_data(word) ^ crc32_advance(state, len(word) // 8)
