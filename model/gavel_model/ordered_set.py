# SPDX-License-Identifier: Apache-2.0
"""Control ordered sets of link-level retry: the one place where they are made and read.

Layout: UEC 1.0.x as its implementers describe it; the check byte is ours (docs/llr.md).
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from gavel_model.crc8 import crc8

VALUE_BITS = 20
"""Bits of the value that a set carries, a sequence number."""

DATA_BITS = 16
"""Bits of the init data of INIT and INIT_ECHO."""

_NIBBLE = 0x6
_BODY_BYTES = 6
_CHECK_SHIFT = 8 * _BODY_BYTES
_VALUE_LIMIT = (1 << VALUE_BITS) - 1
_DATA_LIMIT = (1 << DATA_BITS) - 1


class Kind(IntEnum):
    """D1 of the sets of link-level retry."""

    ACK = 0x01
    NACK = 0x02
    INIT = 0x03
    INIT_ECHO = 0x04


WITH_DATA = (Kind.INIT, Kind.INIT_ECHO)
"""Kinds that carry init data; in the others D5 and D6 are 0."""


class OrderedSet(NamedTuple):
    """A set of link-level retry.

    Attributes
    ----------
    kind
        What it says.
    value
        20-bit sequence number.
    data
        16-bit init data; 0 in ACK and NACK.
    """

    kind: Kind
    value: int
    data: int = 0


def encode(item: OrderedSet, protect: bool) -> int:
    """The 56 bits D1...D7, D1 in bits 7:0.

    Parameters
    ----------
    protect
        D7 is the CRC-8 of D1...D6 [ours]; otherwise it is 0, the public layout.

    Raises
    ------
    ValueError
        If value or data do not fit.
    """
    kind, value, data = item
    if not 0 <= value <= _VALUE_LIMIT:
        raise ValueError(f"value = {value}: must be in 0...{_VALUE_LIMIT}")
    if not 0 <= data <= (_DATA_LIMIT if kind in WITH_DATA else 0):
        raise ValueError(f"data = {data}: must be in 0...{_DATA_LIMIT}, and 0 in ACK and NACK")
    body = bytes((kind, value >> 12, value >> 4 & 0xFF, (value & 0xF) << 4 | _NIBBLE,
                  data >> 8, data & 0xFF))
    check = crc8(body) if protect else 0
    return int.from_bytes(body, "little") | check << _CHECK_SHIFT


def decode(ctl: int, protect: bool, seq_bits: int = VALUE_BITS) -> OrderedSet | None:
    """The set, or None if it is not a valid one of link-level retry.

    Parameters
    ----------
    ctl
        D1...D7, D1 in bits 7:0.
    protect
        As in `encode`.
    seq_bits
        Bits of a sequence number; a value with more is not valid.
    """
    body = (ctl & (1 << _CHECK_SHIFT) - 1).to_bytes(_BODY_BYTES, "little")
    kind = body[0]
    if not Kind.ACK <= kind <= Kind.INIT_ECHO or body[3] & 0xF != _NIBBLE:
        return None
    value = body[1] << 12 | body[2] << 4 | body[3] >> 4
    data = body[4] << 8 | body[5]
    if value >> seq_bits or (data and kind <= Kind.NACK):
        return None
    if ctl >> _CHECK_SHIFT != (crc8(body) if protect else 0):
        return None
    return OrderedSet(Kind(kind), value, data)
