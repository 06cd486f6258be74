# SPDX-License-Identifier: Apache-2.0
"""Preambles with and without a sequence number (docs/llr.md), as they are made and read."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike

from gavel_rtl.lib.crc8 import crc8

PREAMBLE_BITS = 64
CHECK_BITS = 8
_START = Const(0xFB, 8)
_FILL = Const(0x55, 8)
_SFD = Const(0xD5, 8)
_PLAIN = Cat(_START, *[_FILL] * 6, _SFD)
_MARK = Const(0x7, 4)
"""Low nibble of byte 1 of an eligible preamble."""

_BODY_BITS = 24
"""Bytes 1 to 3: mark and sequence number."""


def check_byte(m: Module, seq: Value) -> Signal:
    """Byte 4 with ``protect``, of the preamble with this number; byte 5 is its complement."""
    bits = Signal(_BODY_BITS, name="preamble_body")
    check = Signal(CHECK_BITS, name="preamble_check")
    m.d.comb += [bits.eq(_body(seq)), check.eq(crc8(bits))]
    return check


def _body(seq: Value) -> Value:
    return Cat(_MARK, seq[16:20], seq[8:16], seq[0:8])


def encode(llr: ValueLike, seq: Value, check: Value, protect: ValueLike) -> Value:
    """The eight bytes, Start in the low bits.

    Parameters
    ----------
    llr, seq
        Eligible, and its sequence number; an ordinary preamble otherwise.
    check
        `check_byte` of the number.
    protect
        Check bytes on.
    """
    checks = Mux(protect, Cat(check, ~check), Cat(_FILL, _FILL))
    return Mux(llr, Cat(_START, _body(seq), checks, _FILL, _SFD), _PLAIN)


class Head(NamedTuple):
    """What the first half of a preamble, Start first, says of the whole."""

    plain: Value
    marked: Value
    check: Value


def decode_head(column: Value) -> Head:
    """The first four bytes: begin of an ordinary and of an eligible preamble, and the check byte of
    this one. Start itself is not looked at. Pass a Signal."""
    body = column[8:]
    return Head(body == _PLAIN[8:PREAMBLE_BITS // 2], body[:len(_MARK)] == _MARK, crc8(body))


def decode(head: Head, column: Value, protect: ValueLike) -> tuple[Value, Value]:
    """Whether the eight bytes are an ordinary, and whether they are an eligible preamble; the last
    four are ``column``. Pass Signals."""
    plain = column == _PLAIN[PREAMBLE_BITS // 2:]
    checked = column == Cat(head.check, ~head.check, _FILL, _SFD)
    return head.plain & plain, head.marked & Mux(protect, checked, plain)


def sequence(column: Value) -> Value:
    """The number in the first four bytes of an eligible preamble."""
    return Cat(column[24:32], column[16:24], column[12:16])
