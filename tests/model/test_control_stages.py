# SPDX-License-Identifier: Apache-2.0
"""With a register between the choice of an ordered set and the set: what is a cycle later, and what
a set that waits holds up, each by its cycle (docs/llr.md, ControlTransmitter)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from gavel_model.llr_timers import TransmitterState
from gavel_model.ordered_set import Kind, OrderedSet, decode, decode_credits
from gavel_model.register_map import CbfcControl, Counter, Port

OPTION = "control_stages=1"
RECEIVER = 1 << CbfcControl.RECEIVER


def listening(bench: Any, spacing: int, min_spacing: int, *overrides: str) -> Any:
    """Port 0 expects number 0, and its echo has gone."""
    b = bench("tiny", OPTION, *overrides)
    b.setting(0, Port.LLR_SPACING, min_spacing << 16 | spacing)
    b.llr(0, local=1)
    b.run(3)
    at = b.ordered_set(0, Kind.INIT, 0)
    b.run(7)
    assert sets(b) == [(at + 5, OrderedSet(Kind.INIT_ECHO, 0))]
    b.sets[0].clear()
    return b


def sets(b: Any) -> list[tuple[int, OrderedSet]]:
    """Cycle and contents of the sets taken from port 0."""
    found = []
    for cycle, ctl in b.sets[0]:
        item = decode(ctl, True)
        assert item is not None
        found.append((cycle, item))
    return found


def test_it_is_no_part_of_the_latency(bench: Any) -> None:
    b = bench("tiny", OPTION)
    t = b.send(0, b.frame(1))
    b.drain()
    assert b.frames[1][0].first == t + b.config.latency_cycles == t + 10


@pytest.mark.parametrize("late", [0, 1])
def test_an_ack_is_a_cycle_later_and_says_what_was_known_when_it_was_chosen(
    bench: Any, late: int
) -> None:
    b = listening(bench, 400, 0)
    t = b.put(0, b.eligible(b.frame(1), 0), at=100)
    for n in range(1, 6):
        b.put(0, b.eligible(b.frame(1), n))
    # Accepted in the last cycle before the choice of the second ACK, or in that of the choice.
    b.put(0, b.eligible(b.frame(1), 6), at=t + 44 + late)
    b.drain(200)
    assert sets(b) == [(t + 5, OrderedSet(Kind.ACK, 0)), (t + 56, OrderedSet(Kind.ACK, 6 - late)),
                       *[(t + 107, OrderedSet(Kind.ACK, 6))] * late]


@pytest.mark.parametrize("width", [64, 512])
@pytest.mark.parametrize("spacing", [400, 401, 2048])
def test_acks_are_spaced_to_the_byte(bench: Any, width: int, spacing: int) -> None:
    b = listening(bench, spacing, 0, f"data_width={width}")
    for n in range(400):
        b.put(0, b.eligible(b.frame(1), n))
    b.drain(20)
    taken = sets(b)
    assert {late - early for (early, _), (late, _) in pairwise(taken)} == {
        1 - (-spacing * 8 // width)}


@pytest.mark.parametrize(("min_spacing", "gap"), [(0, 2), (1, 2), (8, 2), (9, 3), (400, 51)])
def test_any_two_sets_are_at_least_two_cycles_apart(
    bench: Any, min_spacing: int, gap: int
) -> None:
    b = listening(bench, 2048, min_spacing)
    at = b.ordered_set(0, Kind.INIT, 0, at=100)
    b.put(0, b.eligible(b.frame(1), 5), at=at - 6)
    b.run(200)
    assert [(cycle - at, item.kind) for cycle, item in sets(b)] == [
        (5, Kind.INIT_ECHO), (5 + gap, Kind.NACK)]


@pytest.mark.parametrize(("min_spacing", "gap"), [(0, 2), (80, 11)])
def test_distances_are_counted_from_the_loading(bench: Any, min_spacing: int, gap: int) -> None:
    b = listening(bench, 400, min_spacing)
    b.ctl_ready = lambda cycle: int(cycle >= 250)
    at = b.ordered_set(0, Kind.INIT, 3, 9, at=100)
    b.put(0, b.eligible(b.frame(1), 4), at=130)  # asks for a NACK
    b.put(0, b.eligible(b.frame(1), 3))
    b.ordered_set(0, Kind.INIT, 5, 9, at=200)
    b.until(at + 5)
    shown = b.switch.tx[0]
    assert shown.ctl_valid
    while b.cycle < 250:
        b.run(1)
        assert b.switch.tx[0] == shown
    b.run(100)
    # The NACK was chosen at once and is loaded as the echo before it is taken; the echo of the
    # second INIT was never to be seen before it, and is chosen behind it.
    assert sets(b) == [(250, OrderedSet(Kind.INIT_ECHO, 3, 9)), (251, OrderedSet(Kind.NACK, 2)),
                       (251 + gap, OrderedSet(Kind.INIT_ECHO, 5, 9))]
    assert b.counters(0)[Counter.LLR_TX_NACK_CTL_OS] == 1


def test_acks_are_counted_from_the_loading_of_the_one_before(bench: Any) -> None:
    b = listening(bench, 400, 0)
    b.ctl_ready = lambda cycle: int(cycle >= 250)
    b.ordered_set(0, Kind.INIT, 0, at=100)
    for n in range(20):
        b.put(0, b.eligible(b.frame(1), n), at=110 + 8 * n)
    b.run(420 - b.cycle)
    # The first frame's ACK waits in the stage from its choice on, whatever comes behind it.
    assert sets(b) == [(250, OrderedSet(Kind.INIT_ECHO, 0)), (251, OrderedSet(Kind.ACK, 0)),
                       (302, OrderedSet(Kind.ACK, 19))]


@pytest.mark.parametrize("protect", [0, 1])
def test_the_check_is_that_of_the_loading(bench: Any, protect: int) -> None:
    b = listening(bench, 400, 0)
    b.ctl_ready = lambda cycle: int(cycle >= 250)
    b.ordered_set(0, Kind.INIT, 3, 9, at=100)
    b.put(0, b.eligible(b.frame(1), 3), at=130)
    # Visible in the cycle in which the echo is taken, or in the next.
    b.llr(0, local=1, protect=0, at=248 + protect)
    b.run(260 - b.cycle)
    (_, echo), (_, ack) = b.sets[0]
    assert decode(echo, True) == OrderedSet(Kind.INIT_ECHO, 3, 9)
    assert decode(ack, bool(protect)) == OrderedSet(Kind.ACK, 3)


def test_what_is_chosen_goes_out_whatever_settings_become(bench: Any) -> None:
    b = listening(bench, 400, 0)
    b.ctl_ready = lambda cycle: int(cycle >= 250)
    b.ordered_set(0, Kind.INIT, 3, 9, at=100)
    b.put(0, b.eligible(b.frame(1), 3), at=130)
    b.llr(0, at=200)
    b.run(300 - b.cycle)
    assert sets(b) == [(250, OrderedSet(Kind.INIT_ECHO, 3, 9)), (251, OrderedSet(Kind.ACK, 3))]
    assert b.switch.tx[0].ctl_valid == 0


def test_what_is_chosen_is_lost_with_a_reset(bench: Any) -> None:
    b = listening(bench, 400, 0)
    at = b.ordered_set(0, Kind.INIT, 3, 9, at=100)
    b.reset(at + 4)  # asked for and chosen in at + 3
    b.run(50)
    assert sets(b) == []


@pytest.mark.parametrize("taken", [300, 350])
def test_init_is_over_when_none_is_in_the_stage_or_on_the_pins(bench: Any, taken: int) -> None:
    b = bench("tiny", OPTION)
    b.setting(0, Port.LLR_SPACING, 400)
    b.ctl_ready = lambda cycle: int(cycle >= taken)
    b.llr(0, remote=1)
    # The second one is due after four spacings, and waits in the stage.
    b.run(280)
    transmitter = b.switch.ports[0].llr_transmitter
    b.ordered_set(0, Kind.INIT_ECHO, transmitter.window.oldest, transmitter.handshake.data)
    while transmitter.state is TransmitterState.INIT:
        b.run(1)
    assert [(cycle, item.kind) for cycle, item in sets(b)] == [
        (taken, Kind.INIT), (taken + 1, Kind.INIT)]
    # Taken in taken + 1; ADVANCE is decided in the next cycle, and visible in the one after it.
    assert b.cycle == taken + 3


def test_init_is_not_over_while_one_is_in_the_stage_behind_another_set(bench: Any) -> None:
    b = listening(bench, 400, 0)
    b.ctl_ready = lambda cycle: int(cycle >= 300)
    b.ordered_set(0, Kind.INIT, 3, 9, at=100)
    b.llr(0, local=1, remote=1, at=120)
    b.run(200 - b.cycle)
    transmitter = b.switch.ports[0].llr_transmitter
    b.ordered_set(0, Kind.INIT_ECHO, transmitter.window.oldest, transmitter.handshake.data)
    while transmitter.state is TransmitterState.INIT:
        b.run(1)
    assert [(cycle, item.kind) for cycle, item in sets(b)] == [
        (300, Kind.INIT_ECHO), (301, Kind.INIT)]
    assert b.cycle == 303


def test_cf_updates_are_counted_from_the_loading(bench: Any) -> None:
    b = bench("tiny", OPTION)
    b.setting(0, Port.LLR_SPACING, 2048)
    b.setting(0, Port.CBFC_CF_MIN, 400)
    b.setting(0, Port.CBFC_CF_MAX, 800)
    b.ctl_ready = lambda cycle: int(not 200 <= cycle < 500)
    at = b.setting(0, Port.CBFC_CONTROL, RECEIVER)
    b.run(800 - b.cycle)
    cycles = [cycle for cycle, ctl in b.sets[0] if decode_credits(ctl, True)]
    # Visible in at+2, asked for in at+3. With nothing to tell 800 bytes, 100 cycles, and the one of
    # loading. One is on the pins from 200 on, and one in the stage.
    assert cycles == [at + 5, at + 106, 500, 501, 602, 703]
