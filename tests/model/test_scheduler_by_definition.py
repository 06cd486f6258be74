# SPDX-License-Identifier: Apache-2.0
"""The scheduler against chapter 8 written down once more, with sets and no thought of speed."""

from __future__ import annotations

import random

import pytest

from gavel_model import load_config
from gavel_model.scheduler import Scheduler


def first_at_or_after(members: set[int], pointer: int) -> int:
    return min((m for m in members if m >= pointer), default=min(members))


class Definition:
    """State and rules of chapter 8. ``frames[i][j][v]`` are the VOQs."""

    def __init__(self, ports: int, vcs: int, iterations: int) -> None:
        self.ports, self.vcs, self.iterations = ports, vcs, iterations
        self.grant = [0] * ports
        self.accept = [0] * ports
        self.turn: list[set[tuple[int, int]]] = [set() for _ in range(ports)]
        self.quota = [[0] * vcs for _ in range(ports)]
        self.catch_up: list[set[int]] = [set() for _ in range(ports)]
        self.bypass = [0] * ports
        self.frames = [[[0] * vcs for _ in range(ports)] for _ in range(ports)]
        self.allow = [[True] * vcs for _ in range(ports)]
        self.weights = [[0] * vcs for _ in range(ports)]  # as in the register
        self.strict: list[set[int]] = [set() for _ in range(ports)]

    def step(
        self, free_inputs: set[int], free_outputs: set[int], limit: int
    ) -> set[tuple[int, int, int]]:
        everyone, channels = range(self.ports), range(self.vcs)
        f = {(i, j) for i in everyone for j in everyone if any(self.frames[i][j])}
        e = {(i, j) for i in everyone for j in everyone
             if any(self.frames[i][j][v] and self.allow[j][v] for v in channels)}
        k = [{i for i in self.catch_up[j] if (i, j) in f} for j in everyone]
        c = [{i for i in k[j] if (i, j) in e} for j in everyone]
        request = {
            (i, j, v) for i in free_inputs for j in free_outputs for v in channels
            if self.frames[i][j][v] and self.allow[j][v] and (not c[j] or i in c[j])
        }
        considered = {j: self.consider(j, {(i, v) for i, out, v in request if out == j})
                      for j in free_outputs}
        pairs: dict[int, int] = {}  # output: input
        for iteration in range(self.iterations):
            inputs = free_inputs - set(pairs.values())
            grants: dict[int, set[int]] = {}
            for j in free_outputs - set(pairs):
                asking = {i for i, _ in considered[j][0] if i in inputs}
                if asking:
                    i = first_at_or_after(asking, self.grant[j])
                    grants.setdefault(i, set()).add(j)
            for i, granted in grants.items():
                urgent = {j for j in granted if c[j]}
                j = first_at_or_after(urgent or granted, self.accept[i])
                pairs[j] = i
                if iteration == 0:
                    self.grant[j] = (i + 1) % self.ports
                    self.accept[i] = (j + 1) % self.ports
        vc_of = {j: self.take(j, i, *considered[j]) for j, i in pairs.items()}
        for j in everyone:
            y = {i for i in everyone if (i, j) in e and i not in free_inputs}
            self.catch_up[j] = set(k[j])
            if j not in pairs:
                continue
            if c[j]:
                self.catch_up[j] = k[j] - {pairs[j]}
                self.bypass[j] = 0
            elif limit == 0:
                self.bypass[j] = 0
            elif not y:
                continue
            elif self.bypass[j] + 1 >= limit:
                self.catch_up[j] = k[j] | y
                self.bypass[j] = 0
            else:
                self.bypass[j] += 1
        return {(i, j, vc_of[j]) for j, i in pairs.items()}

    def consider(
        self, j: int, r: set[tuple[int, int]]
    ) -> tuple[set[tuple[int, int]], bool]:
        """U of an output by R of it, and whether a new round begins. Pairs are (input, VC)."""
        x = {v for _, v in r}
        new_round = False
        if x & self.strict[j]:
            s = {max(x & self.strict[j])}
        elif not any(self.weights[j]):
            s = x
        else:
            s = {v for v in x if self.quota[j][v] > 0}
            if not s:
                s, new_round = x, True
        if any(self.weights[j]):
            fresh = {v: {h for h, u in r - self.turn[j] if u == v} for v in x}
            u = {(i, v) for i, v in r if v in s
                 and ((i, v) not in self.turn[j] or not fresh[v])}
        else:
            fresh = {i: {v for h, v in r - self.turn[j] if h == i and v in s} for i, _ in r}
            u = {(i, v) for i, v in r if v in s
                 and ((i, v) not in self.turn[j] or not fresh[i])}
        return u, new_round

    def take(self, j: int, i: int, u: set[tuple[int, int]], new_round: bool) -> int:
        """VC of the pair (i, j); turns and quotas after it."""
        v = min(vc for h, vc in u if h == i)
        weighted = any(self.weights[j])
        if (i, v) in self.turn[j]:
            self.turn[j] = {(h, w) for h, w in self.turn[j] if (w != v if weighted else h != i)}
        self.turn[j].add((i, v))
        if v not in self.strict[j] and weighted:
            if new_round:
                self.quota[j] = [weight or 1 for weight in self.weights[j]]
            self.quota[j][v] -= 1
        return v

    def packed_turns(self) -> int:
        return sum(1 << (j * self.vcs + v) * self.ports + i
                   for j, pairs in enumerate(self.turn) for i, v in pairs)

    def packed_quotas(self) -> int:
        return sum(n << (j * self.vcs + v) * 4
                   for j, row in enumerate(self.quota) for v, n in enumerate(row))


def choose_settings(rng: random.Random, fast: Scheduler, slow: Definition, j: int) -> None:
    """Weights, or none, and strict VCs of an output."""
    weights = [rng.choice((0, 1, 1, 2, 15)) for _ in range(slow.vcs)]
    slow.weights[j] = weights if rng.random() < 0.6 else [0] * slow.vcs
    slow.strict[j] = {v for v in range(slow.vcs) if rng.random() < 0.15}
    fast.weights[j] = [n or 1 for n in slow.weights[j]] if any(slow.weights[j]) else None
    fast.strict[j] = sum(1 << v for v in slow.strict[j])


@pytest.mark.parametrize("seed", range(40))
def test_same_matches_and_same_state(seed: int) -> None:
    rng = random.Random(seed)
    ports, vcs, iterations = rng.randrange(2, 9), rng.randrange(1, 9), rng.randrange(1, 5)
    limit = rng.choice((0, 1, 2, 5, 255))
    config = load_config(
        "tiny", [f"ports={ports}", f"vcs={vcs}", f"islip_iterations={iterations}",
                 f"bypass_limit={limit}"],
    )
    allow = [(1 << vcs) - 1] * ports
    fast = Scheduler(config, allow)
    slow = Definition(ports, vcs, iterations)
    for j in range(ports):
        choose_settings(rng, fast, slow, j)
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
            allow[j] = mask
            fast.allow_changed(j)
            slow.allow[j] = [bool(mask >> v & 1) for v in range(vcs)]
        if rng.random() < 0.02:
            choose_settings(rng, fast, slow, rng.randrange(ports))
        expected = slow.step(free_inputs, free_outputs, limit)
        made = fast.step(sum(1 << i for i in free_inputs), sum(1 << j for j in free_outputs))
        assert set(made) == expected
        assert len(made) == len(expected)
        assert (fast.grant, fast.accept) == (slow.grant, slow.accept)
        assert fast.quota == slow.quota
        assert fast.turn_packed == slow.packed_turns()
        assert fast.quota_packed == slow.packed_quotas()
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
