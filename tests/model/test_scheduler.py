# SPDX-License-Identifier: Apache-2.0
"""Chapter 8 on cases worked out by hand. Sets of inputs are written as binary numbers."""

from __future__ import annotations

import pytest

from gavel_model import load_config
from gavel_model.scheduler import Scheduler

ALL = 0b1111


def scheduler(
    *pairs: tuple[int, int], iterations: int = 1, vcs: int = 1, limit: int = 0
) -> Scheduler:
    """Four ports; ``pairs`` are (input, output) that always have frames in VC 0."""
    config = load_config(
        "fpga", [f"islip_iterations={iterations}", f"vcs={vcs}", f"bypass_limit={limit}"]
    )
    made = Scheduler(config, [(1 << vcs) - 1] * 4)
    for i, j in pairs:
        made.voq_filled(i, j, 0)
    return made


def pairs_of(matches: list[tuple[int, int, int]]) -> set[tuple[int, int]]:
    return {(i, j) for i, j, _ in matches}


def test_nothing_to_do() -> None:
    made = scheduler()
    assert made.step(ALL, ALL) == []
    assert made.grant == made.accept == [0, 0, 0, 0]


def test_one_output_serves_its_inputs_in_turn() -> None:
    made = scheduler((0, 2), (1, 2), (3, 2))
    assert [made.step(ALL, ALL) for _ in range(5)] == [
        [(0, 2, 0)], [(1, 2, 0)], [(3, 2, 0)], [(0, 2, 0)], [(1, 2, 0)],
    ]
    assert made.grant[2] == 2
    assert made.accept == [3, 3, 0, 3]


def test_one_input_serves_its_outputs_in_turn() -> None:
    made = scheduler((1, 0), (1, 1), (1, 3))
    assert [made.step(ALL, ALL)[0][1] for _ in range(4)] == [0, 1, 3, 0]


def test_pointers_desynchronise() -> None:
    everything = [(i, j) for i in range(4) for j in range(4)]
    made = scheduler(*everything)
    assert pairs_of(made.step(ALL, ALL)) == {(0, 0)}
    assert pairs_of(made.step(ALL, ALL)) == {(1, 0), (0, 1)}
    assert pairs_of(made.step(ALL, ALL)) == {(2, 0), (1, 1), (0, 2)}
    assert pairs_of(made.step(ALL, ALL)) == {(3, 0), (2, 1), (1, 2), (0, 3)}
    assert pairs_of(made.step(ALL, ALL)) == {(0, 0), (3, 1), (2, 2), (1, 3)}


def test_later_iterations_add_pairs_but_move_no_pointers() -> None:
    everything = [(i, j) for i in range(4) for j in range(4)]
    made = scheduler(*everything, iterations=3)
    assert pairs_of(made.step(ALL, ALL)) == {(0, 0), (1, 1), (2, 2)}
    assert made.grant == [1, 0, 0, 0]
    assert made.accept == [1, 0, 0, 0]


def test_only_free_inputs_and_outputs_are_matched() -> None:
    made = scheduler((0, 0), (1, 0), (1, 1), (2, 3))
    assert pairs_of(made.step(0b1110, 0b0111)) == {(1, 0)}


def test_the_vcs_of_an_input_take_turns_in_any_iteration() -> None:
    made = scheduler(vcs=4, iterations=2)
    for i, j, v in ((0, 0, 0), (0, 0, 2), (1, 0, 3), (1, 1, 1)):
        made.voq_filled(i, j, v)
    assert sorted(made.step(ALL, ALL)) == [(0, 0, 0), (1, 1, 1)]
    assert made.turn == [[0b01, 0, 0, 0], [0, 0b10, 0, 0], [0] * 4, [0] * 4]
    assert made.step(0b0001, ALL) == [(0, 0, 2)]
    assert made.turn[0] == [0b01, 0, 0b01, 0]
    assert made.step(0b0010, ALL) == [(1, 0, 3)]
    assert made.turn[0] == [0b01, 0, 0b01, 0b10]
    # Both VCs of input 0 have had their turn; that of input 1 stays.
    assert made.step(0b0001, ALL) == [(0, 0, 0)]
    assert made.turn[0] == [0b01, 0, 0, 0b10]
    # Second iteration: output 1 loses input 0 to output 0 and takes input 1.
    other = scheduler(vcs=4, iterations=2)
    for i, j, v in ((0, 0, 0), (0, 1, 0), (1, 1, 3)):
        other.voq_filled(i, j, v)
    assert sorted(other.step(ALL, ALL)) == [(0, 0, 0), (1, 1, 3)]
    assert other.turn == [[0b01, 0, 0, 0], [0, 0, 0, 0b10], [0] * 4, [0] * 4]
    assert other.grant == [1, 0, 0, 0]


