# SPDX-License-Identifier: Apache-2.0
"""What a self-test frame looks like, as data (docs/selftest.md, Frames)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.frame import build_header
from gavel_model.profiles import FABRIC_PREFIX, HEADER_BYTES, PROFILE_NAMES, PROFILES, Field
from gavel_model.register_map import config_values

STAMP_BYTES = 16
HEAD_BYTES = HEADER_BYTES + STAMP_BYTES
"""Header and stamp; the payload follows."""

LINE_RATE = 1 << 16
"""Register ``LOAD`` at one word in each cycle."""

SEQUENCE_BITS = 16
LENGTH_BITS = 16
COUNT_BITS = 56
"""Width of a count: none comes round in a day at a word in each nanosecond."""

COUNT_ROWS = 16
"""Cycles in which the counts take their turns."""

TIME_BITS = 24
GROUP_BYTES = 8
"""The payload ends at a multiple of these; a tail of fewer bytes follows, then the FCS."""

PRBS_BITS = 31
PRBS_TAP = 28
"""PRBS31: bit n = bit n-31 XOR bit n-28 (ITU-T O.150)."""

DRAW_BITS = 32
XORSHIFT = (13, -17, 5)
"""Shifts of the generator of random numbers, to the left if positive (Marsaglia, Xorshift RNGs,
2003): period 2**32 - 1."""

LENGTH_DRAW, CLASS_DRAW, DESTINATION_DRAW = (0, 16), (16, 6), (22, 10)
"""Bits of a draw that decide length, class and destination: first bit and number."""

_TTL = 15
_ID_BITS = 16
_ADDRESS_BITS = 48

STAMP = {
    "source": Field(192, 8),
    "destination": Field(200, 8),
    "class": Field(208, 8),
    "payload": Field(216, 8),
    "length": Field(224, LENGTH_BITS),
    "sequence": Field(240, SEQUENCE_BITS),
    "time": Field(264, TIME_BITS),
    "seed": Field(288, DRAW_BITS),
}
"""Fields behind the header, drawn as those of `gavel_model.profiles`."""

PORT_BITS = 8
"""Width of a port number in header and stamp."""


def _low(field: Field, width: int) -> Field:
    return Field(field.offset + field.width - width, width)


class FrameFormat:
    """The first 40 bytes of the frames that a switch tests itself with.

    Attributes
    ----------
    constant
        Those bytes as a number, byte 0 on top, with all that changes 0.
    header
        Where destination port, source port and class stand in the header.
    edited
        Bits that the switch may change on the way: the TTL.
    classes
        Traffic classes C, the VCs that the header can name.

    Parameters
    ----------
    config
        Its ``profile`` decides the header.
    """

    def __init__(self, config: SwitchConfig) -> None:
        row = PROFILES[PROFILE_NAMES.index(config.profile)]
        self.classes = config_values(config)["classes"]
        self.header = {
            "destination": _low(row.dst, PORT_BITS),
            "source": _low(row.src, PORT_BITS),
            "class": row.traffic_class,
        }
        self.edited = () if row.ttl is None else (row.ttl,)
        address = FABRIC_PREFIX << _ID_BITS if row.dst.width == _ADDRESS_BITS else 0
        header = build_header(config.profile, dst=address, src=address,
                              ttl=0 if row.ttl is None else _TTL,
                              esun_ethertype=config.esun_ethertype)
        self.constant = int.from_bytes(header.ljust(HEAD_BYTES, b"\0"), "big")

    @property
    def edited_mask(self) -> int:
        """Bits of ``edited``."""
        return sum(_placed(field, (1 << field.width) - 1) for field in self.edited)


def _placed(field: Field, value: int) -> int:
    return value << 8 * HEAD_BYTES - field.offset - field.width


def xorshift(value: int) -> int:
    """The draw after ``value``, which is not 0."""
    for shift in XORSHIFT:
        moved = value << shift if shift > 0 else value >> -shift
        value ^= moved & (1 << DRAW_BITS) - 1
    return value
