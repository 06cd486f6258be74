# SPDX-License-Identifier: Apache-2.0
"""With a register behind the check of FCS and ordered sets: what is a cycle later, and what stays,
each by its cycle (docs/spec.md, Pipeline options)."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from gavel_model.mac_control import pfc_frame
from gavel_model.ordered_set import CreditUpdate, Kind, encode_credits
from gavel_model.register_map import Counter, Global, Port

STAGES = pytest.mark.parametrize("stages", [0, 1])
POISON = 0xAAAAAAAA
MATCH_TO_PINS = 6


def option(stages: int) -> str:
    return f"receive_stages={stages}"


@STAGES
def test_the_first_replayed_word_is_a_cycle_later(retry: Any, stages: int) -> None:
    b = retry(option(stages))
    b.feed()
    b.drain(30)
    t = b.ordered_set(1, Kind.NACK, (b.tx.window.oldest - 1) % (1 << 20))
    b.run(30)
    first, again = b.frames[1]
    assert (again.seq, again.data) == (first.seq, first.data)
    assert again.first == t + 7 + stages


@STAGES
def test_sets_count_on_the_pins_at_once_and_act_in_r(retry: Any, stages: int) -> None:
    b = retry(option(stages))
    b.feed()
    b.drain(30)
    seen = b.counters(1)[Counter.RX_CTL_OS]
    t = b.ordered_set(1, Kind.ACK, b.tx.window.oldest)
    b.until(t + 2)
    assert b.counters(1)[Counter.RX_CTL_OS] == seen + 1
    acked = []
    while b.cycle <= t + 4:
        acked.append(b.tx.window.oldest == b.tx.window.next)
        b.run(1)
    # Cycles t+2 to t+4; what happens in r is visible in r+1.
    assert acked == ([False, True, True] if not stages else [False, False, True])


@STAGES
@pytest.mark.parametrize("after", [0, 1])
def test_protect_is_that_of_r(retry: Any, stages: int, after: int) -> None:
    b = retry(option(stages))
    b.feed()
    b.drain(30)
    # A write on the pins in c is visible in c+2.
    t = b.cycle + 5
    b.llr(1, at=t + stages + after, remote=1, protect=0)
    b.ordered_set(1, Kind.ACK, b.tx.window.oldest, at=t, protect=False)
    b.run(20)
    assert Counter.LLR_RX_CTL_UNKNOWN in b.counters(1) if after else (
        b.counters(1)[Counter.LLR_RX_ACK_CTL_OS] == 1)


@STAGES
def test_a_frame_is_accepted_in_r(bench: Any, stages: int) -> None:
    b = bench("tiny", option(stages))
    b.llr(0, local=1)
    b.run(5)
    b.ordered_set(0, Kind.INIT, 3)
    b.run(10)
    receiver = b.switch.ports[0].llr_receiver
    t = b.put(0, b.eligible(b.frame(1), 3))
    b.until(t + 2 + stages)
    assert receiver.next_rx == 3
    b.run(1)
    assert receiver.next_rx == 4


@STAGES
@pytest.mark.parametrize("after", [0, 1])
def test_forward_poisoned_is_that_of_r(bench: Any, stages: int, after: int) -> None:
    """A poisoned frame has its header read before it is known to go on."""
    b = bench("tiny", option(stages))
    b.wrong_fcs.add(POISON)
    b.llr(0, local=1)
    b.run(5)
    b.ordered_set(0, Kind.INIT, 0)
    b.run(10)
    good = b.frame(1)
    poisoned = good[:-4] + (zlib.crc32(good[:-4]) ^ POISON).to_bytes(4, "little")
    t = b.put(0, b.eligible(poisoned, 0), at=b.cycle + 10)
    b.llr(0, at=t + stages + after, local=1, forward_poisoned=1)
    b.drain()
    assert len(b.frames[1]) == 1 - after
    assert b.switch.ports[0].counters[Counter.RX_POISONED] == after


@STAGES
@pytest.mark.parametrize("after", [0, 1])
def test_the_header_is_read_in_t_plus_2(bench: Any, stages: int, after: int) -> None:
    b = bench("tiny", option(stages))
    t = b.cycle + 20
    b.setting(0, Port.PROFILE, 1, at=t + after)
    b.send(0, b.frame(1), at=t - 7)
    b.drain()
    assert b.switch.ports[0].counters[Counter.RX_HEADER] == 1 - after


@STAGES
@pytest.mark.parametrize("after", [0, 1])
def test_a_table_write_counts_as_without(bench: Any, stages: int, after: int) -> None:
    b = bench("tiny", option(stages))
    b.table_ready()
    b.write(Global.ROUTE_INDEX, 1)
    written = b.write(Global.ROUTE_DATA, 0, at=b.cycle + 20)
    b.send(0, b.frame(1), at=written - 1 + after - 7)
    b.drain()
    assert b.switch.ports[0].counters[Counter.RX_NO_ROUTE] == after


@STAGES
@pytest.mark.parametrize("late", [0, 1])
def test_a_pause_stops_matches_from_w_plus_1_on(bench: Any, stages: int, late: int) -> None:
    b = bench("tiny", option(stages))
    b.setting(1, Port.PFC_CONTROL, 1)
    b.run(10)
    pause = pfc_frame(0, 1, (9, *(0,) * 7))
    t = b.send(1, pause, at=b.cycle + 10)
    # Its match is made in t+3+stages, the last cycle that knows of no pause, or in the next.
    b.send(0, b.frame(1), at=t - 1 + late - 7)
    b.run(t + 30 - b.cycle)
    assert len(b.frames[1]) == 1 - late


def test_a_fragment_counts_in_w_and_a_stray_word_at_once(bench: Any) -> None:
    b = bench("tiny", option(1))
    words = b.words(b.frame(1))
    t = b.put(0, [words[1], *words[:3], words[0]], at=10)
    counters = b.switch.ports[0].counters
    b.until(12)
    assert counters[Counter.RX_STRAY_WORDS] == 1
    b.until(t + 4)
    assert counters[Counter.RX_FRAGMENT] == 0
    b.run(1)
    assert counters[Counter.RX_FRAGMENT] == 1


@pytest.mark.parametrize("ahead", range(5))
def test_a_reset_loses_what_has_not_acted(bench: Any, ahead: int) -> None:
    b = bench("tiny", option(1))
    b.ctl[0, 20] = encode_credits(CreditUpdate(0, 1, 0, 1), True)
    b.send(0, b.frame(1), at=20 - 7)
    b.reset(20 + ahead)
    b.drain(40)
    assert (b.counters(0), b.frames[1]) == ({}, [])
