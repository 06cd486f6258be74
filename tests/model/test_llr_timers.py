# SPDX-License-Identifier: Apache-2.0
"""Chapter 6 of llr.md: replay timer, replay count, data age, and a link that is down."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.llr_timers import TransmitterState
from gavel_model.ordered_set import Kind
from gavel_model.register_map import Counter, Port

C = Counter
S = TransmitterState


@pytest.mark.parametrize("timer", [1, 2, 50])
def test_replay_timer(retry: Any, timer: int) -> None:
    b = retry(settings={Port.LLR_REPLAY_TIMER: timer})
    launched = b.feed()
    # next in launched+1; replay_time is k in launched+1+k.
    seen = b.states(launched + 1 + timer, launched + 2 + timer)
    assert seen == [S.ADVANCE, S.REPLAY]
    b.until(launched + 20 + timer)
    assert b.frames[1][1].first == launched + 1 + timer + 5
    assert b.frames[1][1].seq == 0


@pytest.mark.parametrize(("late", "replays"), [(0, 0), (1, 1)])
def test_progress_in_the_last_cycle_of_the_replay_timer(
    retry: Any, late: int, replays: int
) -> None:
    b = retry(settings={Port.LLR_REPLAY_TIMER: 100})
    launched = b.feed()
    b.ordered_set(1, Kind.ACK, 0, at=launched + 101 - 2 + late)
    b.drain(150)
    assert b.counters(1).get(C.LLR_TX_REPLAY, 0) == replays


def test_progress_starts_the_replay_timer_anew(retry: Any) -> None:
    b = retry(settings={Port.LLR_REPLAY_TIMER: 100})
    launched = b.feed(2)
    ack = b.ordered_set(1, Kind.ACK, 0, at=launched + 60)
    # 0 in ack+3, so 100 in ack+103.
    seen = b.states(ack + 103, ack + 104)
    assert seen == [S.ADVANCE, S.REPLAY]
    assert b.tx.replay_from == 1


def test_the_replay_timer_holds_while_the_link_is_down(retry: Any) -> None:
    b = retry(settings={Port.LLR_REPLAY_TIMER: 100})
    launched = b.feed()
    b.up = lambda cycle: -1 if not launched + 20 <= cycle < launched + 50 else 0b01
    assert b.states(launched + 131, launched + 132) == [S.ADVANCE, S.REPLAY]


def test_replays_without_progress_end_in_a_flush_and_a_new_init(retry: Any) -> None:
    b = retry(settings={Port.LLR_REPLAY_TIMER: 100, Port.LLR_REPLAY_COUNT: 2})
    launched = b.feed()
    first = launched + 101  # replay wanted
    b.until(first + 1)
    assert (b.tx.state, b.tx.replays) == (S.REPLAY, 1)
    # Launched again in first+4...first+11, ADVANCE in first+13, and 100 cycles on.
    second = first + 13 + 100
    assert b.states(second, second + 1) == [S.ADVANCE, S.REPLAY]
    third = second + 113
    # Restart, release, freeing over: INIT in the fourth cycle of FLUSH.
    seen = b.states(third, third + 5)
    assert seen == [S.ADVANCE, S.FLUSH, S.FLUSH, S.FLUSH, S.FLUSH, S.INIT]
    counters = b.counters(1)
    assert (counters[C.LLR_TX_REPLAY], counters[C.LLR_TX_FLUSH]) == (2, 1)
    assert (b.tx.replays, b.tx.buffer.used, b.tx.handshake.data) == (0, 0, 1)
    assert C.LLR_TX_DISCARD not in counters


def test_progress_clears_the_count_of_replays(retry: Any) -> None:
    b = retry(settings={Port.LLR_REPLAY_COUNT: 1})
    b.feed(4)
    b.drain(20)
    for value in (0, 1, 2):
        b.ordered_set(1, Kind.NACK, value)
        b.run(40)
        assert (b.tx.state, b.tx.replays) == (S.ADVANCE, 1)
    b.ordered_set(1, Kind.NACK, 2)
    b.run(3)
    assert b.tx.state is S.FLUSH


@pytest.mark.parametrize(("limit", "state"), [(0, S.FLUSH), (255, S.REPLAY)])
def test_no_replay_and_any_number_of_them(retry: Any, limit: int, state: S) -> None:
    b = retry(settings={Port.LLR_REPLAY_COUNT: limit})
    b.feed()
    b.drain(20)
    b.tx.replays = 255 if limit else 0
    n = b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
    b.until(n + 3)
    assert b.tx.state is state
    assert b.tx.replays == limit


@pytest.mark.parametrize("age", [1, 2, 3, 60])
def test_data_age(retry: Any, age: int) -> None:
    b = retry(settings={Port.LLR_DATA_AGE: age})
    launched = b.feed()
    # Needs `oldest` to be outstanding in two cycles: launched+1 and launched+2.
    flush = launched + max(age, 2)
    assert b.states(flush, flush + 1) == [S.ADVANCE, S.FLUSH]
    assert b.counters(1)[C.LLR_TX_FLUSH] == 1


def test_the_age_is_that_of_the_oldest_frame_since_its_first_transmission(retry: Any) -> None:
    b = retry(settings={Port.LLR_DATA_AGE: 100})
    launched = b.feed(2)
    b.ordered_set(1, Kind.ACK, 0, at=launched + 30)
    b.ordered_set(1, Kind.NACK, 0, at=launched + 50)  # a replay makes it no younger
    assert b.states(launched + 100, launched + 101) == [S.ADVANCE, S.FLUSH]


@pytest.mark.parametrize(("late", "flushes"), [(0, 0), (1, 1)])
def test_progress_in_the_last_cycle_of_the_data_age(retry: Any, late: int, flushes: int) -> None:
    b = retry(settings={Port.LLR_DATA_AGE: 100})
    launched = b.feed()
    b.ordered_set(1, Kind.ACK, 0, at=launched + 100 - 2 + late)
    b.drain(150)
    assert b.counters(1).get(C.LLR_TX_FLUSH, 0) == flushes


def test_a_link_down_for_long_flushes(retry: Any) -> None:
    b = retry(settings={Port.LLR_PCS_LOST: 40})
    start = b.cycle
    b.up = lambda cycle: 0b01 if cycle >= start else -1
    # Down as visible in start+1, down_time is k in start+1+k; nothing is outstanding, so INIT
    # two cycles after the first of FLUSH: restart and loading.
    seen = b.states(start + 41, start + 45)
    assert seen == [S.ADVANCE, S.FLUSH, S.FLUSH, S.FLUSH, S.INIT]


def test_a_link_down_for_less_does_not(retry: Any) -> None:
    b = retry(settings={Port.LLR_PCS_LOST: 40})
    start = b.cycle
    b.up = lambda cycle: 0b01 if start <= cycle < start + 39 or cycle >= start + 40 else -1
    assert set(b.states(start, start + 80)) == {S.ADVANCE}
    b.run(10)
    assert b.tx.state is S.INIT


def test_no_frame_begins_while_the_link_is_down(retry: Any) -> None:
    b = retry()
    launched = b.feed(3)
    down = launched - 12
    b.up = lambda cycle: 0b01 if down <= cycle < down + 100 else -1
    b.drain(200)
    # The frame under way ends; the next begins when the link is up again.
    first = [s.first for s in b.frames[1]]
    assert first[1] < down + 10
    assert first[2] == down + 100 + 1 + 1
    assert [s.data for s in b.frames[1]] == b.expected(1, 2, 3)
