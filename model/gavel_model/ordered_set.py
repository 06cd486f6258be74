# SPDX-License-Identifier: Apache-2.0
"""Control ordered sets: the one place where they are made and read.

Layout: UEC 1.0.x as its implementers describe it; the check bits are ours (docs/llr.md,
docs/flow_control.md).
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from gavel_model.crc8 import crc8

VALUE_BITS = 20
"""Bits of the value that a set carries, a sequence number."""

DATA_BITS = 16
"""Bits of the init data of INIT and INIT_ECHO."""

CF_BITS = 15
"""Bits of a count of freed credits in CF_Update."""

VC_BITS = 5
"""Bits of a VC in CF_Update."""

CF_UPDATE = 0x10
"""D1 of CF_Update, the ordered set of credits."""

# Both ends of a link, and whoever watches them, read the same set.
_REMEMBERED = 4096
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


@lru_cache(maxsize=_REMEMBERED)
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


class CreditUpdate(NamedTuple):
    """A CF_Update: for two VCs the low 15 bits of the count of freed credits.

    Attributes
    ----------
    vc, freed
        Entry 0.
    second_vc, second_freed
        Entry 1.
    """

    vc: int
    freed: int
    second_vc: int
    second_freed: int


_CHECKED_VCS = 8
_CHECK_MASK = 0x0F_00_C0_00_00_C0_00
"""The check bits in D1...D7, D1 in bits 7:0."""


def encode_credits(item: CreditUpdate, protect: bool) -> int:
    """The 56 bits D1...D7 of a CF_Update, D1 in bits 7:0.

    Parameters
    ----------
    protect
        Eight bits are the CRC-8 of the rest [ours], and VCs have three bits; otherwise the public
        layout.

    Raises
    ------
    ValueError
        If a VC or a count does not fit.
    """
    vcs = _CHECKED_VCS if protect else 1 << VC_BITS
    words = []
    for vc, freed in (item[:2], item[2:]):
        if not 0 <= vc < vcs:
            raise ValueError(f"VC = {vc}: must be in 0...{vcs - 1}")
        if not 0 <= freed < 1 << CF_BITS:
            raise ValueError(f"freed = {freed}: must be in 0...{(1 << CF_BITS) - 1}")
        words.append(vc << CF_BITS | freed)
    first, second = words
    content = bytes((CF_UPDATE, first >> 12, first >> 4 & 0xFF, (first & 0xF) << 4 | _NIBBLE,
                     second >> 12, second >> 4 & 0xFF, (second & 0xF) << 4))
    ctl = int.from_bytes(content, "little")
    return ctl | _spread(crc8(content)) if protect else ctl


@lru_cache(maxsize=_REMEMBERED)
def decode_credits(ctl: int, protect: bool) -> CreditUpdate | None:
    """The CF_Update, or None if it is not a valid one.

    Parameters
    ----------
    ctl
        D1...D7, D1 in bits 7:0.
    protect
        As in `encode_credits`.
    """
    d = ctl.to_bytes(7, "little")
    if d[0] != CF_UPDATE or d[3] & 0xF != _NIBBLE:
        return None
    content = ctl & ~_CHECK_MASK if protect else ctl
    if protect:
        if ctl & _CHECK_MASK != _spread(crc8(content.to_bytes(7, "little"))):
            return None
    elif d[6] & 0xF:
        return None
    d = content.to_bytes(7, "little")
    first = d[1] << 12 | d[2] << 4 | d[3] >> 4
    second = d[4] << 12 | d[5] << 4 | d[6] >> 4
    limit = (1 << CF_BITS) - 1
    return CreditUpdate(first >> CF_BITS, first & limit, second >> CF_BITS, second & limit)


def _spread(check: int) -> int:
    """The eight check bits in their places: upper bits of both VC fields, low nibble of D7."""
    return check >> 6 << 14 | (check >> 4 & 3) << 38 | (check & 0xF) << 48
