# SPDX-License-Identifier: Apache-2.0
"""Scheduler against the text of the specification, written out slowly."""

from __future__ import annotations

import random
from collections import Counter as Tally
from dataclasses import dataclass, replace

import pytest
from amaranth.sim import Simulator

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_rtl.scheduler import Scheduler


def first_at_or_after(members: set[int], pointer: int) -> int:
    later = [n for n in members if n >= pointer]
    return min(later or members)


@dataclass
class Inputs:
    """What the scheduler sees in one cycle."""

    ready: list[list[bool]]
    allow: list[bool]
    done: set[int]
    hold: list[bool]
    claim: list[bool]
    weights: list[list[int]]
    strict: list[set[int]]
    limit: int
    ends: set[int] | None = None
    """Transfers that are done in the next cycle, if the scheduler is told so early."""
    coming: list[list[bool]] | None = None
    """VOQs shown in the next cycle, if it is told so early, too."""
    allow_next: list[bool] | None = None
    """What may be sent in the next cycle, the same; with weights and strict VCs of then."""
    settings_next: tuple[list[list[int]], list[set[int]]] | None = None


class Reference:
    """docs/spec.md, chapter Scheduler, with sets and lists."""

    def __init__(self, config: SwitchConfig):
        self.config = config
        p = config.ports
        self.grant = [0] * p
        self.accept = [0] * p
        self.turn: list[set[tuple[int, int]]] = [set() for _ in range(p)]
        self.quota = [[0] * config.vcs for _ in range(p)]
        self.catch_up: list[set[int]] = [set() for _ in range(p)]
        self.bypass = [0] * p
        self.open: dict[int, int] = {}
        self.idle: set[int] = set()
        self.before: dict[int, tuple[int, int]] = {}
        """The matches of the cycle before."""
        self.asked: Inputs | None = None
        """What was seen in it."""
        self.seen: Tally[str] = Tally()

    def step(self, now: Inputs) -> dict[int, tuple[int, int]]:
        """One cycle: for each matched input its output and VC."""
        p, v = self.config.ports, self.config.vcs
        inputs = outputs = range(p)
        done = now.done
        free_in = {i for i in inputs if i not in self.open or i in done}
        self.idle = {j for j in outputs if not now.hold[j] and not any(
            out == j and i not in now.done for i, out in self.open.items())}
        busy = set(inputs) - free_in
        unknown: set[int] = set()
        if self.config.match_stages:
            # A match is made of what was seen one cycle ago, when matches of then were not known.
            free_out = {j for j in outputs if j not in {
                out for i, out in self.open.items() if i not in now.done}}
            unknown = set(self.before)
            last, self.asked = self.asked, now
            now = last or plain(self.config)
            free_out -= {j for j in outputs if now.hold[j] or now.claim[j]}
        else:
            free_out = {j for j in self.idle if not now.claim[j]}
        frames = {(i, j): {k for k in range(v) if now.ready[i][j * v + k]}
                  for i in inputs for j in outputs}
        may_send = {(i, j): {k for k in vcs if now.allow[j * v + k]}
                    for (i, j), vcs in frames.items()}
        known = [{i for i in self.catch_up[j] if frames[i, j]} for j in outputs]
        late = [{i for i in known[j] if may_send[i, j]} for j in outputs]
        request = {(i, j, k) for (i, j), vcs in may_send.items() for k in vcs
                   if i in free_in | unknown and j in free_out and (not late[j] or i in late[j])}
        choice = {j: self.choose(j, {(i, k) for i, out, k in request if out == j}, now)
                  for j in outputs}
        pairs: dict[int, int] = {}
        for iteration in range(self.config.islip_iterations):
            grants: dict[int, set[int]] = {}
            for j in set(outputs) - set(pairs.values()):
                wanting = {i for i, _ in choice[j][0]} - set(pairs) - unknown
                if wanting:
                    grants.setdefault(first_at_or_after(wanting, self.grant[j]), set()).add(j)
            for i, granting in grants.items():
                j = first_at_or_after({j for j in granting if late[j]} or granting, self.accept[i])
                pairs[i] = j
                if iteration == 0:
                    self.grant[j], self.accept[i] = (i + 1) % p, (j + 1) % p
        matched = {i: (j, self.take(j, i, *choice[j], now)) for i, j in pairs.items()}
        for i, j in pairs.items():
            self.wait(j, i, known, late, {n for n in busy if may_send[n, j]}, now.limit)
        for j in set(outputs) - set(pairs.values()):
            self.seen["kept without allow"] += known[j] != late[j]
            self.catch_up[j] = known[j]
        for i in done:
            self.open.pop(i, None)
        self.open |= pairs
        return matched

    def choose(self, j: int, asking: set[tuple[int, int]],
               now: Inputs) -> tuple[set[tuple[int, int]], bool]:
        """Of the pairs (input, VC) that request output j those that count, which is U, and
        whether a new round begins."""
        weighted = any(now.weights[j])
        vcs = {k for _, k in asking}
        left = {k for k in vcs if self.quota[j][k] > 0}
        new_round = False
        if vcs & now.strict[j]:
            self.seen["strict"] += 1
            vcs = {max(vcs & now.strict[j])}
        elif weighted and left:
            vcs = left
        elif weighted:
            new_round = True
        considered = {(i, k) for i, k in asking if k in vcs}
        waiting = considered - self.turn[j]
        member = 1 if weighted else 0
        groups = {pair[member] for pair in waiting}
        return waiting | {pair for pair in considered if pair[member] not in groups}, new_round

    def take(self, j: int, i: int, counting: set[tuple[int, int]], new_round: bool,
             now: Inputs) -> int:
        weighted = any(now.weights[j])
        vc = min(k for h, k in counting if h == i)
        if (i, vc) in self.turn[j]:
            self.seen["turns begin anew"] += 1
            group = {(h, k) for h, k in self.turn[j] if (k == vc if weighted else h == i)}
            self.turn[j] -= group
        self.turn[j] |= {(i, vc)}
        if weighted and vc not in now.strict[j]:
            self.seen["new round"] += new_round
            self.seen["round goes on"] += not new_round
            if new_round:
                self.quota[j] = [max(1, now.weights[j][k]) for k in range(self.config.vcs)]
            self.quota[j][vc] -= 1
        return vc

    def wait(self, j: int, i: int, known: list[set[int]], late: list[set[int]], busy: set[int],
             limit: int) -> None:
        self.catch_up[j] = known[j]
        if late[j]:
            self.catch_up[j] = known[j] - {i}
            self.bypass[j] = 0
        elif limit == 0:
            self.bypass[j] = 0
        elif not busy:
            return
        elif self.bypass[j] + 1 >= limit:
            self.seen["joins"] += bool(known[j])
            self.catch_up[j], self.bypass[j] = known[j] | busy, 0
        else:
            self.bypass[j] += 1

    def probes(self):
        p = self.config.ports

        def mask(pointer):
            return 0 if pointer == 0 else -1 << pointer & (1 << p) - 1

        def pack(values, width):
            return sum(value << n * width for n, value in enumerate(values))

        return {
            "grant": pack(map(mask, self.grant), p),
            "accept": pack(map(mask, self.accept), p),
            "turn": pack((sum(1 << i for i in range(p) if (i, k) in pairs)
                          for pairs in self.turn for k in range(self.config.vcs)), p),
            "catch_up": pack((sum(1 << i for i in s) for s in self.catch_up), p),
            "quota": pack((n for row in self.quota for n in row), 4),
        }


