# SPDX-License-Identifier: Apache-2.0
"""Control ordered sets, made and read (docs/llr.md, docs/flow_control.md)."""

from __future__ import annotations

from gavel_fast.compiled import compiled
from gavel_fast.crc8 import crc8_of
from gavel_model import ordered_set as model
from gavel_model.ordered_set import Kind

ACK = int(Kind.ACK)
NACK = int(Kind.NACK)
INIT = int(Kind.INIT)
INIT_ECHO = int(Kind.INIT_ECHO)
CF_UPDATE = model.CF_UPDATE

CF_BITS = model.CF_BITS
CF_MASK = (1 << CF_BITS) - 1

_NIBBLE = 0x6
_BODY_BYTES = 6
_CHECK_SHIFT = 8 * _BODY_BYTES
_SET_BYTES = 7
_CREDIT_CHECK = 0x0F_00_C0_00_00_C0_00
"""The check bits of a CF_Update in D1...D7, D1 in bits 7:0."""


@compiled
def _three(number: int, low: int) -> int:
    """20 bits and a nibble as three bytes, the most significant first in bits 7:0."""
    return number >> 12 | (number >> 4 & 0xFF) << 8 | ((number & 0xF) << 4 | low) << 16


@compiled
def _number(bits: int) -> int:
    """The 20 bits of `_three`."""
    return (bits & 0xFF) << 12 | (bits >> 8 & 0xFF) << 4 | bits >> 20 & 0xF


@compiled
def encode(kind: int, value: int, data: int) -> int:
    """The 56 bits D1...D7 of a set of link-level retry, D1 in bits 7:0, without its check."""
    return kind | _three(value, _NIBBLE) << 8 | (data >> 8) << 32 | (data & 0xFF) << 40


@compiled
def protected(ctl: int) -> int:
    """A set with its check."""
    if ctl & 0xFF == CF_UPDATE:
        return ctl | _spread(crc8_of(ctl, _SET_BYTES))
    return ctl | crc8_of(ctl, _BODY_BYTES) << _CHECK_SHIFT


@compiled
def kind_of(ctl: int, protect: int, seq_mask: int) -> int:
    """D1 of a valid set of link-level retry or of a valid CF_Update; 0 of all others."""
    kind = ctl & 0xFF
    if ctl >> 24 & 0xF != _NIBBLE:
        return 0
    if kind == CF_UPDATE:
        if protect:
            check = crc8_of(ctl & ~_CREDIT_CHECK, _SET_BYTES)
            return kind if ctl & _CREDIT_CHECK == _spread(check) else 0
        return 0 if ctl >> 48 & 0xF else kind
    if kind < ACK or kind > INIT_ECHO or value_of(ctl) > seq_mask:
        return 0
    if kind <= NACK and data_of(ctl):
        return 0
    check = crc8_of(ctl, _BODY_BYTES) if protect else 0
    return kind if ctl >> _CHECK_SHIFT == check else 0


@compiled
def value_of(ctl: int) -> int:
    """The 20-bit value."""
    return _number(ctl >> 8)


@compiled
def data_of(ctl: int) -> int:
    """The init data."""
    return (ctl >> 32 & 0xFF) << 8 | ctl >> 40 & 0xFF


@compiled
def encode_credits(vc: int, freed: int, second_vc: int, second_freed: int) -> int:
    """The 56 bits D1...D7 of a CF_Update, D1 in bits 7:0, without its check."""
    return (CF_UPDATE | _three(vc << CF_BITS | freed, _NIBBLE) << 8
            | _three(second_vc << CF_BITS | second_freed, 0) << 32)


@compiled
def entry(ctl: int, number: int, protect: int) -> int:
    """Entry 0 or 1 of a CF_Update: VC above `CF_BITS` bits of CF."""
    content = ctl & ~_CREDIT_CHECK if protect else ctl
    return _number(content >> (32 if number else 8))


@compiled
def _spread(check: int) -> int:
    """The eight check bits in their places: upper bits of both VC fields, low nibble of D7."""
    return check >> 6 << 14 | (check >> 4 & 3) << 38 | (check & 0xF) << 48
