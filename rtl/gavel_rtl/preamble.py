# SPDX-License-Identifier: Apache-2.0
"""Preambles with and without a sequence number (docs/llr.md), as they are made and read."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike

from gavel_model.pins import SEQ_BITS
from gavel_rtl.lib.crc8 import crc8

PREAMBLE_BITS = 64
_START = Const(0xFB, 8)
_FILL = Const(0x55, 8)
_SFD = Const(0xD5, 8)
_PLAIN = Cat(_START, *[_FILL] * 6, _SFD)
_MARK = Const(0x7, 4)
"""Low nibble of byte 1 of an eligible preamble."""

_BODY_BITS = 24
"""Bytes 1 to 3: mark and sequence number."""


class Preamble(NamedTuple):
    """What a preamble says; ``good`` is 0 if it is none, ``llr`` and ``seq`` are then 0."""

    good: Signal
    llr: Signal
    seq: Signal


def _checks(m: Module, body: Value, protect: ValueLike) -> Value:
    """Bytes 4 and 5."""
    bits = Signal(_BODY_BITS, name="preamble_body")
    check = Signal(8, name="preamble_check")
    m.d.comb += [bits.eq(body), check.eq(crc8(bits))]
    return Mux(protect, Cat(check, ~check), Cat(_FILL, _FILL))


def encode(m: Module, llr: ValueLike, seq: Value, protect: ValueLike) -> Value:
    """The eight bytes, Start in the low bits.

    Parameters
    ----------
    m
        Module to work in.
    llr, seq
        Eligible, and its sequence number; an ordinary preamble otherwise.
    protect
        Check bytes on.
    """
    body = Cat(_MARK, seq[16:20], seq[8:16], seq[0:8])
    return Mux(llr, Cat(_START, body, _checks(m, body, protect), _FILL, _SFD), _PLAIN)


def decode(m: Module, data: Value, protect: ValueLike) -> Preamble:
    """What the eight bytes ``data``, Start in the low bits, say. Pass a Signal."""
    body = data[8:32]
    found = Preamble(Signal(name="preamble_good"), Signal(name="preamble_llr"),
                     Signal(SEQ_BITS, name="preamble_seq"))
    wanted = Cat(_START, _MARK, data[12:32], _checks(m, body, protect), _FILL, _SFD)
    m.d.comb += found.llr.eq(data == wanted)
    m.d.comb += found.good.eq(found.llr | (data == _PLAIN))
    with m.If(found.llr):
        m.d.comb += found.seq.eq(Cat(data[24:32], data[16:24], data[12:16]))
    return found
