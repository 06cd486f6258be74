# SPDX-License-Identifier: Apache-2.0
"""Frames as bytes: frame check sequence, headers of every profile, words of a port."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from gavel_model.config import FCS_BYTES
from gavel_model.profiles import PROFILE_NAMES, PROFILES, Field, Match, Profile

PAYLOAD_ETHERTYPE = 0x88B5
"""EtherType that follows the header where there is one: IEEE local experimental 1."""

_ESUN_LABEL_VALID = Field(114, 1)
_HEADER_BYTES = {
    "ethernet": 18,
    "esun": 18,
    "afh12_16": 14,
    "afh12_32": 14,
    "afh6": 6,
    "ufh": 14,
}
_WITH_ETHERTYPE = ("ethernet", "afh12_16", "afh12_32", "ufh")
_WORD64_BYTES = 8


def fcs(data: bytes) -> bytes:
    """Frame check sequence of ``data``: CRC-32 of IEEE 802.3, 3.2.9, low byte first."""
    return zlib.crc32(data).to_bytes(FCS_BYTES, "little")


def append_fcs(data: bytes) -> bytes:
    """``data`` followed by its frame check sequence."""
    return data + fcs(data)


def header_bytes(profile: str) -> int:
    """Bytes that `build_header` gives for a profile.

    Raises
    ------
    ValueError
        For an unknown profile.
    """
    return _HEADER_BYTES[_profile(profile).name]


def build_header(
    profile: str,
    *,
    dst: int,
    src: int = 0,
    traffic_class: int = 0,
    ecn: int = 0,
    flow_label: int = 0,
    ttl: int = 0,
    esun_ethertype: int = 0x88B5,
) -> bytes:
    """A header of `header_bytes` bytes that the switch's parser accepts (but for a TTL of 0 or 1).

    ``ethernet`` is always 802.1Q-tagged, so that the class is carried. ``esun`` has its
    flow-label-valid bit set when ``flow_label`` is not 0. Everything not named is 0.

    Parameters
    ----------
    profile
        A name in `PROFILE_NAMES`.
    dst, src
        48-bit addresses, or IDs of 16 or 32 bits.
    traffic_class, ecn, flow_label, ttl
        Must be 0 where the profile has no such field.
    esun_ethertype
        What register ``ESUN_ETHERTYPE`` holds.

    Raises
    ------
    ValueError
        For an unknown profile, a value that does not fit its field, a field that the profile
        does not have, or a destination that the profile takes for malformed (multicast).
    """
    row = _profile(profile)
    header = bytearray(_HEADER_BYTES[profile])
    conditions = row.match if row.class_when is None else (*row.match, row.class_when)
    for condition in conditions:
        _put(header, condition.field, _value(condition, esun_ethertype), f"{profile} match")
    values: tuple[tuple[str, Field | None, int], ...] = (
        ("dst", row.dst, dst),
        ("src", row.src, src),
        ("traffic_class", row.traffic_class, traffic_class),
        ("ecn", row.ecn, ecn),
        ("flow_label", row.flow_label, flow_label),
        ("ttl", row.ttl, ttl),
    )
    for name, field, value in values:
        if field is not None:
            _put(header, field, value, f"{profile} {name}")
        elif value:
            raise ValueError(f"{name} = {value}: profile {profile} has no such field; leave it 0")
    if profile == "esun" and flow_label:
        _put(header, _ESUN_LABEL_VALID, 1, "flow label valid")
    if profile in _WITH_ETHERTYPE:
        header[-2:] = PAYLOAD_ETHERTYPE.to_bytes(2, "big")
    for condition in row.match:
        if read_field(header, condition.field) != _value(condition, esun_ethertype):
            raise ValueError(f"dst = 0x{dst:X}: {profile} refuses it; give a unicast address")
    return bytes(header)


def read_field(frame: bytes | bytearray, field: Field) -> int:
    """Value of a field of a frame.

    Raises
    ------
    ValueError
        If the frame ends before the field does.
    """
    first, last = field.offset // 8, (field.offset + field.width - 1) // 8
    if last >= len(frame):
        raise ValueError(f"field at bit {field.offset} needs {last + 1} bytes, not {len(frame)}")
    value = int.from_bytes(frame[first : last + 1], "big")
    return value >> (8 * (last + 1) - field.offset - field.width) & (1 << field.width) - 1


def write_field(frame: bytes, field: Field, value: int) -> bytes:
    """The frame with another value in a field; an FCS in it is left as it was.

    Raises
    ------
    ValueError
        If the frame ends before the field does, or the value does not fit.
    """
    changed = bytearray(frame)
    _put(changed, field, value, "field")
    return bytes(changed)


def join_words(words: Sequence[int], word_bytes: int) -> bytes:
    """Words of a port as bytes, byte 0 of a word from its bits 7...0."""
    if word_bytes == _WORD64_BYTES:
        return struct.pack(f"<{len(words)}Q", *words)
    return b"".join([word.to_bytes(word_bytes, "little") for word in words])


def split_words(data: bytes, word_bytes: int) -> list[int]:
    """Bytes as words of a port, the unused lanes of the last word 0."""
    count = -(-len(data) // word_bytes)
    data = data.ljust(count * word_bytes, b"\0")
    if word_bytes == _WORD64_BYTES:
        return list(struct.unpack(f"<{count}Q", data))
    return [
        int.from_bytes(data[at : at + word_bytes], "little")
        for at in range(0, len(data), word_bytes)
    ]


def _profile(name: str) -> Profile:
    if name not in PROFILE_NAMES:
        raise ValueError(f"profile {name!r}: must be one of " + ", ".join(PROFILE_NAMES))
    return PROFILES[PROFILE_NAMES.index(name)]


def _value(condition: Match, esun_ethertype: int) -> int:
    return esun_ethertype if condition.value is None else condition.value


def _put(frame: bytearray, field: Field, value: int, name: str) -> None:
    limit = (1 << field.width) - 1
    if not 0 <= value <= limit:
        raise ValueError(f"{name} = {value}: must be in 0...{limit} ({field.width} bits)")
    first, last = field.offset // 8, (field.offset + field.width - 1) // 8
    if last >= len(frame):
        raise ValueError(f"field at bit {field.offset} needs {last + 1} bytes, not {len(frame)}")
    shift = 8 * (last + 1) - field.offset - field.width
    run = int.from_bytes(frame[first : last + 1], "big") & ~(limit << shift) | value << shift
    frame[first : last + 1] = run.to_bytes(last + 1 - first, "big")
