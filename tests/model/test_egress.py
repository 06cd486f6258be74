# SPDX-License-Identifier: Apache-2.0
"""Chapters 7 and 10: ECN decision, edits, FCS. The bench checks every FCS with zlib."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.frame import read_field
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_model.register_map import Counter, Port, port_address

C = Counter
WITH_ECN = [profile.name for profile in PROFILES if profile.ecn]


@pytest.mark.parametrize("width", [64, 128, 256, 512])
@pytest.mark.parametrize("profile", WITH_ECN)
def test_ecn_capable_frames_are_marked_and_others_left_alone(
    bench: Any, profile: str, width: int
) -> None:
    b = bench("pod", f"profile={profile}", f"data_width={width}", "ecn_threshold=0")
    for ecn in range(4):
        for length in range(64, 72):
            frame = b.frame(1, length, ecn=ecn, seed=length)
            b.send(0, frame)
            b.drain(40)
            fields = {"ecn": 3 if ecn else 0}
            if profile == "esun":
                fields["ttl"] = 7
            assert b.frames[1].pop().data == b.frame(1, length, seed=length, **fields)
    assert b.counters(1)[C.TX_ECN_MARKED] == 16


def test_ethernet_has_no_ecn(bench: Any) -> None:
    b = bench("pod", "ecn_threshold=0")
    b.send(0, b.frame(1))
    b.drain()
    assert C.TX_ECN_MARKED not in b.counters(1)
    assert [s.data for s in b.frames[1]] == [b.frame(1)]


@pytest.mark.parametrize("length", range(64, 90))
def test_ttl_at_every_length(bench: Any, length: int) -> None:
    for width in (64, 128, 256, 512):
        b = bench("tiny", "profile=esun", f"data_width={width}")
        b.send(0, b.frame(1, length, ttl=15, seed=3))
        b.drain()
        assert [s.data for s in b.frames[1]] == [b.frame(1, length, ttl=14, seed=3)]


@pytest.mark.parametrize(("threshold", "marked"), [(1, 1), (0, 1), (2, 0), (65535, 0)])
def test_the_frame_itself_counts_and_the_threshold_must_be_passed(
    bench: Any, threshold: int, marked: int
) -> None:
    b = bench("pod", "profile=ufh", f"ecn_threshold={threshold}")
    b.send(0, b.frame(1, 65, ecn=1))  # two cells
    b.drain()
    assert b.counters(1).get(C.TX_ECN_MARKED, 0) == marked


def test_only_the_frames_own_voq_counts(bench: Any) -> None:
    b = bench("pod", "profile=ufh", "ecn_threshold=3")
    b.ready = lambda _: 0
    for n in range(3):
        for dst, traffic_class in ((1, 0), (1, 1), (2, 0)):
            b.send(0, b.frame(dst, ecn=1, traffic_class=traffic_class, seed=n))
    b.drain()
    b.ready = lambda _: 0xFF
    b.drain()
    assert len(b.frames[1]) == 6
    assert C.TX_ECN_MARKED not in b.counters(1)


def test_a_queue_is_marked_until_it_has_drained_to_the_threshold(bench: Any) -> None:
    b = bench("pod", "profile=afh6", "ecn_threshold=3")
    b.ready = lambda _: 0xFD
    for n in range(8):
        b.send(0, b.frame(1, ecn=2, seed=n))
    b.drain()
    b.ready = lambda _: 0xFF
    b.drain()
    ecn = PROFILES[PROFILE_NAMES.index("afh6")].ecn
    # The first two were decided on alone; then 6, 5, 4, 3, 2, 1 cells are waiting.
    assert [read_field(s.data, ecn) for s in b.frames[1]] == [2, 2, 3, 3, 3, 2, 2, 2]
    assert b.counters(1)[C.TX_ECN_MARKED] == 3


@pytest.mark.parametrize(("late", "marked"), [(0, 1), (1, 0)])
def test_cells_filed_in_the_cycle_of_the_match_count(bench: Any, late: int, marked: int) -> None:
    # Input 0 is kept busy; the frame for output 1 is matched in a known cycle s, and a second one
    # is filed in s or in s+1. Filed until s counts.
    b = bench("pod", "profile=ufh", "ecn_threshold=1", "data_width=512")
    first = b.send(0, b.frame(1, ecn=1), at=10)  # filed in first+3, matched in first+4
    b.send(0, b.frame(1, ecn=0), at=first + 1 + late)
    b.drain()
    assert b.counters(1).get(C.TX_ECN_MARKED, 0) == marked


@pytest.mark.parametrize(("after", "marked"), [(3, 1), (4, 0)])
def test_threshold_is_the_one_visible_when_the_transfer_opens(
    bench: Any, after: int, marked: int
) -> None:
    b = bench("pod", "profile=ufh", "data_width=512")
    t = b.send(0, b.frame(1, ecn=1), at=10)
    # Opens in t+5; a write on the pins in c is visible in c+2.
    b.write(port_address(0, Port.ECN_THRESHOLD), 0, at=t + after)
    b.drain()
    assert b.counters(1).get(C.TX_ECN_MARKED, 0) == marked


def test_the_edit_goes_by_the_profile_of_the_input(bench: Any) -> None:
    b = bench("pod")
    b.write(port_address(0, Port.PROFILE), PROFILE_NAMES.index("esun"))
    b.run(2)
    t = b.send(0, b.frame(1, profile="esun", ttl=5))
    b.write(port_address(0, Port.PROFILE), PROFILE_NAMES.index("afh6"), at=t + 1)
    b.send(2, b.frame(1))
    b.drain()
    assert {s.data for s in b.frames[1]} == {b.frame(1, profile="esun", ttl=4), b.frame(1)}


def test_tx_counters_count_when_the_word_leaves_the_crossbar(bench: Any) -> None:
    b = bench("pod", "profile=ufh", "ecn_threshold=0")
    t = b.send(0, b.frame(1, 67, ecn=1))
    values = []
    for cycle in range(t + 7, t + 18):
        b.until(cycle)
        counters = b.switch.ports[1].counters
        values.append((counters[C.TX_BYTES], counters[C.TX_FRAMES], counters[C.TX_ECN_MARKED]))
    assert values == [(min(8 * n, 67), n > 8, n > 8) for n in range(11)]