def bits(flags) -> int:
    return sum(bool(flag) << n for n, flag in enumerate(flags))


def drive(ctx, dut: Scheduler, now: Inputs) -> None:
    for i, row in enumerate(now.ready):
        ctx.set(dut.voq_ready[i], bits(row))
        ctx.set(dut.voq_next[i], 0 if now.coming is None else bits(now.coming[i]))
    for j, (weights, strict) in enumerate(zip(now.weights, now.strict, strict=True)):
        ctx.set(dut.weights[j], sum(weight << 4 * vc for vc, weight in enumerate(weights)))
        ctx.set(dut.weighted[j], any(weights))
        ctx.set(dut.strict[j], sum(1 << vc for vc in strict))
    for j, (weights, strict) in enumerate(zip(*now.settings_next or ((), ()), strict=True)):
        ctx.set(dut.weighted_next[j], any(weights))
        ctx.set(dut.strict_next[j], sum(1 << vc for vc in strict))
    ctx.set(dut.allow, bits(now.allow))
    ctx.set(dut.allow_next, bits(now.allow_next or ()))
    ctx.set(dut.hold, bits(now.hold))
    ctx.set(dut.claim, bits(now.claim))
    ctx.set(dut.ends, sum(1 << i for i in (now.done if now.ends is None else now.ends)))
    ctx.set(dut.bypass_limit, now.limit)


