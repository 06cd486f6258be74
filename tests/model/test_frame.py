# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from gavel_model.frame import (
    append_fcs,
    build_header,
    fcs,
    header_bytes,
    join_words,
    read_field,
    split_words,
    write_field,
)
from gavel_model.profiles import PROFILE_NAMES, PROFILES, Field


def test_fcs_is_the_standard_check_value() -> None:
    # CRC-32 of "123456789" is CBF43926 in every catalogue of CRCs.
    assert fcs(b"123456789").hex() == "2639f4cb"
    assert append_fcs(b"123456789") == b"123456789" + bytes.fromhex("2639f4cb")


def test_esun_header_vector() -> None:
    header = build_header(
        "esun", dst=0x020000000001, src=0x020000000002, traffic_class=5, ecn=1,
        flow_label=0xBEEF, ttl=8,
    )
    header = write_field(header, Field(140, 2), 1)
    assert header.hex() == "020000000001" "020000000002" "88b5" "35beef84"


def test_afh12_16_bytes() -> None:
    header = build_header("afh12_16", dst=0x1234, src=0xABCD, traffic_class=2, ecn=1)
    assert header.hex() == "0208000012340100" "0000abcd" "88b5"


def test_afh12_32_bytes() -> None:
    header = build_header("afh12_32", dst=0x12345678, src=0xAABBCCDD, traffic_class=7, ecn=2)
    assert header.hex() == "820012345678e200" "aabbccdd" "88b5"


def test_afh6_bytes() -> None:
    assert build_header("afh6", dst=0x1234, src=0xABCD, traffic_class=1, ecn=3).hex() == (
        "42123423abcd"
    )


def test_ufh_bytes() -> None:
    header = build_header("ufh", dst=0x1234, src=0xABCD, traffic_class=4)
    assert header.hex() == "0200000012348000" "0000abcd" "88b5"


def test_ethernet_header_is_tagged() -> None:
    header = build_header("ethernet", dst=0x020000000001, src=0x020000000002, traffic_class=6)
    assert header.hex() == "020000000001" "020000000002" "8100c000" "88b5"


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_fields_read_back_as_built(profile: str) -> None:
    row = PROFILES[PROFILE_NAMES.index(profile)]
    given = {"dst": 0x0200, "src": 0x0100, "traffic_class": 3}
    if row.ecn:
        given["ecn"] = 2
    if row.ttl:
        given["ttl"] = 9
    if row.flow_label:
        given["flow_label"] = 0x1234
    header = build_header(profile, **given)
    assert len(header) == header_bytes(profile)
    for name, value in given.items():
        assert read_field(header, getattr(row, name)) == value
    for condition in row.match:
        wanted = 0x88B5 if condition.value is None else condition.value
        assert read_field(header, condition.field) == wanted


@pytest.mark.parametrize(
    ("profile", "fields", "message"),
    [
        ("ipv4", {"dst": 1}, "profile 'ipv4': must be one of ethernet"),
        ("afh6", {"dst": 0x10000}, "afh6 dst = 65536: must be in 0...65535"),
        ("afh6", {"dst": -1}, "afh6 dst = -1: must be in"),
        ("afh12_16", {"dst": 1, "traffic_class": 4}, "traffic_class = 4: must be in 0...3"),
        ("ethernet", {"dst": 0, "ecn": 1}, "ecn = 1: profile ethernet has no such field"),
        ("ufh", {"dst": 0, "ttl": 4}, "ttl = 4: profile ufh has no such field"),
        ("afh6", {"dst": 0, "flow_label": 4}, "flow_label = 4: profile afh6 has no"),
        ("ethernet", {"dst": 0x010000000000}, "ethernet refuses it; give a unicast address"),
    ],
)
def test_what_does_not_fit_is_refused(
    profile: str, fields: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        build_header(profile, **fields)
    assert message in str(caught.value)


def test_a_field_beyond_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 4 bytes, not 3"):
        read_field(b"abc", Field(17, 8))
    with pytest.raises(ValueError, match="needs 4 bytes, not 3"):
        write_field(b"abc", Field(17, 8), 0)


@pytest.mark.parametrize("word_bytes", [8, 16, 32, 64])
def test_words_and_bytes(word_bytes: int) -> None:
    data = bytes(range(1, 100))
    words = split_words(data, word_bytes)
    assert words[0] & 0xFF == 1
    assert len(words) == -(-99 // word_bytes)
    assert join_words(words, word_bytes) == data.ljust(len(words) * word_bytes, b"\0")
