# SPDX-License-Identifier: Apache-2.0
"""The scheduler against chapter 8 written down once more, with sets and no thought of speed."""

from __future__ import annotations

import random

import pytest

from gavel_model import load_config
from gavel_model.flow_control import FlowControl
from gavel_model.scheduler import Scheduler


def first_at_or_after(members: set[int], pointer: int) -> int:
    return min((m for m in members if m >= pointer), default=min(members))


class Definition:
    """State and rules of chapter 8. ``frames[i][j][v]`` are the VOQs."""

    def __init__(self, ports: int, vcs: int, iterations: int) -> None:
        self.ports, self.vcs, self.iterations = ports, vcs, iterations
        self.grant = [0] * ports
        self.accept = [0] * ports
        self.vc = [0] * ports
        self.catch_up: list[set[int]] = [set() for _ in range(ports)]
        self.bypass = [0] * ports
        self.frames = [[[0] * vcs for _ in range(ports)] for _ in range(ports)]
        self.allow = [[True] * vcs for _ in range(ports)]

    def vcs_of(self, i: int, j: int) -> set[int]:
        return {v for v in range(self.vcs) if self.frames[i][j][v] and self.allow[j][v]}

    def step(
        self, free_inputs: set[int], free_outputs: set[int], limit: int
    ) -> set[tuple[int, int, int]]:
        everyone = range(self.ports)
        eligible = {(i, j): bool(self.vcs_of(i, j)) for i in everyone for j in everyone}
        first = [{i for i in self.catch_up[j] if eligible[i, j]} for j in everyone]
        request = {
            (i, j) for i in free_inputs for j in free_outputs
            if eligible[i, j] and (not first[j] or i in first[j])
        }
        pairs: dict[int, int] = {}  # output: input
        for iteration in range(self.iterations):
            inputs = free_inputs - set(pairs.values())
            grants: dict[int, set[int]] = {}
            for j in free_outputs - set(pairs):
                asking = {i for i in inputs if (i, j) in request}
                if asking:
                    grants.setdefault(first_at_or_after(asking, self.grant[j]), set()).add(j)
            for i, granted in grants.items():
                urgent = {j for j in granted if first[j]}
                j = first_at_or_after(urgent or granted, self.accept[i])
                pairs[j] = i
                if iteration == 0:
                    self.grant[j] = (i + 1) % self.ports
                    self.accept[i] = (j + 1) % self.ports
        made = set()
        for j, i in pairs.items():
            v = first_at_or_after(self.vcs_of(i, j), self.vc[j])
            self.vc[j] = (v + 1) % self.vcs
            made.add((i, j, v))
        for j in everyone:
            busy = {i for i in everyone if eligible[i, j] and i not in free_inputs}
            self.catch_up[j] = set(first[j])
            if j not in pairs:
                continue
            if first[j]:
                self.catch_up[j] = first[j] - {pairs[j]}
                self.bypass[j] = 0
            elif not busy or limit == 0:
                self.bypass[j] = 0
            elif self.bypass[j] + 1 >= limit:
                self.catch_up[j] = busy
                self.bypass[j] = 0
            else:
                self.bypass[j] += 1
        return made


@pytest.mark.parametrize("seed", range(40))
def test_same_matches_and_same_state(seed: int) -> None:
    rng = random.Random(seed)
    ports, vcs, iterations = rng.randrange(2, 9), rng.randrange(1, 9), rng.randrange(1, 5)
    limit = rng.choice((0, 1, 2, 5, 255))
    config = load_config(
        "tiny", [f"ports={ports}", f"vcs={vcs}", f"islip_iterations={iterations}",
                 f"bypass_limit={limit}"],
    )
    flow_control = FlowControl(config)
    fast = Scheduler(config, flow_control.allow)
    slow = Definition(ports, vcs, iterations)
    load = rng.choice((0.02, 0.1, 0.4))
    until_free = [0] * ports
    output_of = [-1] * ports
    for _ in range(400):
        held = {j for j in range(ports) if rng.random() < 0.1}
        free_inputs = {i for i in range(ports) if until_free[i] <= 0}
        busy_outputs = {output_of[i] for i in range(ports) if i not in free_inputs}
        free_outputs = set(range(ports)) - busy_outputs - held
        if rng.random() < 0.05:
            j = rng.randrange(ports)
            mask = rng.getrandbits(vcs)
            flow_control.allow[j] = mask
            fast.allow_changed(j)
            slow.allow[j] = [bool(mask >> v & 1) for v in range(vcs)]
        expected = slow.step(free_inputs, free_outputs, limit)
        made = fast.step(sum(1 << i for i in free_inputs), sum(1 << j for j in free_outputs))
        assert set(made) == expected
        assert len(made) == len(expected)
        assert (fast.grant, fast.accept, fast.vc) == (slow.grant, slow.accept, slow.vc)
        assert fast.bypass == slow.bypass
        assert fast.catch_up == [sum(1 << i for i in inputs) for inputs in slow.catch_up]
        until_free = [cycles - 1 for cycles in until_free]
        for i, j, v in made:
            until_free[i] = rng.choice((0, 0, 1, 3, 8))
            output_of[i] = j
            slow.frames[i][j][v] -= 1
            if not slow.frames[i][j][v]:
                fast.voq_emptied(i, j, v)
        for i in range(ports):
            for j in range(ports):
                if rng.random() < load:
                    v = rng.randrange(vcs)
                    slow.frames[i][j][v] += 1
                    if slow.frames[i][j][v] == 1:
                        fast.voq_filled(i, j, v)