def test_a_vc_that_had_its_turn_goes_again_while_the_others_have_nothing() -> None:
    made = scheduler((0, 0), vcs=2)
    for _ in range(3):
        assert made.step(ALL, ALL) == [(0, 0, 0)]
        assert made.turn[0] == [1, 0]
    made.voq_filled(0, 0, 1)
    assert made.step(ALL, ALL) == [(0, 0, 1)]
    assert made.turn[0] == [1, 1]


def test_with_weights_the_inputs_of_a_vc_take_turns() -> None:
    made = scheduler((0, 0), (1, 0), (2, 0), vcs=2)
    made.weights[0] = [3, 2]
    assert made.step(0b0001, ALL) == [(0, 0, 0)]
    assert (made.turn[0], made.quota[0]) == ([0b001, 0], [2, 2])
    # The pointer is at input 1, but it is only the first of those that have not had their turn.
    made.grant[0] = 0
    assert made.step(0b0101, ALL) == [(2, 0, 0)]
    assert (made.turn[0], made.quota[0]) == ([0b101, 0], [1, 2])
    # Nobody else is there, so all of the VC begin anew.
    assert made.step(0b0001, ALL) == [(0, 0, 0)]
    assert (made.turn[0], made.quota[0]) == ([0b001, 0], [0, 2])
    # VC 1 has something left of its round, but nothing to send: a new one begins.
    assert made.step(0b0101, ALL) == [(2, 0, 0)]
    assert (made.turn[0], made.quota[0]) == ([0b101, 0], [2, 2])


def test_a_strict_vc_uses_up_nothing_and_begins_no_round() -> None:
    made = scheduler((0, 0), vcs=2)
    made.weights[0] = [2, 3]
    made.strict[0] = 0b10
    assert made.step(ALL, ALL) == [(0, 0, 0)]
    made.voq_filled(1, 0, 1)
    for _ in range(4):
        assert made.step(ALL, ALL) == [(1, 0, 1)]
        assert (made.turn[0], made.quota[0]) == ([0b01, 0b10], [1, 3])
    made.voq_emptied(1, 0, 1)
    assert made.step(ALL, ALL) == [(0, 0, 0)]
    assert made.quota[0] == [0, 3]


def test_without_weights_rounds_stand_still() -> None:
    made = scheduler((0, 0), vcs=2)
    made.weights[0] = [4, 1]
    made.step(ALL, ALL)
    made.weights[0] = None
    made.step(ALL, ALL)
    assert made.quota[0] == [3, 1]
    assert made.quota_packed == 0x13


def test_an_emptied_vc_no_longer_requests() -> None:
    made = scheduler(vcs=2)
    made.voq_filled(0, 1, 0)
    made.voq_filled(0, 1, 1)
    made.voq_emptied(0, 1, 0)
    assert made.step(ALL, ALL) == [(0, 1, 1)]
    made.voq_emptied(0, 1, 1)
    assert made.step(ALL, ALL) == []


def test_a_vc_that_may_not_send_does_not_request() -> None:
    config = load_config("fpga")
    allow = [0b11] * 4
    made = Scheduler(config, allow)
    made.voq_filled(0, 1, 0)
    made.voq_filled(0, 1, 1)
    made.step(0, 0)
    allow[1] = 0b10
    made.allow_changed(1)
    assert made.step(ALL, ALL) == [(0, 1, 1)]
    allow[1] = 0
    made.allow_changed(1)
    assert made.step(ALL, ALL) == []


