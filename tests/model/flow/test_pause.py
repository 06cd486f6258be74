# SPDX-License-Identifier: Apache-2.0
"""PFC on cases worked out by hand: timers at every width, watchdog, XOFF and its refresh."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.mac_control import Pause, decode, pfc_frame
from gavel_model.register_map import Counter, Port

C = Counter
RECEIVE, TRANSMIT = 1, 1 << 8


def pause(b: Any, port: int, time: int, classes: int = 1) -> int:
    """A PFC frame comes in; returns the cycle of its last word."""
    return b.send(port, pfc_frame(9, classes, (time,) * 8))


def paused(b: Any, port: int, cycles: int) -> list[int]:
    """``paused`` as visible in each cycle from now on."""
    seen = []
    for _ in range(cycles):
        seen.append(b.switch.ports[port].flow_control.pause_receiver.paused)
        b.run(1)
    return seen


@pytest.mark.parametrize("width", [64, 128, 256, 512])
@pytest.mark.parametrize("time", [0, 1, 3])
def test_a_pause_takes_its_quanta(bench: Any, width: int, time: int) -> None:
    b = bench("tiny", f"data_width={width}")
    b.setting(1, Port.PFC_CONTROL, RECEIVE)
    b.run(3)
    t = pause(b, 1, time)
    b.until(t + 3)
    cycles = time * 512 // width
    assert paused(b, 1, cycles + 4) == [0, *[1] * cycles, 0, 0, 0]
    assert b.counters(1) == {C.RX_MAC_CONTROL: 1, C.PFC_RX: 1}


@pytest.mark.parametrize("late", [0, 1])
def test_a_pause_stops_matches_from_the_fourth_cycle_on_and_time_0_resumes(
    bench: Any, late: int
) -> None:
    b = bench()
    b.setting(1, Port.PFC_CONTROL, RECEIVE)
    t = b.send(1, pfc_frame(9, 1, (0xFFFF,) * 8), at=b.cycle + 20)
    # Its last word is on the pins in t-1+late, and its match is four cycles later.
    b.send(0, b.frame(1), at=t - 8 + late)
    b.run(200)
    assert len(b.frames[1]) == 1 - late
    t = pause(b, 1, 0)
    b.run(40)
    assert b.frames[1][0].first == t + 4 + 6 or not late


def test_classes_pause_the_vcs_that_vc_map_gives_them(bench: Any) -> None:
    b = bench("tiny", "vcs=3")
    b.setting(1, Port.PFC_CONTROL, 7 * RECEIVE)
    b.setting(1, Port.VC_MAP, 0x00002F10)
    b.run(3)
    for classes, expected in ((1, 1), (2, 2), (4, 4), (8, 4), (0xF0, 1), (0x12, 3)):
        pause(b, 1, 0xFFFF, classes)
        b.drain(4)
        assert b.switch.ports[1].flow_control.pause_receiver.paused == expected
        pause(b, 1, 0, 0xFF)
        b.drain(4)
    b.setting(1, Port.PFC_CONTROL, 2 * RECEIVE)
    pause(b, 1, 0xFFFF, 0xFF)
    b.drain(4)
    assert b.switch.ports[1].flow_control.pause_receiver.paused == 2


def test_a_pause_that_came_before_the_setting_counts(bench: Any) -> None:
    b = bench()
    t = pause(b, 1, 10)
    at = b.setting(1, Port.PFC_CONTROL, RECEIVE, at=t + 20)
    b.until(at + 1)
    assert paused(b, 1, 4) == [0, 1, 1, 1]
    b.until(t + 4 + 79)
    assert paused(b, 1, 3) == [1, 0, 0]


@pytest.mark.parametrize(("watchdog", "restore"), [(1, 0), (5, 0), (5, 3), (20, 50)])
def test_the_watchdog_listens_no_more_for_a_while(
    bench: Any, watchdog: int, restore: int
) -> None:
    b = bench()
    b.setting(1, Port.PFC_CONTROL, RECEIVE)
    b.setting(1, Port.PFC_WATCHDOG, watchdog)
    b.setting(1, Port.PFC_RESTORE, restore)
    b.run(4)
    t = pause(b, 1, 40)
    b.until(t + 4)
    seen = paused(b, 1, 400)
    expected = ([1] * watchdog + [0] * restore) * 320
    assert seen == expected[:320] + [0] * 80
    bites = sum(n % (watchdog + restore) == watchdog - 1 for n in range(320))
    assert b.counters(1)[C.PFC_WATCHDOG] == bites


def filling(bench: Any, xoff: int, xon: int, time: int, *overrides: str) -> Any:
    """Frames that come in at port 0 stay there; PFC goes out by it."""
    b = bench("tiny", "buffer_cells=64", *overrides)
    b.ready = lambda _: 0b01
    for offset, value in ((Port.PFC_XOFF, xoff), (Port.PFC_XON, xon), (Port.PFC_TIME, time),
                          (Port.PFC_CONTROL, 3 * TRANSMIT), (Port.MAC_ADDRESS_LO, 0xABCD)):
        b.setting(0, offset, value)
    b.run(8)
    return b


@pytest.mark.parametrize("width", [64, 128, 256, 512])
def test_xoff_is_said_at_once_and_again_after_half_of_its_time(bench: Any, width: int) -> None:
    b = filling(bench, 4, 2, 50, f"data_width={width}")
    t = 0
    for n in range(30):
        t = b.send(0, b.frame(1, seed=n))
        if b.switch.ports[0].ingress_buffer.vc_cells[0] >= 4:
            break
        b.drain(12)
    b.drain(2000)
    first, *rest = b.frames[0]
    # Filed in t+3, visible in t+4, xoff in t+5, taken then, words from t+10 on, pins in t+13.
    reached = first.first - 13
    assert reached <= t
    period = 50 * (512 // width) // 2 + 2
    assert [s.first - first.first for s in rest] == [period * n for n in range(1, len(rest) + 1)]
    assert decode(first.data) == Pause(0xFF, (50, 0) * 4)
    assert first.data[6:12].hex() == "02000000abcd"
    assert {s.data for s in rest} == {first.data}
    assert b.counters(0)[C.PFC_TX] == 1 + len(rest)
    assert C.TX_FRAMES not in b.counters(0)
    b.ready = lambda _: 0b11
    b.run(400)
    assert decode(b.frames[0][-1].data) == Pause(0xFF, (0,) * 8)
    sent = len(b.frames[0])
    b.run(2000)
    assert len(b.frames[0]) == sent


def test_turning_pfc_off_resumes(bench: Any) -> None:
    b = filling(bench, 1, 0, 0xFFFF)
    for n in range(4):
        b.send(0, b.frame(1, seed=n))
    b.drain(100)
    b.setting(0, Port.PFC_CONTROL, 2 * TRANSMIT)
    b.run(60)
    assert [decode(s.data) for s in b.frames[0]] == [
        Pause(0xFF, (0xFFFF, 0) * 4), Pause(0xAA, (0,) * 8),
    ]
