# SPDX-License-Identifier: Apache-2.0
"""Chapter 7: cells taken, taken back and freed; filing; no buffer."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.register_map import Counter, Port

C = Counter


def free_cells(b: Any, port: int, first: int, last: int) -> list[int]:
    """``free`` as visible in each cycle from first to last."""
    values = []
    b.until(first)
    while b.cycle <= last:
        values.append(b.switch.ports[port].ingress_buffer.free)
        b.run(1)
    return values


@pytest.mark.parametrize("width", [64, 128, 256, 512])
def test_cells_of_a_good_frame(bench: Any, width: int) -> None:
    b = bench("tiny", f"data_width={width}")
    length = 200
    per_cell = 512 // width
    words = -(-length * 8 // width)
    first = 5
    last = b.send(0, b.frame(1, length), at=first)
    seen = free_cells(b, 0, 0, 60)
    expected = []
    for cycle in range(61):
        # Taken in w = t+3 of the first word of a cell, freed in the cycle that reads its last.
        taken = sum(1 for n in range(0, words, per_cell) if first + n + 3 < cycle)
        ends = [min(n + per_cell, words) - 1 for n in range(0, words, per_cell)]
        freed = sum(1 for n in ends if last + 5 + n < cycle)
        expected.append(16 - taken + freed)
    assert seen == expected


def test_cells_of_a_bad_frame_are_taken_back_with_its_last_word(bench: Any) -> None:
    b = bench()
    frame = bytearray(b.frame(1, 200))
    frame[50] ^= 4
    t = b.send(0, bytes(frame), at=0)
    assert free_cells(b, 0, t + 2, t + 5) == [13, 13, 16, 16]
    assert b.counters(0) == {C.RX_FCS: 1}


def test_a_frame_is_filed_in_t_plus_3_and_taken_out_in_t_plus_4(bench: Any) -> None:
    b = bench()
    t = b.send(0, b.frame(1, traffic_class=1))
    seen = []
    for cycle in range(t + 3, t + 7):
        b.until(cycle)
        seen.append(list(b.switch.ports[0].voq_frames))
    assert seen == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]


def stopped(bench: Any, frames: int, vc_limit: int = 0x1FFFF) -> Any:
    """Output 1 takes nothing; ``frames`` frames of one cell for it wait at port 0.

    Two more have left: seven words of the first wait for the pins, too few to hold up the second.
    """
    b = bench()
    b.setting(0, Port.RX_VC_LIMIT, vc_limit)
    b.run(2)
    b.ready = lambda _: 0b01
    for n in range(frames + 2):
        b.send(0, b.frame(1, seed=n))
    b.drain(50)
    return b


@pytest.mark.parametrize(("vc_limit", "reason"), [(17, C.RX_NO_BUFFER), (16, C.RX_VC_LIMIT)])
def test_a_full_buffer_drops_and_counts(bench: Any, vc_limit: int, reason: Counter) -> None:
    b = stopped(bench, 19, vc_limit)
    assert b.counters(0) == {C.RX_FRAMES: 18, C.RX_BYTES: 1152, reason: 3}
    assert b.switch.ports[0].ingress_buffer.free == 0
    b.ready = lambda _: 0b11
    b.drain(300)
    assert [s.data for s in b.frames[1]] == [b.frame(1, seed=n) for n in range(18)]
    assert b.switch.ports[0].ingress_buffer.free == 16


def test_a_frame_that_runs_out_of_cells_gives_back_those_it_has(bench: Any) -> None:
    b = stopped(bench, 14)
    assert b.switch.ports[0].ingress_buffer.free == 2
    t = b.send(0, b.frame(1, 256))
    assert free_cells(b, 0, t - 1, t + 5) == [0, 0, 0, 0, 0, 2, 2]
    assert b.counters(0)[C.RX_NO_BUFFER] == 1


def test_other_faults_go_before_no_buffer(bench: Any) -> None:
    b = stopped(bench, 16)
    b.send(0, b.frame(9))
    b.send(0, b.frame(1)[:-1] + b"\0")
    b.drain()
    assert b.counters(0)[C.RX_NO_ROUTE] == 1
    assert b.counters(0)[C.RX_FCS] == 1
    assert C.RX_NO_BUFFER not in b.counters(0)


def test_an_abort_makes_room_in_its_own_cycle(bench: Any) -> None:
    b = stopped(bench, 15)
    b.put(0, b.words(b.frame(1, 200))[:3])
    b.send(0, b.frame(1, seed=99))
    b.drain(20)
    assert b.counters(0) == {C.RX_FRAMES: 18, C.RX_BYTES: 1152, C.RX_FRAGMENT: 1}


@pytest.mark.parametrize(("late", "filed"), [(13, 18), (14, 19)])
def test_a_cell_freed_in_a_cycle_cannot_be_taken_in_it(
    bench: Any, late: int, filed: int
) -> None:
    b = stopped(bench, 16)
    start = b.cycle
    # One word is on the pins, 15 are behind it. Eight go out in start...start+7, then hold falls.
    # A match in start+8, eight words read from start+9 on: the last, in start+16, frees the cell,
    # too late for a word written in that cycle, which was on the pins in start+13.
    b.ready = lambda _: 0b11
    b.send(0, b.frame(1, seed=50), at=start + late)
    b.drain(20)
    assert b.counters(0)[C.RX_FRAMES] == filed
    assert b.counters(0).get(C.RX_NO_BUFFER, 0) == 19 - filed


def test_an_output_that_stands_still_holds_up_no_other(bench: Any) -> None:
    b = bench("pod")
    b.ready = lambda _: 0xFF & ~(1 << 3)
    for n in range(6):
        b.send(0, b.frame(3, seed=n))
        b.send(0, b.frame(4, seed=n))
    b.drain()
    assert (len(b.frames[3]), len(b.frames[4])) == (0, 6)
    frames = b.switch.ports[0].voq_frames
    assert [frames[3 * 4], frames[4 * 4]] == [4, 0]
    b.ready = lambda _: 0xFF
    b.drain()
    assert len(b.frames[3]) == len(b.frames[4]) == 6
