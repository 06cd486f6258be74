# SPDX-License-Identifier: Apache-2.0
"""Who gets how much of an output, and that every VOQ gets something (chapter 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import pytest

from gavel_model import load_config
from gavel_model.scheduler import Match, Scheduler

Voq = tuple[int, int, int]
"""Input, output, VC."""
WEIGHTS = {"none": None, "equal": (1, 1, 1, 1), "unequal": (1, 2, 5, 1)}
Item = TypeVar("Item")
SIZES = [(2, 2), (4, 4), (8, 4), (3, 3), (4, 2)]


def backlogged(
    ports: int, vcs: int, weights: tuple[int, ...] | None, *overrides: str,
    filled: Callable[[int, int, int], bool] = lambda i, j, v: True,
) -> Scheduler:
    """VOQs that are ``filled`` stay so; the others stay empty."""
    config = load_config("tiny", [f"ports={ports}", f"vcs={vcs}", *overrides])
    made = Scheduler(config, [(1 << vcs) - 1] * ports)
    for j in range(ports):
        made.weights[j] = None if weights is None else list(weights[:vcs])
        for i in range(ports):
            for v in range(vcs):
                if filled(i, j, v):
                    made.voq_filled(i, j, v)
    return made


def one_cycle_frames(made: Scheduler, ports: int, cycles: int) -> list[list[Match]]:
    """Matches of each cycle; all inputs and outputs are free in each."""
    everyone = (1 << ports) - 1
    return [made.step(everyone, everyone) for _ in range(cycles)]


def parts(items: list[Item], length: int) -> list[list[Item]]:
    """The whole parts of this length."""
    return [items[n:n + length] for n in range(0, len(items) - length + 1, length)]


@pytest.mark.parametrize(("ports", "vcs"), SIZES)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("iterations", [1, 2])
def test_no_voq_starves(ports: int, vcs: int, weights: str, iterations: int) -> None:
    made = backlogged(ports, vcs, WEIGHTS[weights], f"islip_iterations={iterations}")
    round_length = sum((WEIGHTS[weights] or WEIGHTS["equal"])[:vcs])
    cycles = 12 * ports * round_length
    served: dict[Voq, list[int]] = {(i, j, v): [0] for i in range(ports) for j in range(ports)
                                    for v in range(vcs)}
    for cycle, matches in enumerate(one_cycle_frames(made, ports, cycles)):
        for match in matches:
            served[match].append(cycle)
    # Longer than a round of all inputs is only the time until the pointers have found their order.
    longest = 3 * ports * round_length
    for cycles_of in served.values():
        assert max(b - a for a, b in pairwise([*cycles_of, cycles])) <= longest


@pytest.mark.parametrize(("ports", "vcs"), SIZES)
def test_without_weights_every_voq_gets_the_same_at_full_rate(ports: int, vcs: int) -> None:
    made = backlogged(ports, vcs, None)
    one_cycle_frames(made, ports, 2 * ports * vcs)
    matches = one_cycle_frames(made, ports, 6 * ports * vcs)
    counts = Counter(match for cycle in matches for match in cycle)
    assert set(counts.values()) == {6}
    assert len(counts) == ports * ports * vcs


@pytest.mark.parametrize(("ports", "vcs"), SIZES)
@pytest.mark.parametrize("weights", ["equal", "unequal"])
def test_each_round_has_the_frames_of_the_weights(ports: int, vcs: int, weights: str) -> None:
    share = dict(enumerate((WEIGHTS[weights] or ())[:vcs]))
    round_length = sum(share.values())
    made = backlogged(ports, vcs, WEIGHTS[weights])
    matches = one_cycle_frames(made, ports, 8 * ports * round_length)
    for j in range(ports):
        pairs = [(i, v) for cycle in matches for i, out, v in cycle if out == j]
        rounds = parts([v for _, v in pairs], round_length)
        assert len(rounds) >= 5 * ports
        for vcs_of_round in rounds:
            assert Counter(vcs_of_round) == share
        for v in range(vcs):
            for turns in parts([i for i, vc in pairs if vc == v], ports):
                assert sorted(turns) == list(range(ports))


@pytest.mark.parametrize("iterations", [1, 3])
def test_shares_are_exact_when_inputs_have_different_vcs(iterations: int) -> None:
    """Most inputs have the VC of the smallest weight, and one has the only frames of another."""
    vcs_of = {0: {0}, 1: {0, 2}, 2: {1, 2}, 3: {0}}
    made = backlogged(4, 3, (1, 2, 5), f"islip_iterations={iterations}",
                      filled=lambda i, j, v: j == 1 and v in vcs_of[i])
    pairs = [(i, v) for cycle in one_cycle_frames(made, 4, 8 * 12) for i, _, v in cycle]
    assert len(pairs) == 8 * 12
    for of_round in parts(pairs, 8):
        assert Counter(v for _, v in of_round) == {0: 1, 1: 2, 2: 5}
    for v, inputs in {0: {0, 1, 3}, 1: {2}, 2: {1, 2}}.items():
        for turns in parts([i for i, vc in pairs if vc == v], len(inputs)):
            assert set(turns) == inputs


def test_without_weights_inputs_share_and_each_its_vcs() -> None:
    vcs_of = {0: {0}, 1: {0, 1, 2}, 2: {1, 2}}
    made = backlogged(3, 3, None, filled=lambda i, j, v: j == 0 and v in vcs_of[i])
    pairs = [(i, v) for cycle in one_cycle_frames(made, 3, 3 * 12) for i, _, v in cycle]
    assert [i for i, _ in pairs] == [0, 1, 2] * 12
    assert [v for i, v in pairs if i == 1] == [0, 1, 2] * 4
    assert [v for i, v in pairs if i == 2] == [1, 2] * 6


@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_highest_strict_vc_takes_all_and_its_inputs_take_turns(weights: str) -> None:
    made = backlogged(4, 4, WEIGHTS[weights], filled=lambda i, j, v: j == 0 and (v != 2 or i > 0))
    made.strict[0] = 0b0110
    pairs = [(i, v) for cycle in one_cycle_frames(made, 4, 12) for i, _, v in cycle]
    assert pairs == [(1, 2), (2, 2), (3, 2)] * 4
    assert made.quota[0] == [0] * 4
    for i in (1, 2, 3):
        made.voq_emptied(i, 0, 2)
    pairs = [(i, v) for cycle in one_cycle_frames(made, 4, 8) for i, _, v in cycle]
    assert pairs == [(i, 1) for i in range(4)] * 2
