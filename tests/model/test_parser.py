# SPDX-License-Identifier: Apache-2.0
"""Chapter 5: profiles, classes, VCs, TTL and MAC Control."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.frame import append_fcs, write_field
from gavel_model.profiles import PROFILE_NAMES, PROFILES, Field
from gavel_model.register_map import Counter, Global, Port, port_address

C = Counter


def reseal(frame: bytes) -> bytes:
    """The frame with the FCS that its bytes need."""
    return append_fcs(frame[:-4])


def waits_in(b: Any, port: int, frame: bytes) -> int | None:
    """The VOQ that a frame is filed in, or None."""
    t = b.send(port, frame)
    b.until(t + 4)
    frames = b.switch.ports[port].voq_frames
    voq = frames.index(1) if any(frames) else None
    b.run(40)
    return voq


@pytest.mark.parametrize("profile", PROFILE_NAMES)
@pytest.mark.parametrize("by_register", [False, True])
def test_every_profile_goes_to_port_and_vc(bench: Any, profile: str, by_register: bool) -> None:
    b = bench("pod", "vcs=8") if by_register else bench("pod", "vcs=8", f"profile={profile}")
    if by_register:
        b.write(port_address(3, Port.PROFILE), PROFILE_NAMES.index(profile))
        b.run(2)
    width = PROFILES[PROFILE_NAMES.index(profile)].traffic_class.width
    for traffic_class in range(1 << width):
        for dst in (0, 5, 7):
            frame = b.frame(dst, profile=profile, traffic_class=traffic_class)
            assert waits_in(b, 3, frame) == dst * 8 + traffic_class
    assert sum(map(len, b.frames)) == 3 << width


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_a_failed_match_is_a_header_drop(bench: Any, profile: str) -> None:
    b = bench("pod", f"profile={profile}")
    good = b.frame(1, profile=profile)
    count = 0
    for condition in PROFILES[PROFILE_NAMES.index(profile)].match:
        for bit in range(condition.field.width):
            place = condition.field.offset + bit
            wrong = bytearray(good)
            wrong[place // 8] ^= 0x80 >> place % 8
            b.send(0, reseal(bytes(wrong)))
            count += 1
    b.drain()
    assert b.counters(0) == {C.RX_HEADER: count}


def test_untagged_ethernet_has_class_zero(bench: Any) -> None:
    b = bench("pod")
    frame = reseal(write_field(b.frame(2, traffic_class=3), Field(96, 16), 0x0800))
    assert waits_in(b, 0, frame) == 2 * 4 + 0


def test_vc_map_and_its_upper_limit(bench: Any) -> None:
    b = bench("pod", "vcs=3")
    b.write(port_address(0, Port.VC_MAP), 0x0123F210)
    b.run(2)
    expected = [0, 1, 2, 2, 2, 2, 1, 0]
    for traffic_class, vc in enumerate(expected):
        assert waits_in(b, 0, b.frame(1, traffic_class=traffic_class)) == 3 + vc


def test_profile_numbers_above_five_act_as_ethernet(bench: Any) -> None:
    b = bench("pod", "profile=ufh")
    b.write(port_address(0, Port.PROFILE), 7)
    b.run(2)
    assert waits_in(b, 0, b.frame(4, profile="ethernet")) == 16
    assert b.read(port_address(0, Port.PROFILE)) == 7


@pytest.mark.parametrize(("after_first", "filed"), [(0, 2), (1, 1), (8, 1), (9, 0)])
def test_a_profile_write_counts_for_last_words_of_its_own_cycle_and_later(
    bench: Any, after_first: int, filed: int
) -> None:
    b = bench("pod", "profile=esun")
    frame = b.frame(1, profile="afh6")
    first = b.send(0, frame)
    assert b.send(0, frame) == first + 8
    b.write(
        port_address(0, Port.PROFILE), PROFILE_NAMES.index("afh6"), at=first + after_first
    )
    b.drain()
    assert b.counters(0).get(C.RX_FRAMES, 0) == filed
    assert b.counters(0).get(C.RX_HEADER, 0) == 2 - filed


def test_esun_ethertype_is_a_register(bench: Any) -> None:
    b = bench("pod", "profile=esun")
    b.write(Global.ESUN_ETHERTYPE, 0x9100)
    b.run(2)
    b.send(0, b.frame(1))
    b.send(0, b.frame(1, esun_ethertype=0x9100))
    b.drain()
    assert b.counters(0) == {C.RX_HEADER: 1, C.RX_FRAMES: 1, C.RX_BYTES: 64}


@pytest.mark.parametrize("ttl", range(16))
def test_ttl_zero_and_one_are_dropped(bench: Any, ttl: int) -> None:
    b = bench("pod", "profile=esun")
    b.send(0, b.frame(1, ttl=ttl))
    b.drain()
    if ttl < 2:
        assert b.counters(0) == {C.RX_TTL: 1}
    else:
        assert [s.data for s in b.frames[1]] == [b.frame(1, ttl=ttl - 1)]


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_mac_control_is_consumed_under_every_profile(bench: Any, profile: str) -> None:
    b = bench("pod", f"profile={profile}")
    pfc = bytes.fromhex("0180C2000001 020000000001 8808 0101 0008") + bytes(6) + b"\xff\xff"
    b.send(0, append_fcs(pfc.ljust(60, b"\0")))
    b.drain()
    assert b.counters(0) == {C.RX_MAC_CONTROL: 1, C.PFC_RX: 1}


def test_mac_control_needs_address_and_type(bench: Any) -> None:
    b = bench("pod")
    address = bytes.fromhex("0180C2000001 020000000001 8809").ljust(60, b"\0")
    ethertype = bytes.fromhex("020000000001 020000000001 8808").ljust(60, b"\0")
    b.send(0, append_fcs(address))
    b.send(0, append_fcs(ethertype))
    b.drain()
    assert b.counters(0) == {C.RX_HEADER: 1, C.RX_FRAMES: 1, C.RX_BYTES: 64}
