# SPDX-License-Identifier: Apache-2.0
"""Header profiles applied to a frame (docs/spec.md, Parser)."""

from __future__ import annotations

import numpy as np

from gavel_fast.compiled import Ints, compiled
from gavel_fast.received_frame import PROFILE, REASON, VC, ReceivedFrames
from gavel_fast.sizes import VCS
from gavel_model.mac_control import MAC_CONTROL_ADDRESS, MAC_CONTROL_ETHERTYPE
from gavel_model.profiles import (
    DSCP_PLACES,
    PCP_DEI,
    PROFILES,
    TAG_BITS,
    TAGGED,
    Field,
    Match,
)
from gavel_model.register_map import CLASS_FROM_SHIFT, ClassFrom, Counter, Port, VcMatch

HEADER_LANES = 3
"""The parser's 24 bytes, as numbers of eight bytes."""

NO_FIELD = -1
"""Instead of the offset of a field that a profile does not have."""

DST = 0
DST_WIDTH = 1
_CLASS = 2
_CLASS_WIDTH = 3
_CLASS_WHEN_TAGGED = 4
ECN = 5
TTL = 6
TTL_WIDTH = 7
_ESUN = 8
_COUNT = 9
_ECN_WIDTH = 2

_ETHERNET = 0
_PROFILES = len(PROFILES)
_NUMBER_MASK = 7
_CLASS_FROM_MASK = 3
_PCP_DEI = int(ClassFrom.PCP_DEI)
_DSCP = int(ClassFrom.DSCP)
_CODE_BITS = 6
_CODE_MASK = (1 << _CODE_BITS) - 1
_MATCH_MASK = int(VcMatch.MASK)
_MATCH_VALUE = int(VcMatch.VALUE)
_NIBBLE = 15

_ETHERTYPE, _TAG = TAGGED.field.offset, TAGGED.value
_ETHERTYPE_WIDTH = TAGGED.field.width
_PCP, _PCP_WIDTH = PCP_DEI
_IPV4, _IPV4_DSCP = DSCP_PLACES[0][0].value, DSCP_PLACES[0][1].offset
_IPV6, _IPV6_DSCP = DSCP_PLACES[1][0].value, DSCP_PLACES[1][1].offset
_TAG_BITS = TAG_BITS

_PROFILE = int(Port.PROFILE)
_VC_MAP = int(Port.VC_MAP)
_VC_MATCH = int(Port.VC_MATCH)
_MAC_CONTROL = int(Counter.RX_MAC_CONTROL)
_HEADER = int(Counter.RX_HEADER)
_TTL = int(Counter.RX_TTL)


def _in_lanes(matches: tuple[Match, ...]) -> list[list[int]]:
    """Mask and value of each lane, byte 0 of it in the upper bits; a value that is a register
    counts as no condition."""
    masks = values = 0
    bits = 64 * HEADER_LANES
    for field, value in matches:
        if value is not None:
            shift = bits - field.offset - field.width
            masks |= (1 << field.width) - 1 << shift
            values |= value << shift
    return [[number >> bits - 64 * (lane + 1) & (1 << 64) - 1 for lane in range(HEADER_LANES)]
            for number in (masks, values)]


def _signed(rows: list[list[list[int]]]) -> Ints:
    return np.array(rows, np.uint64).view(np.int64)


_CONDITIONS = _signed([_in_lanes(profile.match) for profile in PROFILES])
"""(profiles, mask and value, lanes)."""

_CONTROL = _signed([_in_lanes((
    Match(Field(0, 48), MAC_CONTROL_ADDRESS), Match(Field(96, 16), MAC_CONTROL_ETHERTYPE)))])


def _fields() -> Ints:
    rows = np.full((_PROFILES, _COUNT), NO_FIELD, np.int64)
    for row, profile in zip(rows, PROFILES, strict=True):
        row[DST], row[DST_WIDTH] = profile.dst
        row[_CLASS], row[_CLASS_WIDTH] = profile.traffic_class
        assert profile.class_when in (None, TAGGED)
        row[_CLASS_WHEN_TAGGED] = profile.class_when is not None
        if profile.ecn is not None:
            assert profile.ecn.width == _ECN_WIDTH
            row[ECN] = profile.ecn.offset
        if profile.ttl is not None:
            row[TTL], row[TTL_WIDTH] = profile.ttl
        row[_ESUN] = any(match.value is None for match in profile.match)
    return rows