def test_waiting_for_a_busy_input() -> None:
    made = scheduler((0, 0), (1, 0), (1, 1), (2, 0), limit=3)
    busy = ALL & ~0b0010
    # Inputs 0 and 2 go past input 1 three times; then the output waits for it.
    for count, expected in ((1, 0), (2, 2), (0, 0)):
        assert made.step(busy, 0b0001) == [(expected, 0, 0)]
        assert made.bypass[0] == count
    assert made.catch_up[0] == 0b0010
    assert made.catch_up_packed == 0b0010
    assert made.step(busy, 0b0001) == []
    assert made.catch_up[0] == 0b0010
    # Free again, input 1 accepts the output that waits, although its pointer names output 1.
    made.accept[1] = 1
    assert pairs_of(made.step(ALL, 0b0011)) == {(1, 0)}
    assert made.catch_up[0] == made.bypass[0] == 0
    assert made.catch_up_packed == 0


def test_every_input_that_was_passed_is_waited_for() -> None:
    made = scheduler((0, 0), (1, 0), (3, 0), limit=1)
    assert made.step(0b0001, 0b0001) == [(0, 0, 0)]
    assert made.catch_up[0] == 0b1010
    assert made.step(0b0101, 0b0001) == []
    assert made.step(0b1001, 0b0001) == [(3, 0, 0)]
    assert made.catch_up[0] == 0b0010
    assert made.step(ALL, 0b0001) == [(1, 0, 0)]
    assert made.catch_up[0] == 0


def test_bypass_keeps_when_nobody_was_passed_and_without_a_match() -> None:
    made = scheduler((0, 0), (1, 0), limit=3)
    assert made.step(0b0001, 0b0001) == [(0, 0, 0)]
    assert made.bypass[0] == 1
    assert made.step(0b0000, 0b0001) == []
    assert made.step(0b0001, 0b0000) == []
    assert made.bypass[0] == 1
    assert made.step(0b0011, 0b0001) == [(1, 0, 0)]
    assert made.bypass[0] == 1


@pytest.mark.parametrize("words", [3, 6, 9])
def test_an_input_with_long_frames_gets_its_turn(words: int) -> None:
    """It is free in one cycle of many only; in that cycle nobody is passed."""
    made = scheduler(*((i, j) for i in range(4) for j in range(4)), limit=16)
    until_free, served = [0] * 4, [0] * 4
    outputs: dict[int, int] = {}
    for _ in range(2000):
        outputs = {i: j for i, j in outputs.items() if until_free[i] > 0}
        free = sum(1 << i for i in range(4) if i not in outputs)
        busy = sum(1 << j for j in outputs.values())
        for i, j, _ in made.step(free, ALL & ~busy):
            until_free[i] = words if i == 0 else 1
            outputs[i] = j
            served[j] += i == 0
        until_free = [cycles - 1 for cycles in until_free]
    assert min(served) > 5


def test_limit_zero_turns_waiting_off() -> None:
    made = scheduler((0, 0), (1, 0), limit=3)
    made.step(0b0001, 0b0001)
    assert made.bypass[0] == 1
    made.bypass_limit = 0
    for _ in range(300):
        assert made.step(0b0001, 0b0001) == [(0, 0, 0)]
    assert made.bypass[0] == made.catch_up[0] == 0


def test_one_without_frames_is_not_waited_for() -> None:
    made = scheduler((0, 0), (1, 0), limit=1)
    made.step(0b0001, 0b0001)
    assert made.catch_up[0] == 0b0010
    made.voq_emptied(1, 0, 0)
    assert made.step(0b0001, 0b0001) == [(0, 0, 0)]
    assert made.catch_up[0] == 0


def test_packed_state_has_the_form_of_the_probe_points() -> None:
    made = scheduler((1, 2), (3, 0), vcs=4)
    made.voq_filled(0, 3, 2)
    made.step(ALL, ALL)
    assert made.grant == [0, 0, 2, 1]
    assert made.accept == [0, 3, 0, 1]
    # Element j has the bits from the pointer on, and none for pointer 0.
    assert made.grant_packed == 0b1110_1100_0000_0000
    assert made.accept_packed == 0b1110_0000_1000_0000
    # Element j·V + v: (3, 0) of output 0, (1, 0) of output 2, (0, 2) of output 3.
    assert made.turn_packed == 1 << 3 | 1 << 8 * 4 + 1 | 1 << (12 + 2) * 4
    made.weights[2] = [15, 2, 1, 1]
    made.step(ALL, 0b0100)
    assert made.quota_packed == 0x112E << 2 * 16
