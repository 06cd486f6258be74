# SPDX-License-Identifier: Apache-2.0
"""MAC Control frames between other frames, and the registers that show flow control."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gavel_model.frame import append_fcs
from gavel_model.mac_control import CreditCounts, cc_update_frame, decode
from gavel_model.ordered_set import Kind
from gavel_model.register_map import Counter, Port

C = Counter
SENDER = 1


def reporting(bench: Any, *overrides: str, period: int) -> Any:
    """Port 1 sends a CC_Update every so many cycles; credits never run out."""
    b = bench("tiny", *overrides)
    b.setting(1, Port.CBFC_LIMIT, 0xFFFFF)
    b.setting(1, Port.CBFC_CC_PERIOD, period)
    b.at = b.setting(1, Port.CBFC_CONTROL, SENDER)
    return b


@pytest.mark.parametrize("width", [64, 128, 256, 512])
@pytest.mark.parametrize("period", [1, 30, 31])
def test_cc_updates_are_periodic(bench: Any, width: int, period: int) -> None:
    b = reporting(bench, f"data_width={width}", period=period)
    b.run(500)
    starts = [s.first for s in b.frames[1]]
    # Visible in at+2, counted from then; wanted, and taken, `period` cycles later.
    assert starts[0] == b.at + 2 + period + 8
    words = 512 // width
    gap = max(period, words + 2)
    assert {late - early for early, late in itertools.pairwise(starts)} == {gap}
    assert {s.data for s in b.frames[1]} == {cc_update_frame(0x020000000001, (0,))}


@pytest.mark.parametrize("width", [64, 512])
def test_a_cc_update_counts_just_the_frames_before_it(bench: Any, width: int) -> None:
    b = reporting(bench, f"data_width={width}", period=41)
    for n in range(200):
        b.send(0, b.frame(1, 64 + n % 190, seed=n), at=None if n else 10)
    b.drain()
    b.setting(1, Port.CBFC_CC_PERIOD, 0)
    b.run(60)
    count = frames = 0
    for sent in b.frames[1]:
        item = decode(sent.data) if sent.data[12:14] == b"\x88\x08" else None
        if isinstance(item, CreditCounts):
            assert item.consumed == (count, *[0] * 15)
        else:
            count += -(-len(sent.data) // 64)
            frames += 1
    assert frames == b.counters(1)[C.TX_FRAMES] == b.counters(0)[C.RX_FRAMES]
    assert b.counters(1)[C.CBFC_TX_CC_UPDATE] == len(b.frames[1]) - frames > 5


@pytest.mark.parametrize("width", [64, 128, 256, 512])
def test_a_control_frame_takes_its_words_and_one_cycle_more(bench: Any, width: int) -> None:
    """Matches go on in s+n+2: on the pins there is one free cycle before the control frame, if the
    frame before it is longer than it needs, and none after it."""
    b = reporting(bench, f"data_width={width}", "islip_iterations=2", period=60)
    for n in range(60):
        b.send(0, b.frame(1, 256, seed=n), at=None if n else 10)
    b.drain()
    words = 512 // width
    spans = [(s.first, s.last, s.data[12:14] == b"\x88\x08") for s in b.frames[1]]
    ends = [(before[1], now, after[0]) for before, now, after in
            zip(spans, spans[1:], spans[2:], strict=False) if now[2]]
    busy = [(now[0] - early, late - now[1]) for early, now, late in ends
            if late - early < words + 6]
    assert busy
    assert set(busy) == {(3, 1)}


def test_a_control_frame_has_a_number_and_is_sent_again(retry: Any) -> None:
    b = retry(settings={Port.CBFC_LIMIT: 0xFFFFF, Port.CBFC_CC_PERIOD: 0})
    b.setting(1, Port.CBFC_CONTROL, SENDER)
    b.run(4)
    b.feed(2)
    b.run(40)
    b.setting(1, Port.CBFC_CC_PERIOD, 50)
    b.run(64)
    b.setting(1, Port.CBFC_CC_PERIOD, 0)
    b.run(20)
    b.ordered_set(1, Kind.NACK, 0)
    b.run(60)
    assert [s.seq for s in b.frames[1]] == [0, 1, 2, 1, 2]
    again = b.frames[1][4].data
    assert again == b.frames[1][2].data == cc_update_frame(0x020000000001, (2,))
    assert b.counters(1)[C.LLR_TX_OK] == 5
    assert b.counters(1)[C.CBFC_TX_CC_UPDATE] == 1


def test_an_output_that_is_held_takes_no_control_frame(bench: Any) -> None:
    b = reporting(bench, period=20)
    b.ready = lambda _: 0b01
    b.run(300)
    # Eight words wait for the pins at most, and what was matched before.
    taken = b.counters(1)[C.CBFC_TX_CC_UPDATE]
    assert taken == 2
    b.ready = lambda _: 0b11
    b.run(100)
    assert b.counters(1)[C.CBFC_TX_CC_UPDATE] > taken


def test_other_mac_control_frames_do_nothing(bench: Any) -> None:
    b = bench()
    frame = bytearray(cc_update_frame(5, (7,)))
    for place in (14, 16, 19):
        wrong = bytearray(frame)
        wrong[place] ^= 0x10
        b.send(0, append_fcs(bytes(wrong[:-4])))
    b.drain()
    assert b.counters(0) == {C.RX_MAC_CONTROL: 3}


def test_status_shows_all_masks(bench: Any) -> None:
    b = bench("tiny", "vcs=8")
    flow = b.switch.ports[1].flow_control
    flow.credit_sender.waiting = 0x81
    flow.pause_receiver.paused = 0x42
    flow.pause_sender.xoff = 0x24
    assert b.read(0x500 + Port.CBFC_STATUS) == 0x244281


def test_credits_and_cells_are_registers(bench: Any) -> None:
    b = bench("tiny", "vcs=3", "buffer_cells=64")
    port = b.switch.ports[1]
    for vc in range(3):
        port.flow_control.credit_sender.consumed[vc] = 100 + vc
        port.flow_control.credit_sender.used[vc] = 10 + vc
        port.flow_control.credit_receiver.consumed[vc] = 200 + vc
        port.flow_control.credit_receiver.stored[vc] = 201
        port.ingress_buffer.vc_cells[vc] = 30 + vc
    for base, values in (
        (Port.CBFC_S_CC, [100, 101, 102]), (Port.CBFC_S_CF, [90, 90, 90]),
        (Port.CBFC_R_CC, [200, 201, 202]), (Port.CBFC_R_CF, [0xFFFFF, 0, 1]),
        (Port.VC_CELLS, [30, 31, 32]),
    ):
        assert [b.read(0x500 + base + vc) for vc in range(4)] == [*values, 0]