def compare(ctx, dut: Scheduler, reference: Reference, now: Inputs, cycle: int):
    """One cycle of both; returns the matches."""
    for name, value in reference.probes().items():
        assert ctx.get(getattr(dut, name)) == value, (cycle, name)
    for i, (_, vc) in reference.before.items():
        assert ctx.get(dut.match[i].vc) == 1 << vc, (cycle, i)
    before = dict(reference.before.values())
    for j, vcs in enumerate(dut.vc_before):
        assert ctx.get(vcs) == (1 << before[j] if j in before else 0), (cycle, j)
    reference.before = expected = reference.step(now)
    for i, match in enumerate(dut.match):
        output, _ = expected.get(i, (None, None))
        assert ctx.get(match.valid) == (i in expected), (cycle, i)
        assert ctx.get(match.output) == (0 if output is None else 1 << output), (cycle, i)
    matched = dict(expected.values())
    assert ctx.get(dut.matched) == sum(1 << j for j in matched), cycle
    assert ctx.get(dut.idle) == sum(1 << j for j in reference.idle), cycle
    for j, vcs in enumerate(dut.matched_vc):
        assert ctx.get(vcs) == (1 << matched[j] if j in matched else 0), (cycle, j)
    return expected


def run(dut: Scheduler, bench) -> None:
    simulator = Simulator(dut)
    simulator.add_clock(1e-9)
    simulator.add_testbench(bench)
    simulator.run()


GATE, REQUESTS = 1, 2


@pytest.mark.parametrize(("ports", "vcs", "iterations", "width", "stages"), [
    (2, 1, 1, 64, 0), (2, 4, 2, 512, 0), (3, 3, 1, 128, 0), (3, 3, 1, 512, 0), (3, 1, 3, 256, 0),
    (3, 4, 4, 256, 0), (5, 8, 2, 512, 0), (8, 1, 2, 256, 0),
    pytest.param(8, 3, 3, 128, 0, marks=pytest.mark.long),
    pytest.param(8, 4, 1, 512, 0, marks=pytest.mark.long),
    (2, 1, 1, 128, 1), (3, 3, 1, 128, 1), (3, 4, 2, 256, 1),
    (2, 1, 2, 64, REQUESTS), (3, 3, 2, 128, REQUESTS), (4, 2, 1, 64, REQUESTS)])
