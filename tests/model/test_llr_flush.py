# SPDX-License-Identifier: Apache-2.0
"""Chapter 6 of llr.md: FLUSH, what happens to frames in it and in INIT, and turning off."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.llr_timers import TransmitterState
from gavel_model.ordered_set import Kind
from gavel_model.register_map import Action, Counter, Port

C = Counter
S = TransmitterState


def flushed(retry: Any, **changes: int) -> Any:
    """Port 1 has just come to FLUSH; one frame was kept, with its last word launched."""
    b = retry(settings={Port.LLR_REPLAY_COUNT: 0}, **changes)
    b.feed()
    b.drain(20)
    b.frames[1].clear()
    n = b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
    b.until(n + 3)
    assert b.tx.state is S.FLUSH
    return b


@pytest.mark.parametrize("action", list(Action))
def test_actions_in_flush(retry: Any, action: Action) -> None:
    b = flushed(retry, flush_action=action, reinit=0)
    b.feed(3)
    b.drain(60)
    assert b.tx.state is S.FLUSH
    assert b.tx.hold == (action is Action.BLOCK)
    blocked = sum(b.switch.ports[0].voq_frames)
    assert blocked == (3 if action is Action.BLOCK else 0)
    assert b.counters(1).get(C.LLR_TX_DISCARD, 0) == (3 if action is Action.DISCARD else 0)
    sent = b.expected(2, 3, 4) if action is Action.BEST_EFFORT else []
    assert b.shown() == [(None, data) for data in sent]
    assert b.tx.buffer.used == b.tx.buffer.waiting == b.tx.buffer.unsent == 0
    b.llr(1, remote=1, flush_action=action)  # reinit
    b.run(5)
    assert b.tx.state is S.INIT


@pytest.mark.parametrize("action", list(Action))
def test_actions_in_init(retry: Any, action: Action) -> None:
    b = retry(advance=False)
    b.llr(1, remote=1, init_action=action)
    b.run(5)
    b.feed(3)
    b.drain(60)
    assert b.tx.hold == (action is Action.BLOCK)
    assert b.counters(1).get(C.LLR_TX_DISCARD, 0) == (3 if action is Action.DISCARD else 0)
    sent = b.expected(1, 2, 3) if action is Action.BEST_EFFORT else []
    assert b.shown() == [(None, data) for data in sent]
    b.ordered_set(1, Kind.INIT_ECHO, 0, 0)
    b.run(60)
    held = b.expected(1, 2, 3) if action is Action.BLOCK else []
    assert b.shown() == [(None, data) for data in sent] + list(enumerate(held))
    assert C.LLR_TX_OK not in b.counters(1) or held


def test_best_effort_has_the_latency_of_off(retry: Any) -> None:
    b = retry(advance=False)
    b.llr(1, remote=1, init_action=Action.BEST_EFFORT)
    b.run(5)
    t = b.send(0, b.frame(1))
    b.drain(40)
    assert b.frames[1][0].first == t + 10


def test_dropped_words_go_one_a_cycle_though_the_pins_stand_still(retry: Any) -> None:
    b = flushed(retry, flush_action=Action.BEST_EFFORT, reinit=0)
    b.ready = lambda _: 0b01
    t = b.send(0, b.frame(1, 100))
    b.until(t + 12)
    assert b.switch.tx[1].valid
    b.llr(1, remote=1, flush_action=Action.DISCARD, reinit=0)
    b.send(0, b.frame(1, 100))
    b.drain(80)
    # The frame under way stays what it was. The pins hold its first word, and the others hold up
    # the next frame.
    assert C.LLR_TX_DISCARD not in b.counters(1)
    assert b.tx.buffer.unsent == 12
    b.ready = lambda _: 0b11
    b.drain(80)
    assert b.counters(1)[C.LLR_TX_DISCARD] == 1
    assert len(b.frames[1]) == 1
    b.ready = lambda _: 0b01
    b.send(0, b.frame(1, 100))
    b.drain(60)
    assert b.counters(1)[C.LLR_TX_DISCARD] == 2


def test_block_ends_when_the_peer_is_silent(retry: Any) -> None:
    b = retry(advance=False)
    b.setting(1, Port.LLR_PCS_LOST, 200)
    b.run(2)
    at = b.llr(1, remote=1)
    init = at + 3
    b.until(init)
    b.feed()
    # down_time is k in init+k.
    b.until(init + 199)
    assert b.tx.hold
    b.run(1)
    assert not b.tx.hold
    b.drain(60)
    assert b.counters(1)[C.LLR_TX_DISCARD] == 1
    b.ordered_set(1, Kind.INIT_ECHO, 0, 0)
    b.run(10)
    assert b.tx.state is S.ADVANCE


def test_frames_that_wait_during_a_flush_are_sent_after_the_init(retry: Any) -> None:
    b = retry(settings={Port.LLR_REPLAY_COUNT: 0}, flush_action=Action.BLOCK)
    b.ready = lambda _: 0b01
    b.feed(2)  # one on the pins, one behind it
    b.drain(20)
    b.ready = lambda _: 0b11
    b.run(8)
    b.ready = lambda _: 0b01
    b.run(1)
    n = b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
    b.ready = lambda cycle: 0b11 if cycle > n + 6 else 0b01
    b.run(60)
    assert b.tx.state is S.INIT
    # Frame 1 was under way and is gone for the peer; a third waits in the ingress buffer.
    b.feed()
    b.run(40)
    b.ordered_set(1, Kind.INIT_ECHO, 0, 1)
    b.run(60)
    assert [(s.seq, s.data) for s in b.frames[1]][-1] == (0, b.frame(1, seed=3))


def come_to(retry: Any, state: S) -> Any:
    if state is S.FLUSH:
        return flushed(retry, reinit=0)
    if state is S.INIT:
        b = retry(advance=False)
        b.llr(1, remote=1)
        b.run(5)
        return b
    b = retry()
    b.feed(3)
    b.drain(20)
    if state is S.REPLAY:
        b.ordered_set(1, Kind.NACK, 0)
        b.run(12)
    b.frames[1].clear()
    return b


@pytest.mark.parametrize("state", [S.INIT, S.ADVANCE, S.REPLAY, S.FLUSH])
def test_remote_off_in_every_state(retry: Any, state: S) -> None:
    b = come_to(retry, state)
    assert b.tx.state is state
    at = b.llr(1)
    b.feed(2)
    assert b.states(at + 2, at + 3) == [state, S.OFF]
    b.drain(60)
    # In REPLAY a frame was under way, and ends.
    numbers = [s.seq for s in b.frames[1]]
    assert numbers[-2:] == [None, None]
    assert len(numbers) == (3 if state is S.REPLAY else 2)
    assert b.tx.buffer.used == b.tx.buffer.waiting == 0
    assert not b.tx.buffer.kept
    assert b.tx.asleep
    b.advance(1)
    b.feed()
    b.drain(60)
    assert b.frames[1][-1].seq == 0


@pytest.mark.parametrize("late", range(20))
def test_off_and_on_again_in_traffic(retry: Any, late: int) -> None:
    b = retry()
    b.feed(6)
    b.llr(1, at=b.cycle + 20)
    b.llr(1, remote=1, at=b.cycle + 21 + late)
    b.drain(100)
    assert b.tx.state is S.INIT
    b.ordered_set(1, Kind.INIT_ECHO, 0, b.tx.handshake.data)
    b.drain(100)
    assert [s.data for s in b.frames[1]] == b.expected(*range(1, 7))
    number = b.tx.window.next
    b.ordered_set(1, Kind.ACK, number - 1 & 0xFFFFF)
    b.run(10)
    assert b.tx.buffer.used == 0
    numbers = [s.seq for s in b.frames[1]]
    assert numbers[-number:] == list(range(number)) or not number
