# SPDX-License-Identifier: Apache-2.0
"""Preambles with and without a sequence number: the one place where they are made and read.

Layout: UEC 1.0.x as its implementers describe it; the check byte is ours (docs/llr.md).
"""

from __future__ import annotations

from gavel_model.crc8 import crc8

PREAMBLE_BYTES = 8
SEQ_BITS = 20
START = 0xFB
"""Byte 0, the Start control character of XGMII."""

SFD = 0xD5
_FILL = 0x55
_MARK = 0x7
"""Low nibble of byte 1 of a preamble with a sequence number; in an ordinary one it is 5."""

PLAIN = bytes((START, *[_FILL] * 6, SFD))
"""The preamble of a frame that link-level retry does not look after (IEEE 802.3, 46.2.2)."""


def encode(seq: int | None, protect: bool) -> bytes:
    """The eight bytes, Start first.

    Parameters
    ----------
    seq
        20-bit sequence number, or None for an ineligible frame.
    protect
        Byte 4 is the CRC-8 of bytes 1...3 and byte 5 its complement [ours], so that no fewer than
        nine flipped bits make an ordinary preamble of it; otherwise both are 0x55, the public
        layout.

    Raises
    ------
    ValueError
        If the sequence number does not fit.
    """
    if seq is None:
        return PLAIN
    if seq < 0 or seq >> SEQ_BITS:
        raise ValueError(f"seq = {seq}: must be in 0...{(1 << SEQ_BITS) - 1}")
    body = bytes((seq >> 16 << 4 | _MARK, seq >> 8 & 0xFF, seq & 0xFF))
    if not protect:
        return bytes((START, *body, _FILL, _FILL, _FILL, SFD))
    check = crc8(body)
    return bytes((START, *body, check, check ^ 0xFF, _FILL, SFD))


def decode(preamble: bytes, protect: bool) -> tuple[int, int] | None:
    """(llr, seq): (1, number), or (0, 0) for an ordinary preamble; None if it is neither.

    A preamble that is neither belongs to a frame that is not to be trusted: it is treated as
    ineligible and bad, and the next frame shows the gap.
    """
    if preamble == PLAIN:
        return 0, 0
    first = preamble[1]
    seq = first >> 4 << 16 | preamble[2] << 8 | preamble[3]
    return (1, seq) if first & 0xF == _MARK and preamble == encode(seq, protect) else None
