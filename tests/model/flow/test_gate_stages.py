# SPDX-License-Identifier: Apache-2.0
"""Registers between what holds frames back and the scheduler, on cases worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.mac_control import CreditCounts, decode, pfc_frame
from gavel_model.ordered_set import CreditUpdate, Kind, encode_credits
from gavel_model.register_map import Counter, Port

SENDER, TOTAL, RESYNC = 1, 1 << 16, 1 << 17
STOP = 1 << 8
MATCH_TO_PINS = 6


def sending(bench: Any, *overrides: str, limit: int, total: int = 0) -> Any:
    """Frames from port 0 leave by port 1, whose VC 0 has credits: four for a longest frame."""
    b = bench("tiny", "buffer_cells=64", "gate_stages=1", *overrides)
    b.setting(1, Port.CBFC_CC_PERIOD, 0)
    b.setting(1, Port.CBFC_LIMIT, limit)
    b.setting(1, Port.CBFC_TOTAL_LIMIT, limit)
    b.setting(1, Port.CBFC_CONTROL, SENDER | RESYNC | total * TOTAL)
    b.run(10)
    return b


@pytest.mark.parametrize(("width", "match_stages", "stages"), [
    (64, 0, 1), (64, 1, 1), (128, 1, 1), (256, 0, 1), (512, 0, 1), (64, 0, 2), (64, 1, 2),
    (128, 0, 2), (128, 1, 2)])
@pytest.mark.parametrize("total", [0, 1])
def test_a_cf_update_lets_a_frame_be_matched_two_cycles_later_for_each(
    bench: Any, width: int, match_stages: int, stages: int, total: int
) -> None:
    b = sending(bench, f"data_width={width}", f"match_stages={match_stages}",
                f"gate_stages={stages}", limit=4, total=total)
    for n in range(2):
        b.send(0, b.frame(1, seed=n))
    b.drain(40)
    assert len(b.frames[1]) == 1
    t = b.cycle
    b.ctl[1, t] = encode_credits(CreditUpdate(0, 1, 0, 1), True)
    b.run(2 + stages)
    sender = b.switch.ports[1].flow_control.credit_sender
    assert (sender.used[0], b.counters(1)[Counter.RX_CTL_OS]) == (1, 1)
    assert Counter.CBFC_RX_CF_UPDATE not in b.counters(1)
    b.run(1)
    assert (sender.used[0], b.counters(1)[Counter.CBFC_RX_CF_UPDATE]) == (0, 1)
    b.run(30)
    assert b.frames[1][1].first == t + 3 + 2 * stages + match_stages + total + MATCH_TO_PINS


@pytest.mark.parametrize("width", [256, 512])
@pytest.mark.parametrize("total", [0, 1])
@pytest.mark.parametrize("read", [0, 1, 2])
def test_matches_under_way_count_two_cycles_longer(
    bench: Any, width: int, total: int, read: int
) -> None:
    b = sending(bench, f"data_width={width}", f"read_stages={read}", limit=7, total=total)
    for n in range(6):
        b.send(0, b.frame(1, seed=n), at=b.cycle if n == 0 else None)
    b.drain(60)
    first = b.frames[1][0].first
    assert [s.first - first for s in b.frames[1]] == [(6 + read + total) * n for n in range(4)]


def test_matches_in_every_cycle_never_pass_the_limit(bench: Any) -> None:
    b = sending(bench, "data_width=512", limit=6 * 4)
    for n in range(30):
        b.send(0, b.frame(1, seed=n))
    b.drain(60)
    # Six matches take room for six longest frames; then each waits for what one did not need.
    assert [s.first - b.frames[1][0].first for s in b.frames[1]][:6] == list(range(6))
    assert b.switch.ports[1].flow_control.credit_sender.used[0] == len(b.frames[1]) == 21


@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize("late", [0, 1])
def test_a_pause_stops_matches_a_cycle_later_for_each(bench: Any, late: int, stages: int) -> None:
    b = bench("tiny", f"gate_stages={stages}")
    b.setting(1, Port.PFC_CONTROL, 1)
    t = b.send(1, pfc_frame(9, 1, (0xFFFF,) * 8), at=b.cycle + 20)
    # Its last word is on the pins in t+late, with two stages a cycle later, and its match is four
    # cycles later.
    b.send(0, b.frame(1), at=t - 8 + stages + late)
    b.until(t + 4)
    flow = b.switch.ports[1].flow_control
    for _ in range(stages):
        assert (flow.pause_receiver.paused, flow.paused, flow.allow) == (1, 0, 3)
        b.run(1)
    assert (flow.paused, flow.allow) == (1, 2)
    b.run(40)
    assert len(b.frames[1]) == 1 - late
    t = b.send(1, pfc_frame(9, 1, (0,) * 8))
    b.drain(40)
    assert b.frames[1][0].first == (
        t + 4 + stages + MATCH_TO_PINS if late else b.frames[1][0].first)


@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize("late", [0, 1])
def test_a_stop_counts_a_cycle_after_it_is_visible_for_each(
    bench: Any, late: int, stages: int
) -> None:
    b = bench("tiny", f"gate_stages={stages}")
    at = b.setting(1, Port.VC_CONTROL, STOP, at=b.cycle + 20)
    # Visible in at+2; the match is in at+1+stages+late, or not.
    b.send(0, b.frame(1), at=at + 1 + stages + late - 4 - 7)
    b.drain(40)
    assert len(b.frames[1]) == 1 - late


@pytest.mark.parametrize("stages", [1, 2])
def test_after_reset_all_may_send_at_once(retry: Any, stages: int) -> None:
    b = retry(f"gate_stages={stages}", settings={Port.LLR_WINDOW_FRAMES: 1, Port.VC_CONTROL: STOP})
    flow = b.switch.ports[1].flow_control
    b.setting(1, Port.VC_CONTROL, 0)
    b.feed()
    b.drain(30)
    b.setting(1, Port.VC_CONTROL, STOP)
    b.run(6)
    assert b.tx.hold
    assert (flow.allow, flow.stopped) == (2, 1)
    b.reset(b.cycle)
    b.run(1)
    assert not b.tx.hold
    assert (flow.allow, b.switch.allow[1], flow.stopped) == (3, 3, 0)
    b.run(2)
    assert not b.tx.hold
    assert (flow.allow, flow.stopped) == (3, 0)


@pytest.mark.parametrize(("width", "stages", "match_stages"), [
    (64, 1, 0), (512, 1, 0), (64, 2, 0), (128, 2, 0), (128, 2, 1)])
def test_the_window_in_frames_is_never_passed_and_all_of_it_is_used(
    retry: Any, width: int, stages: int, match_stages: int
) -> None:
    b = retry(f"gate_stages={stages}", f"data_width={width}", f"match_stages={match_stages}",
              settings={Port.LLR_WINDOW_FRAMES: 3})
    b.feed(5)
    b.drain(40)
    words = 512 // width
    first = b.frames[1][0].first
    assert [s.first - first for s in b.frames[1]] == [words * n for n in range(3)]
    assert sum(b.switch.ports[0].voq_frames) == 2
    n = b.ordered_set(1, Kind.ACK, 0)
    b.until(n + 2 + stages)
    assert b.tx.hold
    b.run(1)
    # oldest is 1 in n+3: with one stage a match in n+4, the first word on the pins in n+10.
    assert not b.tx.hold
    b.drain(40)
    assert len(b.frames[1]) == 4
    assert b.frames[1][3].first == n + 3 + stages + match_stages + MATCH_TO_PINS


@pytest.mark.parametrize("read", [0, 1, 2])
@pytest.mark.parametrize(("width", "stages"), [
    (64, 1), (128, 1), (256, 1), (512, 1), (64, 2), (128, 2)])
def test_a_cc_update_tells_of_all_frames_before_it(
    bench: Any, width: int, stages: int, read: int
) -> None:
    b = sending(bench, f"data_width={width}", f"gate_stages={stages}", f"read_stages={read}",
                limit=0xFFFF)
    b.setting(1, Port.CBFC_CC_PERIOD, 37)
    for n in range(100):
        b.send(0, b.frame(1, seed=n))
    b.drain(60)
    before, updates = 0, 0
    for sent in b.frames[1]:
        item = decode(sent.data)
        if isinstance(item, CreditCounts):
            assert item.consumed[0] == before
            updates += 1
        else:
            before += 1
    assert before > 60
    assert updates > 2


@pytest.mark.parametrize(("total", "match_stages", "matches"), [
    # Of a limit of 11 a match takes 4 until its frame counts as one in s+4: beside it there must be
    # room for one of c-6...c-3, which is 1 + 2 * 4 behind the first, or in total mode for two.
    (0, 0, [0, 4, 8, 12, 16, 23, 30, 37]),
    (0, 1, [0, 4, 8, 12, 16, 24, 32, 40]),
    (1, 0, [0, 4, 8, 12, 16, 24, 32, 40]),
    (1, 1, [0, 4, 9, 13, 18, 27, 36, 45]),
])
def test_two_stages_with_frames_of_four_words(
    bench: Any, total: int, match_stages: int, matches: list[int]
) -> None:
    b = sending(bench, "data_width=128", "gate_stages=2", f"match_stages={match_stages}",
                limit=3 * 4 - 1, total=total)
    for n in range(12):
        b.send(0, b.frame(1, seed=n))
    b.drain(60)
    assert [s.first - b.frames[1][0].first for s in b.frames[1]] == matches
    assert b.switch.ports[1].flow_control.credit_sender.used[0] == len(matches)


@pytest.mark.parametrize("stages", [1, 2])
def test_with_two_stages_credits_are_given_back_a_cycle_later(bench: Any, stages: int) -> None:
    b = bench("tiny", "buffer_cells=64", f"gate_stages={stages}")
    b.setting(0, Port.CBFC_CONTROL, SENDER << 8)
    b.run(200)
    b.sets[0].clear()
    t = b.send(0, b.frame(1))
    b.run(60)
    # Eight words, the last of them read in t+12; visible in t+14, chosen then, loaded in t+15.
    assert b.sets[0][0] == (t + 15 + stages, encode_credits(CreditUpdate(0, 1, 0, 1), True))


@pytest.mark.parametrize("stages", [1, 2])
def test_with_two_stages_a_pause_is_asked_for_a_cycle_later(bench: Any, stages: int) -> None:
    b = bench("tiny", f"gate_stages={stages}")
    b.setting(0, Port.PFC_XOFF, 1)
    b.setting(0, Port.PFC_CONTROL, SENDER << 8)
    b.run(20)
    t = b.send(0, b.frame(1))
    flow = b.switch.ports[0].flow_control
    # Filed in t+3, visible in t+4.
    b.until(t + 5)
    assert (flow.pause_sender.xoff, flow.pause_sender.wanted) == (1, stages == 1)
    b.run(1)
    assert flow.pause_sender.wanted or b.counters(0)[Counter.PFC_TX]
    b.run(stages - 1)
    assert b.counters(0)[Counter.PFC_TX] == 1
