# SPDX-License-Identifier: Apache-2.0
"""Expansion of collective operations into sends, receives and reductions, for any rank count.

Sizes follow nccl-tests: S is the whole vector that a rank ends with (all-gather), begins with
(reduce-scatter, all-to-all) or both (all-reduce, broadcast, reduce). Three families of
algorithms, by the name that the user gives:

================  ==================  ========================  =====================
kind              ring                halving-doubling          direct
================  ==================  ========================  =====================
all-reduce        ring                halving-doubling, pre-    one exchange to reduce,
                                      and post-step if n is     one to gather
                                      not a power of two
all-gather        ring                recursive doubling        one exchange
                                      (Bruck for other n)
reduce-scatter    ring                recursive halving (its    one exchange
                                      transpose for other n)
all-to-all        pairwise exchange   pairwise exchange         all at once
broadcast         chain of chunks     binomial tree             from the root
reduce            chain of chunks     binomial tree             to the root
gather, scatter   direct              direct                    direct
barrier           dissemination       dissemination             all to all, no data
================  ==================  ========================  =====================

Sources: Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in
MPICH", 2005; Bruck et al., IEEE TPDS 8(11), 1997.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from itertools import pairwise
from typing import TypeVar

from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.steps import Builder, Schedule, Traffic

B = TypeVar("B", bound=Builder)
Make = Callable[[int, int, int], B]
"""Makes a builder of (ranks, bytes, chunks)."""

ALGORITHMS = ("ring", "halving-doubling", "direct")


class Collective(IntEnum):
    """Kinds of collective by their number in attribute ``comm_type``."""

    ALL_REDUCE = 0
    REDUCE = 1
    ALL_GATHER = 2
    GATHER = 3
    SCATTER = 4
    BROADCAST = 5
    ALL_TO_ALL = 6
    REDUCE_SCATTER = 7
    REDUCE_SCATTER_BLOCK = 8
    BARRIER = 9

    @property
    def label(self) -> str:
        """The name that people use, as ``all-reduce``."""
        return self.name.lower().replace("_", "-")


def bus_factor(kind: Collective, ranks: int) -> float:
    """Bus bandwidth / (S / time), as nccl-tests defines it; 0 for a barrier."""
    if kind is Collective.BARRIER:
        return 0.0
    if kind is Collective.ALL_REDUCE:
        return 2 * (ranks - 1) / ranks
    if kind in (Collective.BROADCAST, Collective.REDUCE):
        return 1.0
    return (ranks - 1) / ranks


def expand(kind: Collective, ranks: int, size: int, algorithm: str, root: int = 0) -> Schedule:
    """The steps of one collective: `build_collective`, as a schedule."""
    return build_collective(Builder, kind, ranks, size, algorithm, root).schedule()


def build_collective(
    make: Make[B], kind: Collective, ranks: int, size: int, algorithm: str, root: int = 0
) -> B:
    """Builds one collective.

    Parameters
    ----------
    make
        Makes the builder that keeps the steps.
    ranks
        n, at least 2.
    size
        S in bytes, as above; ignored by a barrier.
    algorithm
        One of `ALGORITHMS`.
    root
        Root of broadcast, reduce, gather and scatter.

    Raises
    ------
    WorkloadError
        Unknown algorithm, fewer than two ranks, or a root that is no rank.
    """
    if algorithm not in ALGORITHMS:
        raise WorkloadError(f"algorithm {algorithm!r}: must be one of {', '.join(ALGORITHMS)}")
    if ranks < 2:
        raise WorkloadError(f"{kind.label} of {ranks} rank: must be at least 2 ranks")
    if not 0 <= root < ranks:
        raise WorkloadError(f"{kind.label} with root {root}: must be a rank in 0...{ranks - 1}")
    if kind is Collective.ALL_TO_ALL:
        return _all_to_all(make, ranks, size, at_once=algorithm == "direct")
    if kind is Collective.BARRIER:
        return _barrier(make, ranks, algorithm == "direct")
    if kind in (Collective.GATHER, Collective.SCATTER):
        return _root_direct(make, kind, ranks, size, root)
    if kind in (Collective.BROADCAST, Collective.REDUCE):
        if algorithm == "ring":
            return _chain(make, kind, ranks, size, root)
        if algorithm == "direct":
            return _star(make, kind, ranks, size, root)
        return _binomial(make, kind, ranks, size, root)
    reduces = kind is not Collective.ALL_GATHER
    gathers = kind in (Collective.ALL_REDUCE, Collective.ALL_GATHER)
    if algorithm == "ring":
        return _ring(make, ranks, size, reduces, gathers)
    if algorithm == "direct":
        return _exchange(make, ranks, size, reduces, gathers)
    if reduces and gathers:
        return _halving_doubling(make, ranks, size)
    return _recursive(make, ranks, size, reduces)


def _ring(make: Make[B], n: int, size: int, reduces: bool, gathers: bool) -> B:
    """Chunk c travels once round to be reduced at rank c, and once round from there."""
    build = make(n, size, n)
    last: list[int | None] = [None] * n
    tag = 0
    for phase_reduces in (True, False):
        if not (reduces if phase_reduces else gathers):
            continue
        for step in range(n - 1):
            arrived: list[int | None] = [None] * n
            for rank in range(n):
                chunk = (rank - step - (1 if phase_reduces else 0)) % n
                arrived[(rank + 1) % n] = build.message(
                    rank, (rank + 1) % n, (chunk,), tag=tag, after=(last[rank],),
                    ready=(last[(rank + 1) % n],), reduce=phase_reduces,
                )
            last = arrived
            tag += 1
    return build


def _exchange(make: Make[B], n: int, size: int, reduces: bool, gathers: bool) -> B:
    """Every rank sends chunk c to rank c, which reduces; then sends its result to all."""
    build = make(n, size, n)
    done: list[list[int]] = [[] for _ in range(n)]
    if reduces:
        for shift in range(1, n):
            for rank in range(n):
                peer = (rank + shift) % n
                done[peer].append(build.message(rank, peer, (peer,), tag=0, reduce=True))
    if gathers:
        for shift in range(1, n):
            for rank in range(n):
                build.message(rank, (rank + shift) % n, (rank,), tag=1, after=done[rank])
    return build


def _recursive(make: Make[B], n: int, size: int, reduces: bool) -> B:
    """Recursive doubling (all-gather) or halving (reduce-scatter) in ceil(log2 n) rounds.

    For a power of two, partners differ in one bit. For other n the gather is Bruck's, and the
    reduce-scatter is the same pattern with time and direction reversed.
    """
    build = make(n, size, n)
    rounds = []
    distance = 1
    while distance < n:
        pairs = []
        for rank in range(n):
            if n & (n - 1) == 0:
                base = rank & -distance
                chunks = tuple(range(base, base + distance))
                pairs.append((rank, rank ^ distance, chunks))
            else:
                count = min(distance, n - distance)
                chunks = tuple((rank + k) % n for k in range(count))
                pairs.append((rank, (rank - distance) % n, chunks))
        rounds.append(pairs)
        distance *= 2
    if reduces:
        rounds = [[(dst, src, chunks) for src, dst, chunks in pairs] for pairs in rounds[::-1]]
    _play(build, rounds, reduces, 0, [None] * n)
    return build


def _play(
    build: Builder,
    rounds: list[list[tuple[int, int, tuple[int, ...]]]],
    reduces: bool,
    tag: int,
    last: list[int | None],
) -> list[int | None]:
    """Adds rounds of exchanges, each rank waiting for its receive of the round before."""
    for pairs in rounds:
        arrived = list(last)
        for src, dst, chunks in pairs:
            arrived[dst] = build.message(
                src, dst, chunks, tag=tag, after=(last[src],), ready=(last[dst],), reduce=reduces
            )
        last = arrived
        tag += 1
    return last


def _halving_doubling(make: Make[B], n: int, size: int) -> B:
    """Reduce-scatter by recursive halving, then all-gather by recursive doubling.

    With p the largest power of two, ranks p...n-1 first give all their data to rank - p and get
    the result back at the end.
    """
    p = 1 << (n.bit_length() - 1)
    build = make(n, size, p)
    everything = tuple(range(p))
    last: list[int | None] = [None] * n
    for rank in range(p, n):
        last[rank - p] = build.message(rank, rank - p, everything, tag=0, reduce=True)
    halving = []
    distance = p // 2
    while distance:
        # What a rank still owns are the chunks that share its bits above `distance`.
        halving.append([
            (rank, rank ^ distance, tuple(
                chunk for chunk in everything
                if (chunk ^ rank) & ~(2 * distance - 1) == 0 and (chunk ^ rank) & distance
            ))
            for rank in range(p)
        ])
        distance //= 2
    last = _play(build, halving, True, 1, last)
    doubling = [
        [(dst, src, chunks) for src, dst, chunks in pairs] for pairs in halving[::-1]
    ]
    last = _play(build, doubling, False, 1 + len(halving), last)
    for rank in range(p, n):
        build.message(rank - p, rank, everything, tag=1 + 2 * len(halving), after=(last[rank - p],))
    return build


def _all_to_all(make: Make[B], n: int, size: int, *, at_once: bool) -> B:
    """Chunk src * n + dst goes from src to dst; S = size is what one rank sends, own part
    included. Pairwise: in round k rank r sends to r + k and receives from r - k."""
    build = make(n, size * n, n * n)
    last: list[int | None] = [None] * n
    for shift in range(1, n):
        arrived = list(last)
        for rank in range(n):
            peer = (rank + shift) % n
            after = () if at_once else (last[rank],)
            ready = () if at_once else (last[peer],)
            arrived[peer] = build.message(
                rank, peer, (rank * n + peer,), tag=shift, after=after, ready=ready
            )
        last = arrived
    return build


def _barrier(make: Make[B], n: int, at_once: bool) -> B:
    """Messages without data: all to all, or in round k to rank + 2^k (dissemination)."""
    build = make(n, 0, 1)
    last: list[int | None] = [None] * n
    shift, tag = 1, 0
    while shift < n:
        arrived = list(last)
        for rank in range(n):
            peer = (rank + shift) % n
            arrived[peer] = build.message(
                rank, peer, (0,), tag=tag, after=() if at_once else (last[rank],),
                ready=() if at_once else (last[peer],), traffic=Traffic.CONTROL,
            )
        last = arrived
        shift, tag = (shift + 1 if at_once else shift * 2), tag + 1
    return build


def _chain(make: Make[B], kind: Collective, n: int, size: int, root: int) -> B:
    """Pipeline of n chunks along root, root + 1, ...; a reduce runs towards the root."""
    build = make(n, size, n)
    reduces = kind is Collective.REDUCE
    line = [(root + k) % n for k in range(n)]
    if reduces:
        line = line[::-1]
    for chunk in range(n):
        before: int | None = None
        for src, dst in pairwise(line):
            before = build.message(src, dst, (chunk,), tag=chunk, after=(before,), reduce=reduces)
    return build


def _star(make: Make[B], kind: Collective, n: int, size: int, root: int) -> B:
    build = make(n, size, 1)
    for rank in range(n):
        if rank == root:
            continue
        if kind is Collective.REDUCE:
            build.message(rank, root, (0,), tag=0, reduce=True)
        else:
            build.message(root, rank, (0,), tag=0)
    return build


def _binomial(make: Make[B], kind: Collective, n: int, size: int, root: int) -> B:
    """Tree over ranks relative to the root: in round k rank v < 2^k reaches v + 2^k."""
    rounds: list[list[tuple[int, int, tuple[int, ...]]]] = []
    distance = 1
    while distance < n:
        rounds.append([
            ((v + root) % n, (v + distance + root) % n, (0,))
            for v in range(min(distance, n - distance))
        ])
        distance *= 2
    reduces = kind is Collective.REDUCE
    if reduces:
        rounds = [[(dst, src, chunks) for src, dst, chunks in pairs] for pairs in rounds[::-1]]
    build = make(n, size, 1)
    _play(build, rounds, reduces, 0, [None] * n)
    return build


def _root_direct(make: Make[B], kind: Collective, n: int, size: int, root: int) -> B:
    """Gather and scatter: chunk r belongs to rank r and moves straight to or from the root."""
    build = make(n, size, n)
    for rank in range(n):
        if rank == root:
            continue
        if kind is Collective.GATHER:
            build.message(rank, root, (rank,), tag=0)
        else:
            build.message(root, rank, (rank,), tag=0)
    return build
