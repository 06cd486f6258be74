# SPDX-License-Identifier: Apache-2.0
"""The steps that a collective is made of, and a builder that keeps them per rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class StepKind(IntEnum):
    """What a rank does in a step."""

    SEND = 0
    RECV = 1
    COMP = 2


class Traffic(IntEnum):
    """What a message is for; its number is the traffic class that its frames carry."""

    POINT_TO_POINT = 0
    REDUCE = 1
    GATHER = 2
    CONTROL = 3


@dataclass(frozen=True)
class Step:
    """One step of one rank.

    Attributes
    ----------
    kind, peer
        SEND to, RECV from ``peer``; COMP has peer -1.
    size
        Bytes sent, received or reduced.
    tag
        Matches a send with its receive.
    deps
        Indexes of earlier steps of the same rank that must be complete.
    chunks
        Which pieces of the collective's data move (chunk numbers of the algorithm).
    reduce
        A received chunk is added to what the rank has, instead of replacing it.
    traffic
        Class of the message.
    """

    kind: StepKind
    peer: int
    size: int
    tag: int
    deps: tuple[int, ...]
    chunks: tuple[int, ...] = ()
    reduce: bool = False
    traffic: Traffic = Traffic.GATHER


@dataclass(frozen=True)
class Schedule:
    """An expanded collective: ``steps[r]`` are the steps of rank r in program order."""

    chunks: int
    steps: tuple[tuple[Step, ...], ...]


class Builder:
    """Collects the steps of all ranks; chunk sizes are as equal as whole bytes allow.

    Parameters
    ----------
    ranks
        Number of ranks n.
    size
        Bytes of the whole vector that is cut into ``chunks`` pieces.
    """

    def __init__(self, ranks: int, size: int, chunks: int) -> None:
        self.ranks = ranks
        self.chunks = chunks
        self._edges = [size * index // chunks for index in range(chunks + 1)]
        self._steps: list[list[Step]] = [[] for _ in range(ranks)]

    def bytes(self, chunks: Sequence[int]) -> int:
        """Bytes of some chunks together."""
        return sum(self._edges[chunk + 1] - self._edges[chunk] for chunk in chunks)

    def message(
        self,
        src: int,
        dst: int,
        chunks: Sequence[int],
        *,
        tag: int,
        after: Sequence[int | None] = (),
        ready: Sequence[int | None] = (),
        reduce: bool = False,
        traffic: Traffic | None = None,
    ) -> int:
        """A send at ``src`` and its receive at ``dst``.

        ``after`` are steps of ``src`` that the send waits for, ``ready`` steps of ``dst`` that
        the receive waits for (None is left out). Returns the step of ``dst`` after which the
        chunks are there: the receive, or the computation that adds them.
        """
        if traffic is None:
            traffic = Traffic.REDUCE if reduce else Traffic.GATHER
        size = self.bytes(chunks)
        pieces = tuple(chunks)
        self._steps[src].append(
            Step(StepKind.SEND, dst, size, tag, _given(after), pieces, traffic=traffic)
        )
        target = self._steps[dst]
        target.append(
            Step(StepKind.RECV, src, size, tag, _given(ready), pieces, reduce, traffic)
        )
        if reduce:
            target.append(
                Step(StepKind.COMP, -1, size, tag, (len(target) - 1,), pieces, traffic=traffic)
            )
        return len(target) - 1

    def compute(self, rank: int, chunks: Sequence[int], after: Sequence[int | None]) -> int:
        """A computation on some chunks at ``rank``; returns its step."""
        steps = self._steps[rank]
        steps.append(
            Step(StepKind.COMP, -1, self.bytes(chunks), 0, _given(after), tuple(chunks))
        )
        return len(steps) - 1

    def schedule(self) -> Schedule:
        """What was collected."""
        return Schedule(self.chunks, tuple(tuple(steps) for steps in self._steps))


def _given(steps: Sequence[int | None]) -> tuple[int, ...]:
    return tuple(sorted({step for step in steps if step is not None}))