FIELDS_OF_PROFILES = _fields()
"""(profiles, `DST`...)."""




@compiled
def reversed_bytes(lane: int) -> int:
    """The eight bytes of a lane in the other order."""
    value = 0
    for n in range(8):
        value = value << 8 | lane >> 8 * n & 0xFF
    return value


@compiled
def read_field(header: tuple[int, int, int], offset: int, width: int) -> int:
    """Value of a field of 1...63 bits that lies within eight bytes that begin at a multiple of
    eight."""
    lane = header[2] if offset >= 128 else header[1] if offset >= 64 else header[0]
    return lane >> 64 - (offset & 63) - width & (1 << width) - 1


@compiled
def _holds(conditions: Ints, n: int, header: tuple[int, int, int]) -> bool:
    return (header[0] & conditions[n, 0, 0] == conditions[n, 1, 0]
            and header[1] & conditions[n, 0, 1] == conditions[n, 1, 1]
            and header[2] & conditions[n, 0, 2] == conditions[n, 1, 2])


@compiled
def parse(
    frames: ReceivedFrames, registers: Ints, sizes: Ints, esun_ethertype: int, p: int, place: int
) -> int:
    """Sets profile and VC of a good frame, or its reason if it is not to go on; returns its
    destination.

    The VC is also set if the reason is the TTL.
    """
    info = frames.info
    header = (reversed_bytes(frames.head[p, place, 0]), reversed_bytes(frames.head[p, place, 1]),
              reversed_bytes(frames.head[p, place, 2]))
    if _holds(_CONTROL, 0, header):
        info[p, place, REASON] = _MAC_CONTROL
        return 0
    number = registers[p, _PROFILE] & _NUMBER_MASK
    if number >= _PROFILES:
        number = _ETHERNET
    fields = FIELDS_OF_PROFILES
    if not _holds(_CONDITIONS, number, header) or (
        fields[number, _ESUN]
        and read_field(header, _ETHERTYPE, _ETHERTYPE_WIDTH) != esun_ethertype
    ):
        info[p, place, REASON] = _HEADER
        return 0
    info[p, place, VC] = _vc(registers, sizes, p, number, header)
    ttl = fields[number, TTL]
    if ttl != NO_FIELD and read_field(header, ttl, fields[number, TTL_WIDTH]) < 2:
        info[p, place, REASON] = _TTL
        return 0
    info[p, place, PROFILE] = number
    return read_field(header, fields[number, DST], fields[number, DST_WIDTH])


@compiled
def vc_of_class(registers: Ints, sizes: Ints, p: int, number: int) -> int:
    """VC of a class by register ``VC_MAP``."""
    return min(registers[p, _VC_MAP] >> 4 * number & _NIBBLE, sizes[VCS] - 1)


@compiled
def _vc(
    registers: Ints, sizes: Ints, p: int, number: int, header: tuple[int, int, int]
) -> int:
    tagged = read_field(header, _ETHERTYPE, _ETHERTYPE_WIDTH) == _TAG
    class_from = registers[p, _PROFILE] >> CLASS_FROM_SHIFT & _CLASS_FROM_MASK
    if number == _ETHERNET and (class_from == _PCP_DEI or class_from == _DSCP):
        if class_from == _DSCP:
            code = _dscp(header, tagged)
        else:
            code = read_field(header, _PCP, _PCP_WIDTH) if tagged else 0
        for vc in range(sizes[VCS]):
            item = registers[p, _VC_MATCH + vc]
            mask = item >> _MATCH_MASK & _CODE_MASK
            if code & mask == item >> _MATCH_VALUE & mask:
                return vc
        return 0
    fields = FIELDS_OF_PROFILES
    if fields[number, _CLASS_WHEN_TAGGED] and not tagged:
        return vc_of_class(registers, sizes, p, 0)
    return vc_of_class(registers, sizes, p, read_field(
        header, fields[number, _CLASS], fields[number, _CLASS_WIDTH]))


@compiled
def _dscp(header: tuple[int, int, int], tagged: bool) -> int:
    """The DSCP of IPv4 or IPv6; 0 of all others."""
    further = _TAG_BITS if tagged else 0
    ethertype = read_field(header, _ETHERTYPE + further, _ETHERTYPE_WIDTH)
    if ethertype == _IPV4:
        return read_field(header, _IPV4_DSCP + further, _CODE_BITS)
    if ethertype == _IPV6:
        return read_field(header, _IPV6_DSCP + further, _CODE_BITS)
    return 0
