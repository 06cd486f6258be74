# SPDX-License-Identifier: Apache-2.0
"""Scheduler against the text of the specification, written out slowly."""

import random
from dataclasses import replace

import pytest
from amaranth.sim import Simulator

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_rtl.scheduler import Scheduler


def first_at_or_after(members: set[int], pointer: int) -> int:
    later = [n for n in members if n >= pointer]
    return min(later or members)


class Reference:
    """docs/spec.md, chapter Scheduler, with sets and lists."""

    def __init__(self, config: SwitchConfig):
        self.config = config
        p = config.ports
        self.grant = [0] * p
        self.accept = [0] * p
        self.vc = [0] * p
        self.catch_up: list[set[int]] = [set() for _ in range(p)]
        self.bypass = [0] * p
        self.open: dict[int, int] = {}

    def step(self, ready, allow, done, hold, limit):
        p, v = self.config.ports, self.config.vcs
        eligible = {(i, j): [k for k in range(v) if ready[i][j * v + k] and allow[j * v + k]]
                    for i in range(p) for j in range(p)}
        free_in = [i not in self.open or i in done for i in range(p)]
        free_out = [not hold[j] and not any(out == j and i not in done
                                            for i, out in self.open.items()) for j in range(p)]
        late = [{i for i in self.catch_up[j] if eligible[i, j]} for j in range(p)]
        request = {(i, j) for (i, j), vcs in eligible.items()
                   if vcs and free_in[i] and free_out[j] and (not late[j] or i in late[j])}
        matched: dict[int, int] = {}
        pointers = []
        for iteration in range(self.config.islip_iterations):
            grants: dict[int, set[int]] = {}
            for j in range(p):
                wanting = {i for i in range(p) if (i, j) in request and i not in matched}
                if wanting and j not in matched.values():
                    winner = first_at_or_after(wanting, self.grant[j])
                    grants.setdefault(winner, set()).add(j)
            for i, granting in grants.items():
                choice = {j for j in granting if late[j]} or granting
                j = first_at_or_after(choice, self.accept[i])
                matched[i] = j
                if iteration == 0:
                    pointers.append((i, j))
        for i, j in pointers:
            self.grant[j], self.accept[i] = (i + 1) % p, (j + 1) % p
        result = {}
        for i, j in matched.items():
            vc = first_at_or_after(set(eligible[i, j]), self.vc[j])
            self.vc[j] = (vc + 1) % v
            result[i] = (j, vc)
        of_output = {j: i for i, j in matched.items()}
        for j in range(p):
            busy = {i for i in range(p) if eligible[i, j] and not free_in[i]}
            self.catch_up[j] = late[j]
            if not free_out[j] or j not in of_output:
                continue
            if late[j]:
                self.catch_up[j] = late[j] - {of_output[j]}
                self.bypass[j] = 0
            elif not busy or limit == 0:
                self.bypass[j] = 0
            elif self.bypass[j] + 1 >= limit:
                self.catch_up[j], self.bypass[j] = busy, 0
            else:
                self.bypass[j] += 1
        for i in done:
            self.open.pop(i, None)
        self.open |= matched
        return result

    def probes(self):
        p = self.config.ports

        def mask(pointer):
            return 0 if pointer == 0 else -1 << pointer & (1 << p) - 1

        def pack(values, width):
            return sum(value << n * width for n, value in enumerate(values))

        return {
            "grant": pack(map(mask, self.grant), p),
            "accept": pack(map(mask, self.accept), p),
            "vc": pack(self.vc, self.config.vc_bits),
            "catch_up": pack((sum(1 << i for i in s) for s in self.catch_up), p),
        }


@pytest.mark.parametrize(("ports", "vcs", "iterations"), [
    (2, 1, 1), (2, 4, 2), (3, 3, 1), (3, 1, 3), (3, 4, 4), (8, 1, 2), (8, 3, 3), (8, 4, 1)])
def test_scheduler_matches_as_specified(ports, vcs, iterations):
    config = replace(load_config("tiny"), ports=ports, vcs=vcs, islip_iterations=iterations)
    dut, reference = Scheduler(config), Reference(config)
    rng = random.Random(f"{ports} {vcs} {iterations}")

    async def bench(ctx):
        remaining: dict[int, int] = {}
        matches = late = 0
        for cycle in range(400):
            phase = cycle // 100
            load = (0.05, 0.9, 0.3, 0.5)[phase]
            limit = (64, 2, 0, 1)[phase]
            ready = [[rng.random() < load for _ in range(ports * vcs)] for _ in range(ports)]
            allow = [rng.random() < 0.9 for _ in range(ports * vcs)]
            hold = [rng.random() < 0.1 for _ in range(ports)]
            done = {i for i, cycles in remaining.items() if cycles == 1}
            for i in range(ports):
                ctx.set(dut.voq_ready[i], sum(bit << n for n, bit in enumerate(ready[i])))
            ctx.set(dut.allow, sum(bit << n for n, bit in enumerate(allow)))
            ctx.set(dut.hold, sum(bit << n for n, bit in enumerate(hold)))
            ctx.set(dut.done, sum(1 << i for i in done))
            ctx.set(dut.bypass_limit, limit)
            for name, value in reference.probes().items():
                assert ctx.get(getattr(dut, name)) == value, (cycle, name)
            expected = reference.step(ready, allow, done, hold, limit)
            late += any(reference.catch_up)
            for i in range(ports):
                match = dut.match[i]
                output, vc = expected.get(i, (None, None))
                assert ctx.get(match.valid) == (i in expected), (cycle, i)
                assert ctx.get(match.output) == (0 if output is None else 1 << output), (cycle, i)
                assert ctx.get(match.vc) == (0 if vc is None else 1 << vc), (cycle, i)
            assert ctx.get(dut.matched) == sum(1 << j for j, _ in expected.values()), cycle
            remaining = {i: cycles - 1 for i, cycles in remaining.items() if cycles > 1}
            remaining |= {i: rng.choice((1, 1, 2, 5)) for i in expected}
            matches += len(expected)
            await ctx.tick()
        assert matches > 100
        assert late > 0

    simulator = Simulator(dut)
    simulator.add_clock(1e-9)
    simulator.add_testbench(bench)
    simulator.run()
