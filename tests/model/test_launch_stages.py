# SPDX-License-Identifier: Apache-2.0
"""With a register between the launch of a word and the frame pins: what is a cycle later, and what
stays, each by its cycle (docs/llr.md, 6.2 and 6.4)."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.llr_timers import TransmitterState
from gavel_model.ordered_set import Kind
from gavel_model.register_map import Action, Counter, Port

STAGES = pytest.mark.parametrize("stages", [0, 1])
S = TransmitterState
C = Counter
WIDE = ("data_width=512", "buffer_cells=64")
"""Frames of one word."""


def option(stages: int) -> str:
    return f"launch_stages={stages}"


@STAGES
@pytest.mark.parametrize("advance", [False, True])
def test_a_word_is_launched_as_without_and_shown_a_cycle_later(
    retry: Any, advance: bool, stages: int
) -> None:
    b = retry(option(stages), advance=advance)
    launched = b.feed(size=100)
    b.until(launched)
    assert b.tx.buffer.unsent == 1
    b.run(1)
    assert (b.tx.buffer.unsent, b.tx.buffer.waiting, b.tx.window.next) == (0, 0, int(advance))
    b.run(5)
    (sent,) = b.frames[1]
    assert (sent.last, sent.last - sent.first) == (launched + 1 + stages, 12)


@STAGES
def test_the_first_replayed_word_is_a_cycle_later(retry: Any, stages: int) -> None:
    b = retry(option(stages))
    b.feed()
    b.drain(30)
    n = b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
    assert b.states(n + 3, n + 15) == [S.REPLAY] * 12 + [S.ADVANCE]
    b.run(10)
    first, again = b.frames[1]
    assert (again.seq, again.data) == (first.seq, first.data)
    assert again.first == n + 7 + stages


@STAGES
def test_both_registers_hold_while_nothing_is_taken(retry: Any, stages: int) -> None:
    b = retry(option(stages))
    b.ready = lambda _: 0b01
    t = b.send(0, b.frame(1, 100))
    b.until(t + 10 + stages)
    first = b.switch.tx[1]
    assert first.sop
    for _ in range(30):
        b.run(1)
        assert b.switch.tx[1] == first
    # One word is on the pins, and one behind it.
    assert b.tx.buffer.unsent == 13 - 1 - stages
    b.ready = lambda _: 0b11
    begin = b.cycle
    b.run(20)
    assert b.frames[1] == [(begin, begin + 12, b.frame(1, 100), 0)]


@STAGES
def test_an_empty_register_takes_no_word_while_the_pins_stand_still(
    retry: Any, stages: int
) -> None:
    b = retry(*WIDE, option(stages))
    b.ready = lambda _: 0b01
    b.feed()
    b.drain(20)
    b.feed()
    b.drain(20)
    assert b.tx.buffer.unsent == 1
    b.ready = lambda _: 0b11
    begin = b.cycle
    b.run(5)
    # The second is launched in the cycle in which the first is taken.
    assert [sent.first for sent in b.frames[1]] == [begin, begin + 1 + stages]


@STAGES
@pytest.mark.parametrize("early", range(5))
def test_init_waits_until_the_last_word_before_it_leaves(
    retry: Any, early: int, stages: int
) -> None:
    b = retry(option(stages), advance=False)
    launched = b.feed()
    # On in launched+3-early; the state may change in that cycle, and is visible in the next.
    b.llr(1, at=launched + 3 - early - 2, remote=1)
    b.until(launched - 2)
    seen = b.states(launched - 1, launched + 5)
    left = b.frames[1][0].last
    assert left == launched + 1 + stages
    on = max(launched + 3 - early, left)
    assert seen.index(S.INIT) == on + 1 - (launched - 1)


@STAGES
def test_init_waits_for_both_registers_while_the_pins_stand_still(
    retry: Any, stages: int
) -> None:
    b = retry(*WIDE, option(stages), advance=False)
    b.ready = lambda _: 0b01
    b.feed(1 + stages)
    b.drain(20)
    assert b.tx.buffer.unsent == 0
    b.llr(1, remote=1)
    b.run(20)
    assert b.tx.state is S.OFF
    b.ready = lambda _: 0b11
    begin = b.cycle
    assert b.states(begin, begin + 2) == [S.OFF] * (1 + stages) + [S.INIT] * (2 - stages)
    assert [sent.last for sent in b.frames[1]] == [begin + n for n in range(1 + stages)]


@STAGES
@pytest.mark.parametrize("late", range(1, 9))
def test_frames_without_end_do_not_put_off_init(retry: Any, late: int, stages: int) -> None:
    b = retry(option(stages), advance=False)
    launched = b.feed(20) - 19 * 8
    # On within the second frame; the third waits for it.
    b.llr(1, at=launched + 1 + late - 2, remote=1, init_action=Action.BLOCK)
    seen = b.states(launched, launched + 12 + stages)
    assert seen == [S.OFF] * (10 + stages) + [S.INIT] * 3
    b.drain(60)
    assert [sent.seq for sent in b.frames[1]] == [None, None]
    assert b.frames[1][-1].last == launched + 8 + 1 + stages


@STAGES
def test_dropped_words_leave_what_is_held(retry: Any, stages: int) -> None:
    b = retry(*WIDE, option(stages), settings={Port.LLR_REPLAY_COUNT: 0},
              flush_action=Action.BEST_EFFORT, reinit=0)
    b.feed()
    b.drain(20)
    b.frames[1].clear()
    b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
    b.run(10)
    assert b.tx.state is S.FLUSH
    b.ready = lambda _: 0b01
    b.feed(1 + stages)
    b.drain(20)
    assert b.tx.buffer.unsent == 0
    b.llr(1, remote=1, flush_action=Action.DISCARD, reinit=0)
    b.run(4)
    b.feed(3)
    b.drain(20)
    assert b.counters(1)[C.LLR_TX_DISCARD] == 3
    b.ready = lambda _: 0b11
    b.run(5)
    assert b.shown() == [(None, data) for data in b.expected(*range(2, 3 + stages))]
