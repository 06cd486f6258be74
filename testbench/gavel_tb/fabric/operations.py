# SPDX-License-Identifier: Apache-2.0
"""Operations of a collective of a thousand ranks, in arrays.

A ring all-reduce of 1,024 ranks has five million operations: as objects they would not fit the
memory of a small machine.
"""

from __future__ import annotations

from array import array
from collections import Counter as Tally
from collections.abc import Sequence
from typing import overload

import numpy as np

from gavel_tb.workload.collectives import Collective, build_collective, bus_factor
from gavel_tb.workload.program import Operation, OperationKind
from gavel_tb.workload.steps import Builder, Traffic

_JOIN_ABOVE = 4
"""Dependencies of a send from which on one operation stands for all of them."""

_KINDS = tuple(OperationKind)
_TRAFFIC = tuple(Traffic)


class RankOperations(Sequence[Operation]):
    """Operations of one rank; each is made when it is asked for."""

    def __init__(self) -> None:
        self.kind = bytearray()
        self.peer = array("h")
        self.size = array("I")
        self.tag = array("I")
        self.traffic = bytearray()
        self.waits = array("H")
        self.cycles = 0
        self._after = array("I")
        self._before = array("I")
        self._first: list[int] = []
        self._then: list[int] = []

    def __len__(self) -> int:
        return len(self.kind)

    @overload
    def __getitem__(self, index: int) -> Operation: ...
    @overload
    def __getitem__(self, index: slice) -> list[Operation]: ...

    def __getitem__(self, index: int | slice) -> Operation | list[Operation]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        first = self._first
        kind = self.kind[index]
        return Operation(
            f"step {index}", _KINDS[kind], self.peer[index], self.size[index], self.tag[index],
            _TRAFFIC[self.traffic[index]], 0 if kind else self.cycles, 0, self.waits[index],
            self._then[first[index]:first[index + 1]],
        )

    def add(
        self, kind: OperationKind, peer: int, size: int, tag: int, traffic: Traffic,
        after: Sequence[int],
    ) -> int:
        """Adds an operation that waits for earlier ones; returns its index."""
        index = len(self.kind)
        self.kind.append(kind)
        self.peer.append(peer)
        self.size.append(size)
        self.tag.append(tag)
        self.traffic.append(traffic)
        self.waits.append(len(after))
        for before in after:
            self._after.append(index)
            self._before.append(before)
        return index

    def close(self) -> None:
        """No more operations come: from here on they know who waits for them."""
        before = np.frombuffer(self._before, np.uint32) if self._before else np.zeros(0, np.uint32)
        after = np.frombuffer(self._after, np.uint32) if self._after else np.zeros(0, np.uint32)
        order = np.argsort(before, kind="stable")
        counts = np.bincount(before, minlength=len(self))
        self._then = after[order].tolist()
        self._first = [0, *np.cumsum(counts).tolist()]
        del before, after
        self._before, self._after = array("I"), array("I")


class OperationBuilder(Builder):
    """A `Builder` whose steps are `RankOperations`.

    Attributes
    ----------
    operations
        Of each rank.
    """

    def __init__(self, ranks: int, size: int, chunks: int) -> None:
        super().__init__(ranks, size, chunks)
        self.operations = [RankOperations() for _ in range(ranks)]
        self._joins: dict[tuple[int, int], tuple[Sequence[int | None], int]] = {}

    def message(
        self, src: int, dst: int, chunks: Sequence[int], *, tag: int,
        after: Sequence[int | None] = (), ready: Sequence[int | None] = (), reduce: bool = False,
        traffic: Traffic | None = None,
    ) -> int:
        """As `Builder.message`."""
        if traffic is None:
            traffic = Traffic.REDUCE if reduce else Traffic.GATHER
        size = self.bytes(chunks)
        self.operations[src].add(OperationKind.SEND, dst, size, tag, traffic,
                                 self._waited_for(src, after))
        target = self.operations[dst]
        index = target.add(OperationKind.RECV, src, size, tag, traffic, _given(ready))
        if reduce:
            index = target.add(OperationKind.LOCAL, -1, size, tag, traffic, (index,))
        return index

    def compute(self, rank: int, chunks: Sequence[int], after: Sequence[int | None]) -> int:
        """As `Builder.compute`."""
        return self.operations[rank].add(OperationKind.LOCAL, -1, self.bytes(chunks), 0,
                                         Traffic.GATHER, _given(after))

    def _waited_for(self, rank: int, after: Sequence[int | None]) -> Sequence[int]:
        """What a send waits for; many sends that wait for the same list wait for one operation
        that takes no time, instead of n times n dependencies."""
        if len(after) <= _JOIN_ABOVE:
            return _given(after)
        known = self._joins.get((rank, len(after)))
        if known is None or known[0] is not after:
            index = self.operations[rank].add(OperationKind.LOCAL, -1, 0, 0, Traffic.GATHER,
                                              _given(after))
            known = self._joins[rank, len(after)] = after, index
        return (known[1],)


def _given(steps: Sequence[int | None]) -> Sequence[int]:
    return sorted({step for step in steps if step is not None})


class CollectiveProgram:
    """One collective of all ranks.

    Parameters
    ----------
    kind, ranks, size, algorithm
        As `build_collective`.
    reduce_cycles
        Cycles of one reduction.

    Attributes
    ----------
    ranks
        Operations of each rank.
    sizes
        Messages by their bytes.
    messages, message_bytes
        How many there are, and the bytes of all.
    bus_bytes
        S times the factor of nccl-tests.
    """

    def __init__(
        self, kind: Collective, ranks: int, size: int, algorithm: str, reduce_cycles: int = 0
    ) -> None:
        built = build_collective(OperationBuilder, kind, ranks, size, algorithm)
        self.kind = kind
        self.size = size
        self.algorithm = algorithm
        self.ranks = built.operations
        self.bus_bytes = size * bus_factor(kind, ranks)
        self.sizes: Tally[int] = Tally()
        for operations in self.ranks:
            operations.cycles = reduce_cycles
            operations.close()
            self.sizes.update(
                size for what, size in zip(operations.kind, operations.size, strict=True)
                if what == OperationKind.SEND)
        self.messages = self.sizes.total()
        self.message_bytes = sum(size * count for size, count in self.sizes.items())