def test_scheduler_matches_as_specified(ports, vcs, iterations, width, stages):
    config = replace(load_config("tiny"), ports=ports, vcs=vcs, islip_iterations=iterations,
                     data_width=width, gate_stages=int(stages == GATE),
                     match_stages=int(stages == REQUESTS))
    dut, reference = Scheduler(config), Reference(config)
    shortest = config.words_per_cell
    # Each cycle of the largest takes as long as ten of others, and shows more matches.
    phase_cycles = 40 if ports * vcs >= 32 else 80
    rng = random.Random(f"{ports} {vcs} {iterations}")

    async def bench(ctx):
        remaining: dict[int, int] = {}
        matches = late = 0
        ready = [[False] * (ports * vcs) for _ in range(ports)]
        allow_next = [True] * (ports * vcs)
        weights_next: list[list[int]] = [[0] * vcs for _ in range(ports)]
        strict_next: list[set[int]] = [set() for _ in range(ports)]
        for cycle in range(5 * phase_cycles):
            phase = cycle // phase_cycles
            load = (0.05, 0.9, 0.3, 0.5, 0.7)[phase]
            open_share = (0.9, 0.9, 0.9, 0.5, 0.3)[phase]
            weights, strict = weights_next, strict_next
            if cycle % 20 == 19:
                # The registers may change in any cycle; between, so that turns can be long.
                heaviest = [rng.choice((0, 1, 3, 15)) for _ in range(ports)]
                weights_next = [[rng.randint(0, most) for _ in range(vcs)] for most in heaviest]
                strict_next = [{vc for vc in range(vcs)
                                if rng.random() < (0, 0.4)[cycle // 20 % 2]}
                               for _ in range(ports)]
            coming = [[shown or rng.random() < load for shown in row] for row in ready]
            allow = allow_next
            allow_next = [rng.random() < open_share for _ in range(ports * vcs)]
            now = Inputs(
                ready=ready, coming=None if width == 512 else coming,
                allow=allow, allow_next=allow_next, settings_next=(weights_next, strict_next),
                done={i for i, cycles in remaining.items() if cycles == 1},
                hold=[rng.random() < 0.1 for _ in range(ports)],
                claim=[rng.random() < 0.1 for _ in range(ports)],
                weights=weights, strict=strict, limit=(64, 2, 0, 1, 2)[phase],
                ends=None if width == 512 else {i for i, left in remaining.items() if left == 2})
            drive(ctx, dut, now)
            expected = compare(ctx, dut, reference, now, cycle)
            late += any(reference.catch_up)
            remaining = {i: cycles - 1 for i, cycles in remaining.items() if cycles > 1}
            remaining |= {i: shortest + rng.choice((0, 0, 1, 4)) for i in expected}
            matches += len(expected)
            # A VOQ is shown until it is matched, and then often no more.
            ready = coming
            for i, (j, vc) in expected.items():
                ready[i][j * vcs + vc] = rng.random() < load
            await ctx.tick()
        assert matches > 50
        assert late > 0
        wanted = ["kept without allow", "strict", "turns begin anew", "new round",
                  "round goes on"]
        assert all(reference.seen[name] for name in wanted), reference.seen

    run(dut, bench)


def plain(config: SwitchConfig, **changes: object) -> Inputs:
    """Nothing is asked for, everything is allowed, no weights."""
    ports = config.ports
    values = {
        "ready": [[False] * config.voqs for _ in range(ports)], "allow": [True] * config.voqs,
        "done": set(), "hold": [False] * ports, "claim": [False] * ports,
        "weights": [[0] * config.vcs for _ in range(ports)],
        "strict": [set() for _ in range(ports)],
        "limit": 0, **changes,
    }
    return Inputs(**values)  # type: ignore[arg-type]  # the caller names members


SHARES = {
    "no_weights": ([0, 0, 0], set(), "012012012"),
    "equal": ([1, 1, 1], set(), "012012012"),
    "weighted": ([2, 3, 1], set(), "001112001112"),
    "nothing_acts_as_one": ([0, 2, 0], set(), "01120112"),
    "heaviest": ([15, 1, 15], set(), "0" * 15 + "1" + "2" * 15 + "0" * 15),
    "highest_strict_first": ([1, 1, 1], {0, 2}, "22222222"),
}


@pytest.mark.parametrize("name", SHARES)
def test_vcs_share_an_output_exactly(name):
    config = replace(load_config("tiny"), ports=2, vcs=3, islip_iterations=1, data_width=512)
    weights, strict, order = SHARES[name]
    dut, reference = Scheduler(config), Reference(config)
    everything = [[True] * config.voqs, [False] * config.voqs]

    async def bench(ctx):
        vcs = ""
        for cycle, _ in enumerate(order):
            now = plain(config, ready=everything, weights=[weights] * 2, strict=[strict] * 2,
                        done={0} if cycle else set())
            now.hold[1] = True
            drive(ctx, dut, now)
            vcs += str(compare(ctx, dut, reference, now, cycle)[0][1])
            await ctx.tick()
        assert vcs == order

    run(dut, bench)


def test_a_strict_vc_leaves_the_turns_of_the_others_alone():
    config = replace(load_config("tiny"), ports=2, vcs=3, islip_iterations=1, data_width=512)
    dut, reference = Scheduler(config), Reference(config)

    async def bench(ctx):
        vcs = ""
        for cycle in range(12):
            urgent = cycle % 3 == 1
            row = [True, True, urgent] + [False] * 3
            now = plain(config, ready=[row, [False] * 6], weights=[[3, 2, 9]] * 2,
                        strict=[{2}, set()], done={0} if cycle else set())
            drive(ctx, dut, now)
            vcs += str(compare(ctx, dut, reference, now, cycle)[0][1])
            await ctx.tick()
        assert vcs == "020021120020"

    run(dut, bench)


@pytest.mark.parametrize(("ports", "weights"), [
    (2, [0, 0]), (2, [1, 1]), (4, [0, 0, 0, 0]), (4, [1, 2, 5, 1])])
def test_no_voq_starves(ports, weights):
    """All VOQs are full, and all frames take one cycle."""
    vcs = len(weights)
    config = replace(load_config("tiny"), ports=ports, vcs=vcs, islip_iterations=1, data_width=512)
    dut, reference = Scheduler(config), Reference(config)
    share = {vc: weight or 1 for vc, weight in enumerate(weights)}
    length = sum(share.values())

    async def bench(ctx):
        taken: list[list[tuple[int, int]]] = [[] for _ in range(ports)]
        for cycle in range(4 * ports * length):
            now = plain(config, ready=[[True] * config.voqs] * ports, weights=[weights] * ports,
                        done=set(reference.open), limit=64)
            drive(ctx, dut, now)
            for i, (j, vc) in compare(ctx, dut, reference, now, cycle).items():
                taken[j].append((i, vc))
            await ctx.tick()
        for pairs in taken:
            assert len(set(pairs)) == ports * vcs
            # Without weights it is the inputs whose VCs are served in turn.
            for n in range(0, len(pairs) - length + 1 if any(weights) else 0, length):
                assert Tally(vc for _, vc in pairs[n:n + length]) == share

    run(dut, bench)


def test_a_vc_that_may_not_send_keeps_its_place_and_holds_up_nobody():
    """Input 1 was busy while output 0 served input 0; then its VC is stopped for a while."""
    config = replace(load_config("tiny"), ports=2, vcs=2, islip_iterations=1, data_width=512)
    dut, reference = Scheduler(config), Reference(config)

    async def bench(ctx):
        # Input 0 has VC 0 for output 0; input 1 VC 1 for output 0, and VC 0 for output 1.
        ready = [[True, False, False, False], [False, True, True, False]]
        winners = []
        for cycle in range(12):
            stopped = 3 <= cycle < 8
            now = plain(config, ready=ready, limit=2, allow=[True, not stopped, True, True])
            # Input 1 is in a long transfer to output 1 at first, then free.
            now.hold[0] = cycle == 0
            now.hold[1] = cycle > 0
            now.done = {i for i in reference.open if i == 0 or cycle >= 5}
            drive(ctx, dut, now)
            expected = compare(ctx, dut, reference, now, cycle)
            winners += [i for i, (j, _) in expected.items() if j == 0]
            if 3 <= cycle < 8:
                assert reference.catch_up[0] == {1}
            await ctx.tick()
        # Two go past it; while it is stopped the other goes on; then it is the first.
        assert winners == [0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0]

    run(dut, bench)


def test_a_claim_keeps_the_output_and_not_its_state():
    config = replace(load_config("tiny"), ports=2, vcs=1, islip_iterations=1, data_width=512)
    dut, reference = Scheduler(config), Reference(config)

    async def bench(ctx):
        for cycle in range(4):
            now = plain(config, ready=[[True, False], [True, False]],
                        claim=[cycle in (1, 2), False], done=set(reference.open))
            drive(ctx, dut, now)
            expected = compare(ctx, dut, reference, now, cycle)
            assert list(expected) == {0: [0], 1: [], 2: [], 3: [1]}[cycle]
            assert ctx.get(dut.idle) == 0b11
            await ctx.tick()

    run(dut, bench)
