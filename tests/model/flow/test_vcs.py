# SPDX-License-Identifier: Apache-2.0
"""VCs: which one a frame goes to, their shares of an output, and their limits in the buffer."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.frame import append_fcs
from gavel_model.register_map import Counter, Port

C = Counter
PCP_DEI, DSCP, OTHER = 1 << 4, 2 << 4, 3 << 4


def vc_of(b: Any, frame: bytes) -> int:
    """The VC that a frame is filed in at port 0 for output 1."""
    t = b.send(0, frame)
    b.until(t + 4)
    frames = b.switch.ports[0].voq_frames[b.config.vcs:]
    b.run(30)
    return frames.index(1)


def ethernet(ethertype: int, content: bytes = b"", tag: int | None = None) -> bytes:
    """An Ethernet frame for port 1; ``tag`` are the 16 bits of the 802.1Q tag."""
    address = (0x020000000001).to_bytes(6, "big")
    body = address + address
    if tag is not None:
        body += b"\x81\x00" + tag.to_bytes(2, "big")
    body += ethertype.to_bytes(2, "big") + content
    return append_fcs(body.ljust(60, b"\x55"))


def ipv4(dscp: int) -> bytes:
    return bytes((0x45, dscp << 2 | 3))


def ipv6(dscp: int) -> bytes:
    return (0x6 << 28 | dscp << 22 | 0x3FFFFF).to_bytes(4, "big")


def by_codes(bench: Any, class_from: int, *matches: int) -> Any:
    b = bench("tiny", "vcs=4")
    b.setting(0, Port.PROFILE, class_from)
    for vc, match in enumerate(matches):
        b.setting(0, Port(Port.VC_MATCH), match, at=None)
        b._access[max(b._access)] = b._access[max(b._access)]._replace(
            addr=0x400 + Port.VC_MATCH + vc)
    b.run(8)
    return b


def test_pcp_and_dei(bench: Any) -> None:
    b = by_codes(bench, PCP_DEI, 0x3F05, 0x0101, 0x3E04, 0x0000)
    # 5 is exact; odd ones (DEI); 4 whatever the lowest bit is; all others.
    for code in range(16):
        expected = 0 if code == 5 else 1 if code & 1 else 2 if code == 4 else 3
        assert vc_of(b, ethernet(0x0800, tag=code << 12 | 0xFFF)) == expected
    assert vc_of(b, ethernet(0x0800, ipv4(5))) == 3, "untagged: 0"


@pytest.mark.parametrize("tag", [None, 0xE123])
def test_dscp(bench: Any, tag: int | None) -> None:
    b = by_codes(bench, DSCP, 0x3F2E, 0x380A, 0x3F3F, 0x3F00)
    for dscp in range(64):
        expected = 0 if dscp == 0x2E else 1 if dscp >> 3 == 1 else 2 if dscp == 63 else 3
        expected = expected if expected < 3 or dscp == 0 else 0  # no match: VC 0
        assert vc_of(b, ethernet(0x0800, ipv4(dscp), tag)) == expected
        assert vc_of(b, ethernet(0x86DD, ipv6(dscp), tag)) == expected
    assert vc_of(b, ethernet(0x88B5, ipv4(0x2E), tag)) == 3


def test_a_second_tag_hides_the_dscp(bench: Any) -> None:
    b = by_codes(bench, DSCP, 0x3F2E, 0, 0, 0)
    assert vc_of(b, ethernet(0x8100, ipv4(0x2E), 0)) == 1


def test_reset_values_match_the_number_of_the_vc(bench: Any) -> None:
    b = bench("tiny", "vcs=3")
    assert [b.read(0x400 + Port.VC_MATCH + vc) for vc in range(4)] == [0x3F00, 0x3F01, 0x3F02, 0]
    b.setting(0, Port.PROFILE, DSCP)
    b.run(2)
    assert [vc_of(b, ethernet(0x0800, ipv4(n))) for n in range(5)] == [0, 1, 2, 0, 0]


@pytest.mark.parametrize("profile", ["ethernet", "esun"])
def test_other_numbers_and_other_profiles_keep_the_class(bench: Any, profile: str) -> None:
    b = bench("tiny", "vcs=4", f"profile={profile}")
    for class_from in (0, OTHER) if profile == "ethernet" else (PCP_DEI, DSCP, OTHER):
        b.setting(0, Port.PROFILE, class_from | (profile == "esun"))
        b.run(2)
        for n in range(4):
            assert vc_of(b, b.frame(1, profile=profile, traffic_class=n)) == n


def shares(bench: Any, weights: int, control: int, cells: tuple[int, ...]) -> list[int]:
    """VCs of the frames that output 1 sends, all of them always backlogged."""
    b = bench("tiny", "vcs=4", "buffer_cells=1024")
    b.ready = lambda _: 0b01
    b.setting(1, Port.VC_WEIGHTS, weights)
    b.setting(1, Port.VC_CONTROL, control)
    for n in range(4 * 60):
        b.send(0, b.frame(1, 64 * cells[n % 4], traffic_class=n % 4))
    b.drain()
    b.ready = lambda _: 0b11
    sent = len(b.frames[1])
    b.run(8 * sum(cells) * 15)
    return [s.data[14] >> 5 for s in b.frames[1]][sent + 3:][:60]


def test_weights_are_exact_in_frames(bench: Any) -> None:
    order = shares(bench, 0x0213, 0, (1, 2, 1, 1))
    # 3, 1, 2 and, for a weight of 0, 1.
    assert "0001223" * 7 in "".join(map(str, order))


def test_without_weights_an_input_sends_of_its_vcs_in_turn(bench: Any) -> None:
    assert "0123" * 12 in "".join(map(str, shares(bench, 0, 0, (1, 2, 1, 1))))


def test_strict_vcs_go_first_the_highest_before_all(bench: Any) -> None:
    assert shares(bench, 0x1111, 0b1010, (1, 1, 1, 1))[:40] == [3] * 40


def test_a_stopped_vc_is_not_dequeued(bench: Any) -> None:
    assert set(shares(bench, 0x1111, 0b0101 << 8, (1, 1, 1, 1))) == {1, 3}


def limited(bench: Any, limit: int, *overrides: str) -> Any:
    """VC 0 holds one cell and gets ten more frames of one, back to back, with this limit."""
    b = bench("tiny", "vcs=2", "buffer_cells=64", *overrides)
    b.ready = lambda _: 0b01
    while not b.switch.ports[0].ingress_buffer.vc_cells[0]:
        b.send(0, b.frame(1))
        b.drain(30)
    b.setting(0, Port.RX_VC_LIMIT, limit)
    b.run(4)
    for _ in range(10):
        b.send(0, b.frame(1))
    b.drain()
    return b


@pytest.mark.parametrize("width", [64, 512])
def test_a_vc_takes_its_limit_and_what_comes_in_two_cycles_more(bench: Any, width: int) -> None:
    b = limited(bench, 3, f"data_width={width}")
    # A frame that is filed shows two cycles later, when with one-word frames one more is filed.
    cells = b.switch.ports[0].ingress_buffer.vc_cells
    assert cells[0] == (3 if width == 64 else 4)
    lost = b.counters(0)[C.RX_VC_LIMIT]
    b.send(0, b.frame(1))
    b.send(0, b.frame(1, traffic_class=1))
    b.drain()
    assert cells == [cells[0], 1]
    assert b.counters(0)[C.RX_VC_LIMIT] == lost + 1
    assert C.RX_LOSSLESS_DROP not in b.counters(0)


@pytest.mark.parametrize("setting", [(Port.CBFC_CONTROL, 1 << 8), (Port.PFC_CONTROL, 1 << 8)])
def test_a_drop_on_a_lossless_vc_is_told(bench: Any, setting: tuple[Port, int]) -> None:
    b = limited(bench, 3)
    b.setting(0, *setting)
    b.run(3)
    lost = b.counters(0)[C.RX_VC_LIMIT]
    b.send(0, b.frame(1))
    b.drain()
    b.setting(0, Port.RX_VC_LIMIT, 0x1FFFF)
    b.run(3)
    for _ in range(70):
        b.send(0, b.frame(1))
    b.drain()
    counters = b.counters(0)
    assert counters[C.RX_VC_LIMIT] == lost + 1
    assert counters[C.RX_LOSSLESS_DROP] == counters[C.RX_NO_BUFFER] + 1 > 1


def test_no_route_goes_before_the_limit_and_the_limit_before_no_buffer(bench: Any) -> None:
    b = limited(bench, 0)
    b.send(0, b.frame(9))
    b.drain()
    assert b.counters(0)[C.RX_VC_LIMIT] == 10
    assert b.counters(0)[C.RX_NO_ROUTE] == 1


@pytest.mark.parametrize(("offset", "dropped"), [(0, 1), (1, 0)])
def test_a_limit_counts_one_cycle_late(bench: Any, offset: int, dropped: int) -> None:
    b = bench()
    t = b.send(0, b.frame(1), at=20)
    # Written on the pins in t+offset, visible in t+2+offset; frame in w = t+3 looks at w-1.
    b.setting(0, Port.RX_VC_LIMIT, 0, at=t + offset)
    b.drain()
    assert b.counters(0).get(C.RX_VC_LIMIT, 0) == dropped
