# SPDX-License-Identifier: Apache-2.0
"""Chapter 6 of llr.md: INIT, ADVANCE and REPLAY, cycle by cycle."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.llr_timers import TransmitterState
from gavel_model.ordered_set import Kind
from gavel_model.register_map import Counter, Port

C = Counter
S = TransmitterState


def test_from_off_to_advance(retry: Any) -> None:
    b = retry(advance=False)
    b.setting(1, Port.LLR_INIT_SEQ, 77)
    at = b.llr(1, remote=1)
    assert b.states(at, at + 3) == [S.OFF, S.OFF, S.OFF, S.INIT]
    window = b.tx.window
    assert (window.oldest, window.next, window.send, window.released) == (77, 77, 77, 77)
    t = b.ordered_set(1, Kind.INIT_ECHO, 77, 0)
    assert b.states(t, t + 4) == [S.INIT, S.INIT, S.INIT, S.INIT, S.ADVANCE]
    assert b.counters(1)[C.LLR_RX_INIT_ECHO_CTL_OS] == 1


@pytest.mark.parametrize(("value", "data"), [(76, 0), (78, 0), (77, 1)])
def test_an_echo_that_does_not_fit_is_only_counted(retry: Any, value: int, data: int) -> None:
    b = retry(advance=False)
    b.setting(1, Port.LLR_INIT_SEQ, 77)
    b.llr(1, remote=1)
    b.run(5)
    b.ordered_set(1, Kind.INIT_ECHO, value, data)
    b.run(20)
    assert b.tx.state is S.INIT
    assert b.counters(1)[C.LLR_RX_INIT_ECHO_CTL_OS] == 1


def test_an_echo_counts_from_the_first_cycle_of_init_on(retry: Any) -> None:
    for late, state in ((0, S.INIT), (1, S.ADVANCE)):
        b = retry(advance=False)
        at = b.llr(1, remote=1, at=10)  # INIT in at+3
        b.ordered_set(1, Kind.INIT_ECHO, 0, 0, at=at + late)  # takes effect in at+2+late
        b.run(30)
        assert b.tx.state is state


def test_init_data_counts_the_times_that_init_was_entered(retry: Any) -> None:
    b = retry(settings={Port.LLR_INIT_DATA: 0xFFFE})
    assert b.tx.handshake.data == 0xFFFE
    for data in (0xFFFF, 0, 1):
        b.llr(1)
        b.run(10)
        b.llr(1, remote=1)
        b.run(4)
        assert (b.tx.state, b.tx.handshake.data) == (S.INIT, data)


def test_init_seq_has_seq_bits(retry: Any) -> None:
    b = retry("seq_bits=5", settings={Port.LLR_INIT_SEQ: 0xFFFFD})
    assert b.tx.window.next == 0x1D


def test_off_to_init_waits_for_the_end_of_a_frame_under_way(retry: Any) -> None:
    b = retry(advance=False)
    t = b.send(0, b.frame(1, 200))
    b.send(0, b.frame(1, 64))
    last = t + 9 + 24
    b.llr(1, remote=1, at=t + 15)
    assert b.states(last, last + 2) == [S.OFF, S.OFF, S.INIT]
    b.run(60)
    # The second frame waits in the buffer, and is sent with a number after the echo.
    assert [s.seq for s in b.frames[1]] == [None]
    b.ordered_set(1, Kind.INIT_ECHO, 0, 0)
    b.run(40)
    assert [s.seq for s in b.frames[1]] == [None, 0]


@pytest.mark.parametrize("width", [64, 128, 256, 512])
def test_latency_is_the_same_in_advance(retry: Any, width: int) -> None:
    b = retry(f"data_width={width}")
    for length in (64, 65, 130, 256):
        t = b.send(0, b.frame(1, length))
        b.run(100)
        sent = b.frames[1].pop()
        assert (sent.first, sent.data) == (t + 10, b.frame(1, length))
        b.ordered_set(1, Kind.ACK, sent.seq)


def test_numbers_and_counters(retry: Any) -> None:
    b = retry(settings={Port.LLR_INIT_SEQ: (1 << 20) - 2})
    launched = b.feed(3)
    window = b.tx.window
    b.until(launched)
    assert (window.oldest, window.next, window.send) == ((1 << 20) - 2, 0, 0)
    b.run(1)
    assert (window.oldest, window.next, window.send) == ((1 << 20) - 2, 1, 1)
    b.drain(20)
    assert [s.seq for s in b.frames[1]] == [(1 << 20) - 2, (1 << 20) - 1, 0]
    assert b.counters(1)[C.LLR_TX_OK] == 3


def test_used_waiting_and_unsent(retry: Any) -> None:
    b = retry()
    t = b.send(0, b.frame(1, 100), at=100)  # 13 words; matched in t+4, written from t+7 on
    seen = []
    for cycle in (t + 4, t + 5, t + 19, t + 20, t + 21, t + 22):
        b.until(cycle)
        buffer = b.tx.buffer
        seen.append((buffer.used, buffer.waiting, buffer.unsent))
    # The last word is written in t+19 and launched in t+21.
    assert seen == [(0, 0, 0), (32, 1, 0), (32, 1, 2), (13, 1, 2), (13, 1, 1), (13, 0, 0)]
    n = b.ordered_set(1, Kind.ACK, 0)
    b.until(n + 4)
    # oldest in n+3, freeing in n+4, given back in it.
    assert (b.tx.window.oldest, b.tx.window.freeing, buffer.used) == (1, True, 13)
    b.run(1)
    assert (b.tx.window.freeing, buffer.used) == (False, 0)


def test_acks_are_cumulative(retry: Any) -> None:
    b = retry()
    b.feed(5)
    b.drain(20)
    b.ordered_set(1, Kind.ACK, 2)
    b.run(6)
    assert (b.tx.window.oldest, b.tx.window.released, b.tx.buffer.used) == (3, 3, 16)
    b.ordered_set(1, Kind.ACK, 2)  # again: nothing
    b.run(6)
    assert (b.tx.window.oldest, b.tx.buffer.used) == (3, 16)
    assert C.LLR_RX_ACK_NACK_SEQ_ERROR not in b.counters(1)


@pytest.mark.parametrize("kind", [Kind.ACK, Kind.NACK])
@pytest.mark.parametrize("value", [1, 5, 500, (1 << 20) - 1])
def test_an_ack_outside_of_the_window_is_an_error(retry: Any, kind: Kind, value: int) -> None:
    b = retry()
    b.feed(5)
    b.drain(20)
    b.ordered_set(1, Kind.ACK, 2)
    b.run(6)
    b.ordered_set(1, kind, value)
    b.run(6)
    assert (b.tx.window.oldest, b.tx.state) == (3, S.ADVANCE)
    assert b.counters(1)[C.LLR_RX_ACK_NACK_SEQ_ERROR] == 1


def test_releases_may_start_in_every_cycle(retry: Any) -> None:
    b = retry()
    b.feed(3)
    b.drain(20)
    n = b.cycle
    for value in range(3):
        b.ordered_set(1, Kind.ACK, value, at=n + value)
    used = []
    for _ in range(9):
        used.append(b.tx.buffer.used)
        b.run(1)
    assert used == [24, 24, 24, 24, 24, 16, 8, 0, 0]


def test_seven_cycles_from_the_nack_to_the_first_word(retry: Any) -> None:
    b = retry()
    b.feed(3)
    b.drain(20)
    b.frames[1].clear()
    n = b.ordered_set(1, Kind.NACK, 0)
    assert b.states(n, n + 3) == [S.ADVANCE] * 3 + [S.REPLAY]
    assert (b.tx.window.oldest, b.tx.replays) == (1, 1)
    b.drain(40)
    assert b.shown() == [(1, b.frame(1, seed=2)), (2, b.frame(1, seed=3))]
    assert b.frames[1][0].first == n + 7
    assert b.frames[1][1].last == n + 7 + 15
    counters = b.counters(1)
    assert (counters[C.LLR_TX_REPLAY], counters[C.LLR_TX_OK]) == (1, 5)


def test_the_way_back_to_advance(retry: Any) -> None:
    b = retry()
    b.feed()
    b.drain(20)
    n = b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
    # Launched in n+6...n+13; `send` = `next` is visible in n+14.
    seen = b.states(n + 3, n + 15)
    assert seen == [S.REPLAY] * 12 + [S.ADVANCE]
    b.ordered_set(1, Kind.ACK, 0)
    b.run(6)
    assert (b.tx.buffer.used, b.tx.window.oldest, b.tx.replays) == (0, 1, 0)


def test_new_frames_follow_a_replay_without_a_gap(retry: Any) -> None:
    b = retry()
    b.feed(2)
    b.drain(20)
    b.frames[1].clear()
    b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
    b.feed(2)
    b.drain(40)
    assert [s.seq for s in b.frames[1]] == [0, 1, 2, 3]
    assert b.frames[1][-1].last - b.frames[1][0].first == 31
    assert [s.data for s in b.frames[1]] == b.expected(1, 2, 3, 4)


def test_a_replay_waits_for_the_end_of_the_frame_under_way(retry: Any) -> None:
    b = retry()
    b.feed()
    b.drain(20)
    b.frames[1].clear()
    launched = b.feed(size=200)
    n = b.ordered_set(1, Kind.NACK, (1 << 20) - 1, at=launched - 12)
    b.drain(120)
    # Restart in the cycle after the launch of the last word, first word on the pins 4 later.
    assert [s.seq for s in b.frames[1]] == [1, 0, 1]
    assert b.frames[1][1].first == launched + 1 + 4
    assert n < launched


def test_a_nack_of_all_that_was_sent_is_an_ack(retry: Any) -> None:
    b = retry()
    b.feed(2)
    b.drain(20)
    b.ordered_set(1, Kind.NACK, 1)
    b.run(20)
    assert (b.tx.state, b.tx.window.oldest, b.tx.buffer.used) == (S.ADVANCE, 2, 0)
    assert C.LLR_TX_REPLAY not in b.counters(1)
    assert C.LLR_RX_ACK_NACK_SEQ_ERROR not in b.counters(1)


def test_a_nack_in_replay_starts_anew_unless_it_is_the_same(retry: Any) -> None:
    for value, numbers in ((0, [1, 2, 3, 4]), (1, [1, 2, 2, 3, 4])):
        b = retry()
        b.feed(5)
        b.drain(20)
        b.frames[1].clear()
        n = b.ordered_set(1, Kind.NACK, 0)
        b.ordered_set(1, Kind.NACK, value, at=n + 18)  # while 2 is under way
        b.drain(80)
        assert [s.seq for s in b.frames[1]] == numbers
        assert b.counters(1)[C.LLR_TX_REPLAY] == (1 if value == 0 else 2)


def test_an_ack_overtakes_a_replay(retry: Any) -> None:
    b = retry()
    b.feed(5)
    b.drain(20)
    b.frames[1].clear()
    n = b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
    # Frame 0 is launched in n+6...n+13. The ACK of 0...2 takes effect in n+10.
    b.ordered_set(1, Kind.ACK, 2, at=n + 8)
    b.until(n + 12)
    # oldest is 3: the reader is behind, and nothing is released under it.
    assert (b.tx.window.oldest, b.tx.window.behind, b.tx.window.released) == (3, True, 0)
    # mid = 0 in n+14: restart is set, carried out in n+15, and frame 3 goes on from there.
    b.until(n + 15)
    assert (b.tx.restart, b.tx.window.send) == (True, 1)
    b.run(1)
    assert (b.tx.restart, b.tx.loading, b.tx.window.send) == (False, True, 3)
    b.drain(60)
    assert [s.seq for s in b.frames[1]] == [0, 3, 4]
    assert b.frames[1][1].first == n + 15 + 4
    assert b.tx.state is S.ADVANCE
    assert b.counters(1)[C.LLR_TX_REPLAY] == 1
    assert b.tx.buffer.used == 16


def test_everything_is_acknowledged_while_it_is_sent_again(retry: Any) -> None:
    b = retry()
    b.feed(3)
    b.drain(20)
    b.frames[1].clear()
    n = b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
    b.ordered_set(1, Kind.ACK, 2, at=n + 10)
    b.feed()
    b.drain(60)
    assert [s.seq for s in b.frames[1]] == [0, 3]
    assert b.tx.state is S.ADVANCE
    assert b.tx.buffer.used == 8


@pytest.mark.parametrize("late", range(11))
def test_an_ack_in_any_cycle_around_a_restart(retry: Any, late: int) -> None:
    b = retry()
    b.feed(4)
    b.drain(20)
    b.frames[1].clear()
    n = b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
    b.ordered_set(1, Kind.ACK, 1, at=n + 1 + late)
    b.drain(80)
    numbers = [s.seq for s in b.frames[1]]
    # Visible in n+4+late; the first word of frame 0 is launched in n+6 unless it is known then.
    assert numbers == ([2, 3] if late < 3 else [0, 2, 3])
    assert (b.tx.state, b.tx.buffer.used) == (S.ADVANCE, 16)
