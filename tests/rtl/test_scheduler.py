# SPDX-License-Identifier: Apache-2.0
"""Scheduler against the text of the specification, written out slowly."""

from __future__ import annotations

import random
from collections import Counter as Tally
from dataclasses import replace

import pytest

from gavel_model.loader import load_config
from gavel_rtl.scheduler import Scheduler
from gavel_tb.block_sim import run_block
from gavel_tb.scheduler_reference import Inputs, Reference, plain


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
    run_block(dut, bench)


GATE, REQUESTS = 1, 2


@pytest.mark.parametrize(("ports", "vcs", "iterations", "width", "stages"), [
    (2, 1, 1, 64, 0), (2, 4, 2, 512, 0), (3, 3, 1, 128, 0), (3, 3, 1, 512, 0), (3, 1, 3, 256, 0),
    (3, 2, 4, 256, 0), (2, 8, 2, 512, 0), (8, 1, 2, 256, 0),
    pytest.param(3, 4, 4, 256, 0, marks=pytest.mark.long),
    pytest.param(5, 8, 2, 512, 0, marks=pytest.mark.long),
    pytest.param(8, 3, 3, 128, 0, marks=pytest.mark.long),
    pytest.param(8, 4, 1, 512, 0, marks=pytest.mark.long),
    (2, 1, 1, 128, 1), (3, 3, 1, 128, 1), (3, 2, 2, 256, 1),
    pytest.param(3, 4, 2, 256, 1, marks=pytest.mark.long),
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
        # Requests that are a cycle old may be all of inputs that were matched meanwhile.
        assert (reference.seen["asked by the busy alone"] > 0) == (stages == REQUESTS)
        wanted = ["kept without allow", "strict", "turns begin anew", "new round",
                  "round goes on"]
        assert all(reference.seen[name] for name in wanted), reference.seen

    run(dut, bench)


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
    (2, [0, 0]), (2, [1, 1]), (3, [1, 2, 5, 1]),
    *(pytest.param(4, weights, marks=pytest.mark.long) for weights in (
        [0, 0, 0, 0], [1, 2, 5, 1]))])
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
