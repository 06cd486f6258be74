# SPDX-License-Identifier: Apache-2.0
"""Makes Chakra traces of collectives and of a mixture of experts."""

from __future__ import annotations

from gavel_model.config import shortened
from gavel_tb.workload.attributes import Attribute, attribute
from gavel_tb.workload.chakra import FORMAT_VERSION, Node, NodeType, RankTrace, Trace
from gavel_tb.workload.collectives import Collective, expand
from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.moe import draw_routing, moe_schedule
from gavel_tb.workload.steps import Schedule, Step, StepKind

KINDS = {
    "all-reduce": Collective.ALL_REDUCE,
    "all-gather": Collective.ALL_GATHER,
    "reduce-scatter": Collective.REDUCE_SCATTER,
    "all-to-all": Collective.ALL_TO_ALL,
    "broadcast": Collective.BROADCAST,
    "reduce": Collective.REDUCE,
    "barrier": Collective.BARRIER,
}
"""Collectives by the name that the command line uses; ``moe`` is the one other kind."""

MOE = "moe"
MAX_RANKS = 1024
MAX_DURATION_US = 10**6
"""Longest computation of a trace."""

# Names of the metadata that let a written-out collective be measured as one.
COLLECTIVE_NAME = "gavel_collective"
COLLECTIVE_SIZE = "gavel_size"
TRAFFIC_CLASS = "gavel_traffic"


def collective_steps(
    kind: str, ranks: int, size: int, *, algorithm: str, compute_us: int = 0
) -> Trace:
    """A collective written out as send, receive and compute nodes.

    ``compute_us`` is the time of the reduction of one received message.

    Raises
    ------
    WorkloadError
        For an unknown kind or algorithm, or a rank count or size out of range.
    """
    _check(kind, ranks, size)
    schedule = expand(KINDS[kind], ranks, size, algorithm)
    durations = {
        (rank, index): compute_us
        for rank, steps in enumerate(schedule.steps)
        for index, step in enumerate(steps)
        if step.kind is StepKind.COMP
    }
    return _from_schedule(f"{kind}_{algorithm}_{ranks}", schedule, durations, {
        COLLECTIVE_NAME: attribute(COLLECTIVE_NAME, kind),
        COLLECTIVE_SIZE: attribute(COLLECTIVE_SIZE, size),
        "algorithm": attribute("algorithm", algorithm),
    })


def collective_node(kind: str, ranks: int, size: int) -> Trace:
    """A collective as one collective node per rank, to be expanded when it is played."""
    _check(kind, ranks, size)
    traces = []
    for rank in range(ranks):
        attributes = (
            attribute("is_cpu_op", False),
            attribute("comm_type", int(KINDS[kind])),
            attribute("comm_size", size),
        )
        node = Node(1, kind, NodeType.COMM_COLL, attributes={a.name: a for a in attributes})
        traces.append(RankTrace(rank, [node], FORMAT_VERSION))
    return Trace(f"{kind}_{ranks}", traces)


def mixture_of_experts(
    ranks: int,
    size: int,
    *,
    token_bytes: int = 1024,
    top_k: int = 2,
    skew: float = 1.0,
    seed: int = 1,
    compute_us: int = 0,
) -> Trace:
    """Dispatch and combine of ``size`` bytes of tokens per rank (see `moe`).

    An expert with the average number of tokens computes for ``compute_us``, others in
    proportion, rounded up to whole microseconds.
    """
    _check(MOE, ranks, size)
    routing = draw_routing(
        ranks, size, token_bytes=token_bytes, top_k=top_k, skew=skew, seed=seed
    )
    schedule = moe_schedule(routing)
    total = sum(routing.tokens_at(rank) for rank in range(ranks))
    durations = {
        (rank, index): -(-compute_us * routing.tokens_at(rank) * ranks // total)
        for rank, steps in enumerate(schedule.steps)
        for index, step in enumerate(steps)
        if step.kind is StepKind.COMP
    }
    return _from_schedule(f"{MOE}_{ranks}", schedule, durations, {
        "workload": attribute("workload", MOE),
        "token_bytes": attribute("token_bytes", token_bytes),
        "top_k": attribute("top_k", top_k),
        "skew": attribute("skew", float(skew)),
        "seed": attribute("seed", seed),
    })


def _check(kind: str, ranks: int, size: int) -> None:
    if kind not in (*KINDS, MOE):
        raise WorkloadError(f"kind {kind!r}: must be one of {', '.join((*KINDS, MOE))}")
    if not 2 <= ranks <= MAX_RANKS:
        raise WorkloadError(f"ranks = {ranks}: must be in 2...{MAX_RANKS}")
    if not 0 <= size < 1 << 40:
        raise WorkloadError(f"size = {size}: must be in 0...{(1 << 40) - 1} bytes")


def _from_schedule(
    name: str,
    schedule: Schedule,
    durations: dict[tuple[int, int], int],
    metadata: dict[str, Attribute],
) -> Trace:
    longest = max(durations.values(), default=0)
    if longest > MAX_DURATION_US:
        raise WorkloadError(
            f"compute_us: the longest computation would be {shortened(str(longest))} us; at most "
            f"{MAX_DURATION_US}"
        )
    return Trace(name, [
        RankTrace(
            rank,
            [_node(rank, index, step, durations) for index, step in enumerate(steps)],
            FORMAT_VERSION,
            dict(metadata),
        )
        for rank, steps in enumerate(schedule.steps)
    ])


def _node(rank: int, index: int, step: Step, durations: dict[tuple[int, int], int]) -> Node:
    deps = tuple(step.deps)
    if step.kind is StepKind.COMP:
        return Node(index, f"compute_{index}", NodeType.COMP, data_deps=deps,
                    duration_us=durations.get((rank, index), 0),
                    attributes={"is_cpu_op": attribute("is_cpu_op", False)})
    sends = step.kind is StepKind.SEND
    ends = {"comm_src": rank, "comm_dst": step.peer} if sends else {
        "comm_src": step.peer, "comm_dst": rank}
    values = {"comm_size": step.size, **ends, "comm_tag": step.tag,
              TRAFFIC_CLASS: int(step.traffic)}
    return Node(
        index,
        f"{'send_to' if sends else 'receive_from'}_{step.peer}_{index}",
        NodeType.COMM_SEND if sends else NodeType.COMM_RECV,
        data_deps=deps,
        attributes={key: attribute(key, value) for key, value in values.items()},
    )
