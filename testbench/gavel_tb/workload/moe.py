# SPDX-License-Identifier: Apache-2.0
"""Mixture of experts: dispatch of tokens to the ranks of their experts, and combine.

One expert lives on each rank. Expert popularity follows Zipf's law: the k-th most popular has
weight 1 / k^skew, and a seed draws which rank that is. Every token picks ``top_k`` different
experts, each draw by the weights of those not yet picked.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.steps import Builder, Schedule, Traffic

DISPATCH_TAG, COMBINE_TAG = 0, 1
MAX_SKEW = 64


@dataclass(frozen=True, kw_only=True)
class Routing:
    """Where the tokens go: ``experts[src][token]`` are the ranks that token was sent to."""

    ranks: int
    token_bytes: int
    experts: tuple[tuple[tuple[int, ...], ...], ...]

    def tokens_at(self, rank: int) -> int:
        """Tokens that the expert of ``rank`` works on, its own included."""
        return sum(rank in picked for source in self.experts for picked in source)


def draw_routing(
    ranks: int, size: int, *, token_bytes: int, top_k: int, skew: float, seed: int
) -> Routing:
    """Draws the routing of ``size`` bytes of tokens per rank.

    Raises
    ------
    WorkloadError
        If top_k is not in 1...ranks, skew is not in 0...64 or token_bytes is below 1.
    """
    if not 1 <= top_k <= ranks:
        raise WorkloadError(f"top_k = {top_k}: must be in 1...{ranks}, the number of experts")
    if token_bytes < 1:
        raise WorkloadError(f"token_bytes = {token_bytes}: must be at least 1")
    if not 0 <= skew <= MAX_SKEW:
        raise WorkloadError(f"skew = {skew}: must be in 0...{MAX_SKEW} (0 is uniform)")
    rng = random.Random(f"moe/{seed}")
    by_popularity = list(range(ranks))
    rng.shuffle(by_popularity)
    weights = [1 / (k + 1) ** skew for k in range(ranks)]
    tokens = max(1, size // token_bytes)

    def pick() -> tuple[int, ...]:
        left, chosen = list(range(ranks)), []
        for _ in range(top_k):
            place = rng.choices(left, [weights[k] for k in left])[0]
            left.remove(place)
            chosen.append(by_popularity[place])
        return tuple(chosen)

    experts = tuple(tuple(pick() for _ in range(tokens)) for _ in range(ranks))
    return Routing(ranks=ranks, token_bytes=token_bytes, experts=experts)


def moe_schedule(routing: Routing) -> Schedule:
    """Dispatch, expert computation, combine.

    Chunk (src * tokens + token) * ranks + expert is the copy of a token that this expert
    handles. Each pair of ranks exchanges one message in each direction; ranks that share no
    token exchange none.
    """
    n = routing.ranks
    tokens = len(routing.experts[0])
    copies = n * tokens * n
    build = Builder(n, copies * routing.token_bytes, copies)

    def chunks(src: int, dst: int) -> list[int]:
        return [
            (src * tokens + token) * n + dst
            for token, picked in enumerate(routing.experts[src])
            if dst in picked
        ]

    received: list[list[int]] = [[] for _ in range(n)]
    work = [list(chunks(rank, rank)) for rank in range(n)]
    for shift in range(1, n):
        for src in range(n):
            dst = (src + shift) % n
            moved = chunks(src, dst)
            if moved:
                received[dst].append(build.message(src, dst, moved, tag=DISPATCH_TAG))
                work[dst] += moved
    done = [
        build.compute(rank, work[rank], received[rank]) if work[rank] else None
        for rank in range(n)
    ]
    for shift in range(1, n):
        for expert in range(n):
            owner = (expert - shift) % n
            moved = chunks(owner, expert)
            if moved:
                build.message(
                    expert, owner, moved, tag=COMBINE_TAG, after=(done[expert],),
                    traffic=Traffic.REDUCE,
                )
    return build.schedule()
