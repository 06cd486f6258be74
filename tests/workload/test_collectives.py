# SPDX-License-Identifier: Apache-2.0
"""Every algorithm moves the right data: schedules are run on sets of contributions.

A chunk at a rank is the set of ranks whose data are in it. Steps run in a random order that
their dependencies allow; a reduction must add disjoint sets, so nothing is counted twice.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque

import pytest

from gavel_tb.workload.collectives import ALGORITHMS, Collective, bus_factor, expand
from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.moe import draw_routing, moe_schedule
from gavel_tb.workload.steps import Schedule, StepKind

State = list[dict[int, frozenset[int]]]
RANKS = (2, 3, 4, 5, 6, 7, 8, 12, 16, 17)


def run(schedule: Schedule, state: State, seed: int = 1) -> State:
    rng = random.Random(seed)
    wire: dict[tuple[int, int, int], deque[dict[int, frozenset[int]]]] = defaultdict(deque)
    done: list[set[int]] = [set() for _ in schedule.steps]
    todo = [
        (rank, index) for rank, steps in enumerate(schedule.steps) for index in range(len(steps))
    ]
    while todo:
        rng.shuffle(todo)
        later = []
        for rank, index in todo:
            step = schedule.steps[rank][index]
            ready = all(dep in done[rank] for dep in step.deps)
            key = (step.peer, rank, step.tag)
            if ready and step.kind is StepKind.SEND:
                # A rank may send only what it has.
                wire[(rank, step.peer, step.tag)].append(
                    {chunk: state[rank][chunk] for chunk in step.chunks}
                )
            elif ready and step.kind is StepKind.RECV and wire[key]:
                data = wire[key].popleft()
                assert tuple(data) == step.chunks
                for chunk, new in data.items():
                    if step.reduce:
                        old = state[rank][chunk]
                        assert not old & new, "a contribution is added twice"
                        new = old | new
                    state[rank][chunk] = new
            elif not ready or step.kind is StepKind.RECV:
                later.append((rank, index))
                continue
            done[rank].add(index)
        assert len(later) < len(todo), "the schedule deadlocks"
        todo = later
    assert not any(wire.values()), "a message is never received"
    return state


def own(n: int, chunks: int) -> State:
    return [{chunk: frozenset({rank}) for chunk in range(chunks)} for rank in range(n)]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("n", RANKS)
class TestData:
    """Each kind, algorithm and rank count ends with the right chunks everywhere."""

    def test_all_reduce(self, n: int, algorithm: str) -> None:
        schedule = expand(Collective.ALL_REDUCE, n, 1000, algorithm)
        end = run(schedule, own(n, schedule.chunks))
        assert all(value == frozenset(range(n)) for rank in end for value in rank.values())

    def test_reduce_scatter(self, n: int, algorithm: str) -> None:
        schedule = expand(Collective.REDUCE_SCATTER, n, 1000, algorithm)
        end = run(schedule, own(n, n))
        assert all(end[rank][rank] == frozenset(range(n)) for rank in range(n))

    def test_all_gather(self, n: int, algorithm: str) -> None:
        schedule = expand(Collective.ALL_GATHER, n, 1000, algorithm)
        end = run(schedule, [{rank: frozenset({rank})} for rank in range(n)])
        assert all(end[rank] == {c: frozenset({c}) for c in range(n)} for rank in range(n))

    def test_all_to_all(self, n: int, algorithm: str) -> None:
        schedule = expand(Collective.ALL_TO_ALL, n, 1000, algorithm)
        begin = [{rank * n + d: frozenset({rank}) for d in range(n)} for rank in range(n)]
        end = run(schedule, begin)
        for rank in range(n):
            assert all(end[rank][src * n + rank] == frozenset({src}) for src in range(n))

    def test_broadcast_and_reduce(self, n: int, algorithm: str) -> None:
        root = n // 2
        schedule = expand(Collective.BROADCAST, n, 1000, algorithm, root)
        begin: State = [{} for _ in range(n)]
        begin[root] = {chunk: frozenset({root}) for chunk in range(schedule.chunks)}
        end = run(schedule, begin)
        assert all(rank == end[root] for rank in end)
        schedule = expand(Collective.REDUCE, n, 1000, algorithm, root)
        end = run(schedule, own(n, schedule.chunks))
        assert all(value == frozenset(range(n)) for value in end[root].values())

    def test_gather_and_scatter(self, n: int, algorithm: str) -> None:
        begin: State = [{rank: frozenset({rank})} for rank in range(n)]
        end = run(expand(Collective.GATHER, n, 1000, algorithm, 1), begin)
        assert end[1] == {c: frozenset({c}) for c in range(n)}
        begin = [{} for _ in range(n)]
        begin[1] = {c: frozenset({1}) for c in range(n)}
        end = run(expand(Collective.SCATTER, n, 1000, algorithm, 1), begin)
        assert all(rank in end[rank] for rank in range(n))

    def test_barrier_lets_none_pass_before_all_came(self, n: int, algorithm: str) -> None:
        schedule = expand(Collective.BARRIER, n, 1000, algorithm)
        # Who is known to have come travels with the messages, as a reduction without the check.
        known = [{rank} for rank in range(n)]
        tags = {step.tag for steps in schedule.steps for step in steps}
        for tag in sorted(tags):
            before = [set(item) for item in known]
            for rank, steps in enumerate(schedule.steps):
                for step in steps:
                    assert step.size == 0
                    if step.tag == tag and step.kind is StepKind.RECV:
                        known[rank] |= before[step.peer]
        assert all(item == set(range(n)) for item in known)

    def test_bytes_on_the_wire(self, n: int, algorithm: str) -> None:
        """Bandwidth-optimal algorithms move exactly S times the factor per rank."""
        for kind in (Collective.ALL_REDUCE, Collective.ALL_GATHER, Collective.REDUCE_SCATTER,
                     Collective.ALL_TO_ALL):
            folds = kind is Collective.ALL_REDUCE and algorithm == "halving-doubling"
            if folds and n & (n - 1):
                continue
            size = 720720 * n
            for steps in expand(kind, n, size, algorithm).steps:
                sent = sum(step.size for step in steps if step.kind is StepKind.SEND)
                assert sent == pytest.approx(size * bus_factor(kind, n), abs=n)


def test_sizes_that_do_not_divide_lose_no_byte() -> None:
    schedule = expand(Collective.ALL_GATHER, 7, 1001, "ring")
    total = sum(s.size for steps in schedule.steps for s in steps if s.kind is StepKind.SEND)
    assert total == 1001 * 6


def test_refusals() -> None:
    with pytest.raises(WorkloadError, match="algorithm 'tree': must be one of ring"):
        expand(Collective.ALL_REDUCE, 4, 10, "tree")
    with pytest.raises(WorkloadError, match="at least 2 ranks"):
        expand(Collective.ALL_REDUCE, 1, 10, "ring")
    with pytest.raises(WorkloadError, match=r"root 4: must be a rank in 0\.\.\.3"):
        expand(Collective.BROADCAST, 4, 10, "ring", 4)


@pytest.mark.parametrize("ranks", [2, 5, 8])
def test_moe_moves_every_token_there_and_back(ranks: int) -> None:
    routing = draw_routing(ranks, 32 * 64, token_bytes=64, top_k=2, skew=1.2, seed=3)
    schedule = moe_schedule(routing)
    begin: State = [{} for _ in range(ranks)]
    for src, tokens in enumerate(routing.experts):
        for token, picked in enumerate(tokens):
            assert len(set(picked)) == 2
            for expert in picked:
                begin[src][(src * 32 + token) * ranks + expert] = frozenset({src})
    wanted = [dict(chunks) for chunks in begin]
    end = run(schedule, begin)
    for rank in range(ranks):
        assert wanted[rank].items() <= end[rank].items()
        here = [chunk for chunk in end[rank] if chunk % ranks == rank]
        assert len(here) == routing.tokens_at(rank)
    for steps in schedule.steps:
        sizes = [step.size for step in steps if step.kind is StepKind.SEND]
        assert all(size % 64 == 0 and size for size in sizes)


def test_moe_routing_is_skewed_and_repeats_with_its_seed() -> None:
    def loads(skew: float, seed: int) -> list[int]:
        routing = draw_routing(8, 512 * 1000, token_bytes=512, top_k=1, skew=skew, seed=seed)
        return [routing.tokens_at(rank) for rank in range(8)]

    assert loads(1.0, 5) == loads(1.0, 5) != loads(1.0, 6)
    ordered = sorted(loads(1.0, 5), reverse=True)
    harmonic = sum(1 / k for k in range(1, 9))
    for k, load in enumerate(ordered, 1):
        assert load == pytest.approx(8000 / k / harmonic, rel=0.15)
    assert max(loads(0.0, 5)) < 1.15 * 1000
    with pytest.raises(WorkloadError, match="top_k = 9"):
        draw_routing(8, 10, token_bytes=1, top_k=9, skew=1, seed=1)
