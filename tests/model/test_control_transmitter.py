# SPDX-License-Identifier: Apache-2.0
"""Chapter 5 of llr.md: which ordered set goes out, and when, to the byte."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from gavel_model.ordered_set import Kind, OrderedSet, decode
from gavel_model.register_map import Counter, Port

C = Counter


def listening(b: Any, spacing: int, min_spacing: int, **changes: int) -> None:
    """Port 0 expects number 0, and its echo has gone."""
    b.setting(0, Port.LLR_SPACING, min_spacing << 16 | spacing)
    b.llr(0, local=1, **changes)
    b.run(3)
    b.ordered_set(0, Kind.INIT, 0)
    b.run(6)
    assert [item.kind for _, item in sets(b)] == [Kind.INIT_ECHO]
    b.sets[0].clear()


def sets(b: Any, port: int = 0) -> list[tuple[int, OrderedSet]]:
    """Cycle and contents of the sets taken from a port."""
    found = []
    for cycle, ctl in b.sets[port]:
        item = decode(ctl, True)
        assert item is not None
        found.append((cycle, item))
    return found


def test_an_echo_is_on_the_pins_four_cycles_after_its_init(bench: Any) -> None:
    b = bench()
    b.llr(0, local=1)
    b.run(3)
    at = b.ordered_set(0, Kind.INIT, 0x12345, 0xBEEF)
    b.run(10)
    # Takes effect in at+2, is asked for in at+3, and is then loaded.
    assert sets(b) == [(at + 4, OrderedSet(Kind.INIT_ECHO, 0x12345, 0xBEEF))]
    assert b.counters(0)[C.LLR_TX_INIT_ECHO_CTL_OS] == 1
    assert b.switch.tx[0].ctl_valid == 0


@pytest.mark.parametrize("width", [64, 128, 512])
@pytest.mark.parametrize("spacing", [400, 401, 2048, 16384])
def test_acks_are_spaced_to_the_byte(bench: Any, width: int, spacing: int) -> None:
    b = bench("tiny", f"data_width={width}")
    listening(b, spacing, 0)
    for n in range(400 if spacing < 10000 else 2000):
        b.put(0, b.eligible(b.frame(1), n))
    b.drain(20)
    taken = sets(b)
    assert len(taken) >= 3
    assert all(item.kind is Kind.ACK for _, item in taken)
    # Loaded in c, `since_ack` is 0 in c+1 and reaches the spacing after so many cycles.
    gap = 1 - (-spacing * 8 // width)
    assert {late - early for (early, _), (late, _) in pairwise(taken)} == {gap}
    assert b.counters(0)[C.LLR_TX_ACK_CTL_OS] == len(taken)


def test_an_ack_is_on_the_pins_four_cycles_after_its_frame_and_is_cumulative(bench: Any) -> None:
    b = bench()
    listening(b, 400, 0)
    t = b.put(0, b.eligible(b.frame(1), 0), at=100)
    for n in range(1, 5):
        b.put(0, b.eligible(b.frame(1), n))
    b.drain(200)
    # Three more frames end before the next ACK may go, and the last a cycle too late for it.
    assert sets(b) == [(t + 4, OrderedSet(Kind.ACK, 0)), (t + 4 + 51, OrderedSet(Kind.ACK, 4))]


def test_nothing_is_acknowledged_twice_unless_it_comes_twice(bench: Any) -> None:
    b = bench()
    listening(b, 400, 0)
    b.put(0, b.eligible(b.frame(1), 0))
    b.drain(300)
    assert len(sets(b)) == 1
    b.put(0, b.eligible(b.frame(1), 0))
    b.drain(300)
    assert [item for _, item in sets(b)] == [OrderedSet(Kind.ACK, 0)] * 2
    assert len(b.frames[1]) == 1


def test_a_nack_goes_at_once_and_once(bench: Any) -> None:
    b = bench()
    listening(b, 2048, 0)
    b.put(0, b.eligible(b.frame(1), 0))
    t = b.put(0, b.eligible(b.frame(1), 2))
    b.put(0, b.eligible(b.frame(1), 3))
    b.drain(600)
    assert [item.kind for _, item in sets(b)] == [Kind.ACK, Kind.NACK]
    assert sets(b)[1] == (t + 4, OrderedSet(Kind.NACK, 0))
    # The replay: an ACK again, spaced from the NACK.
    b.put(0, b.eligible(b.frame(1), 1))
    b.drain(600)
    assert sets(b)[2][1] == OrderedSet(Kind.ACK, 1)
    assert b.counters(0)[C.LLR_RX_REPLAY] == 1


def test_a_nack_before_anything_came_says_minus_one(bench: Any) -> None:
    b = bench("tiny", "seq_bits=7")
    listening(b, 400, 0)
    b.put(0, b.eligible(b.frame(1), 1))
    b.drain()
    assert [item for _, item in sets(b)] == [OrderedSet(Kind.NACK, 127)]


def test_a_nack_also_spaces_the_acks(bench: Any) -> None:
    b = bench()
    listening(b, 400, 0)
    t = b.put(0, b.eligible(b.frame(1), 1))
    b.put(0, b.eligible(b.frame(1), 0))
    b.drain(100)
    assert sets(b) == [(t + 4, OrderedSet(Kind.NACK, (1 << 20) - 1)),
                       (t + 4 + 51, OrderedSet(Kind.ACK, 0))]


@pytest.mark.parametrize(("min_spacing", "gap"), [(0, 1), (1, 2), (8, 2), (9, 3), (400, 51)])
def test_any_two_sets_are_spaced(bench: Any, min_spacing: int, gap: int) -> None:
    b = bench()
    listening(b, 2048, min_spacing)
    b.run(100)
    at = b.cycle
    for n in range(3):  # a new INIT before the echo of the one before is out is echoed instead
        b.ordered_set(0, Kind.INIT, n, at=at + n)
    b.run(200)
    first, last = sets(b)[0], sets(b)[-1]
    assert first == (at + 4, OrderedSet(Kind.INIT_ECHO, 0))
    assert last[1].value == 2
    if gap > 2:
        assert last[0] == at + 4 + gap
        assert len(sets(b)) == 2
    b.sets[0].clear()
    # A NACK asked for in the cycle after an echo.
    at = b.cycle + 10
    b.ordered_set(0, Kind.INIT, 0, at=at)
    b.put(0, b.eligible(b.frame(1), 5), at=at - 6)
    b.run(200)
    assert [(cycle - at, item.kind) for cycle, item in sets(b)] == [
        (4, Kind.INIT_ECHO), (4 + gap, Kind.NACK)
    ]


def test_a_set_holds_until_it_is_taken(bench: Any) -> None:
    b = bench()
    listening(b, 400, 0)
    b.ctl_ready = lambda cycle: int(cycle >= 150)
    at = b.ordered_set(0, Kind.INIT, 3, 9, at=100)
    b.ordered_set(0, Kind.INIT, 4, 9, at=110)
    b.put(0, b.eligible(b.frame(1), 4), at=114)
    b.until(at + 4)
    shown = b.switch.tx[0]
    assert shown.ctl_valid
    while b.cycle < 150:
        b.run(1)
        assert b.switch.tx[0] == shown
    b.run(80)
    # The second echo is loaded as the first is taken; frames did not wait for either.
    assert [(cycle, item.kind, item.value) for cycle, item in sets(b)] == [
        (150, Kind.INIT_ECHO, 3), (151, Kind.INIT_ECHO, 4), (152, Kind.ACK, 4)
    ]
    assert b.frames[1][0].first == 121 + 10


def test_sets_do_not_wait_for_frames_nor_frames_for_sets(bench: Any) -> None:
    b = bench()
    listening(b, 400, 0)
    b.ready = lambda _: 0b10  # the frame pins of port 0 stand still
    b.send(1, b.frame(0))
    b.run(40)
    assert b.switch.tx[0].valid
    t = b.put(0, b.eligible(b.frame(1), 0))
    b.run(20)
    assert sets(b) == [(t + 4, OrderedSet(Kind.ACK, 0))]
    assert b.switch.tx[0].valid


def test_init_goes_at_once_and_then_every_four_spacings(bench: Any) -> None:
    b = bench()
    b.setting(0, Port.LLR_SPACING, 400)
    b.setting(0, Port.LLR_INIT_SEQ, 0x54321)
    b.setting(0, Port.LLR_INIT_DATA, 0xFFFF)
    at = b.llr(0, remote=1)
    b.run(1000)
    taken = sets(b)
    # Visible in at+2, INIT in at+3, loaded then.
    assert [cycle for cycle, _ in taken] == [at + 4 + 201 * n for n in range(len(taken))]
    assert {item for _, item in taken} == {OrderedSet(Kind.INIT, 0x54321, 0xFFFF)}
    assert b.counters(0)[C.LLR_TX_INIT_CTL_OS] == len(taken) == 5


def test_four_spacings_are_no_more_than_the_count_can_show(bench: Any) -> None:
    b = bench("tiny", "data_width=512")
    b.setting(0, Port.LLR_SPACING, 0xFFFF)
    at = b.llr(0, remote=1)
    b.run(2000)
    assert [cycle for cycle, _ in sets(b)] == [at + 4, at + 4 + 1025]


def test_an_echo_goes_first_then_init_then_ack(bench: Any) -> None:
    b = bench()
    listening(b, 400, 0)
    b.ctl_ready = lambda cycle: int(cycle >= 200)
    b.ordered_set(0, Kind.INIT, 0, at=100)
    b.ordered_set(0, Kind.INIT, 1, at=110)
    b.put(0, b.eligible(b.frame(1), 1), at=120)
    b.llr(0, local=1, remote=1, at=120)
    b.run(260 - b.cycle)
    assert [item.kind for _, item in sets(b)[:4]] == [
        Kind.INIT_ECHO, Kind.INIT_ECHO, Kind.INIT, Kind.ACK
    ]
    assert [cycle for cycle, _ in sets(b)[:4]] == [200, 201, 202, 203]


def test_a_set_that_is_asked_for_no_more_stays_on_the_pins(bench: Any) -> None:
    b = bench()
    listening(b, 400, 0)
    b.ctl_ready = lambda cycle: int(cycle >= 200)
    b.ordered_set(0, Kind.INIT, 3, at=100)
    b.llr(0, at=120)
    b.run(250 - b.cycle)
    assert [cycle for cycle, _ in sets(b)] == [200]
    assert b.switch.tx[0].ctl_valid == 0


@pytest.mark.parametrize("protect", [0, 1])
def test_the_check_byte_is_that_of_the_cycle_of_loading(bench: Any, protect: int) -> None:
    b = bench()
    b.llr(0, local=1, protect=protect)
    b.run(3)
    b.ordered_set(0, Kind.INIT, 3, protect=bool(protect))
    b.run(8)
    (_, ctl), = b.sets[0]
    assert decode(ctl, bool(protect)) == OrderedSet(Kind.INIT_ECHO, 3)
    assert decode(ctl, not protect) is None


def test_counts_of_line_time_start_at_their_end_after_reset(bench: Any) -> None:
    b = bench()
    b.setting(0, Port.LLR_SPACING, 0xFFFF << 16 | 0xFFFF)
    b.llr(0, local=1)
    b.run(3)
    at = b.ordered_set(0, Kind.INIT, 3)
    b.run(8)
    assert [cycle for cycle, _ in sets(b)] == [at + 4]
    b.ordered_set(0, Kind.INIT, 4)
    b.run(8100)
    assert len(sets(b)) == 1
    b.run(200)
    assert len(sets(b)) == 2
    assert sets(b)[1][0] == at + 4 + 8192 + 1  # 65535 bytes are 8191.9 cycles


def test_the_first_init_of_a_new_one_waits_for_no_spacing(bench: Any) -> None:
    b = bench()
    b.setting(0, Port.LLR_SPACING, 0xFFFF)
    b.llr(0, remote=1)
    b.run(20)
    b.llr(0)
    b.run(5)
    at = b.llr(0, remote=1)
    b.run(20)
    assert sets(b)[1:] == [(at + 4, OrderedSet(Kind.INIT, 0, 1))]
