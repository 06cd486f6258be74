# SPDX-License-Identifier: Apache-2.0
"""Turns a trace into operations that endpoints execute, and checks that they can all end."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum

from gavel_tb.workload.chakra import Node, NodeType, RankTrace, Trace
from gavel_tb.workload.collectives import Collective, bus_factor, expand
from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.generate import (
    COLLECTIVE_NAME,
    COLLECTIVE_SIZE,
    KINDS,
    MAX_DURATION_US,
    TRAFFIC_CLASS,
)
from gavel_tb.workload.steps import Schedule, StepKind, Traffic

MAX_MESSAGE_BYTES = (1 << 32) - 1
MAX_OPERATION_CYCLES = 10**9
"""Longest computation that is played: `MAX_DURATION_US` at the default clock."""


class OperationKind(IntEnum):
    """What an endpoint does; LOCAL takes ``cycles`` and touches no link."""

    LOCAL = 0
    SEND = 1
    RECV = 2


@dataclass(slots=True)
class Operation:
    """One operation of one rank.

    Attributes
    ----------
    label
        Name for messages to the user: node id, name, and step of a collective.
    peer, size, tag
        Other rank, message bytes, and a number that matches sends with receives.
    cycles
        Duration of a LOCAL operation.
    unit
        Operations of one unit (0 accelerator, 1 CPU) run one after the other; -1: no unit.
    waits_for, then
        Number of operations to wait for, and indexes of those that wait for this one.
    """

    label: str
    kind: OperationKind
    peer: int = -1
    size: int = 0
    tag: int = 0
    traffic: Traffic = Traffic.POINT_TO_POINT
    cycles: int = 0
    unit: int = -1
    waits_for: int = 0
    then: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a trace is played.

    ``scale`` multiplies message sizes, ``clock_mhz`` turns microseconds into cycles,
    ``reduce_us`` is the time of one reduction in an expanded collective.
    """

    algorithm: str = "ring"
    scale: float = 1.0
    clock_mhz: float = 1000.0
    reduce_us: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 1024:
            raise WorkloadError(f"scale = {self.scale}: must be above 0 and at most 1024")
        if not 0 < self.clock_mhz <= 100_000:
            raise WorkloadError(f"clock_mhz = {self.clock_mhz}: must be in 0...100000 MHz")
        if not 0 <= self.reduce_us <= MAX_DURATION_US:
            raise WorkloadError(
                f"reduce_us = {self.reduce_us}: must be in 0...{MAX_DURATION_US}"
            )
        self.cycles(self.reduce_us, "reduce_us")

    def cycles(self, microseconds: float, what: str) -> int:
        """Microseconds as whole cycles, rounded up.

        Raises
        ------
        WorkloadError
            More than `MAX_OPERATION_CYCLES`; ``what`` names the operation.
        """
        cycles = math.ceil(microseconds * self.clock_mhz)
        if cycles > MAX_OPERATION_CYCLES:
            raise WorkloadError(
                f"{what}: {microseconds} us are {cycles} cycles at {self.clock_mhz:g} MHz; at most "
                f"{MAX_OPERATION_CYCLES} are played, choose a lower --clock-mhz"
            )
        return cycles

    def bytes(self, size: int) -> int:
        """A message size scaled, at least 1 byte unless it was 0."""
        return max(1, round(size * self.scale)) if size else 0


@dataclass(frozen=True)
class Program:
    """Operations per rank, and what the bus bandwidth is measured by.

    ``collective`` is (kind, bytes S) if the whole trace is that one collective, else None.
    """

    name: str
    ranks: list[list[Operation]]
    collective: tuple[Collective, int] | None

    @property
    def message_bytes(self) -> int:
        """Bytes of all messages."""
        return sum(op.size for ops in self.ranks for op in ops if op.kind is OperationKind.SEND)

    @property
    def bus_bytes(self) -> float:
        """Bytes that stand for the work of one link: S times the nccl-tests factor, or, if the
        trace is not one collective, the mean of what a rank sends."""
        if self.collective is None:
            return self.message_bytes / len(self.ranks)
        kind, size = self.collective
        return size * bus_factor(kind, len(self.ranks))


def compile_trace(trace: Trace, options: Options) -> Program:
    """Expands collectives, scales sizes, links dependencies.

    Raises
    ------
    WorkloadError
        A node lacks an attribute, names a rank that does not exist, or ranks disagree about a
        collective. `check_program` finds what can only be seen of the whole.
    """
    return _Compiler(trace, options).run()


class _Compiler:
    def __init__(self, trace: Trace, options: Options) -> None:
        self.trace = trace
        self.options = options
        self.count = len(trace.ranks)
        self.tags: dict[tuple[int, int], int] = {}
        self.collectives = self._collectives()
        self.schedules: list[Schedule] = [
            expand(kind, self.count, size, options.algorithm, root)
            for kind, size, root in self.collectives
        ]

    def run(self) -> Program:
        ranks = [self._rank(rank) for rank in self.trace.ranks]
        return Program(self.trace.name, ranks, self._measured_by())

    def _measured_by(self) -> tuple[Collective, int] | None:
        only = all(len(rank.nodes) == 1 for rank in self.trace.ranks)
        if only and len(self.collectives) == 1:
            kind, size, _ = self.collectives[0]
            return (kind, size)
        name = self.trace.ranks[0].metadata.get(COLLECTIVE_NAME)
        size_of = self.trace.ranks[0].metadata.get(COLLECTIVE_SIZE)
        if name is None or size_of is None or name.value not in KINDS:
            return None
        if not isinstance(size_of.value, int):
            return None
        return KINDS[str(name.value)], self.options.bytes(size_of.value)

    def _collectives(self) -> list[tuple[Collective, int, int]]:
        """Kind, scaled size and root of the k-th collective, the same at every rank."""
        found: list[list[tuple[Collective, int, int]]] = []
        groups = set()
        for rank in self.trace.ranks:
            mine = []
            for node in rank.nodes:
                if node.type is NodeType.COMM_COLL:
                    mine.append(self._collective(rank, node))
                    group = node.attributes.get("pg_name")
                    groups.add(group.value if group else None)
            found.append(mine)
        if len(groups) > 1:
            raise WorkloadError(
                f"{self.trace.name}: {len(groups)} process groups; only collectives of all ranks "
                "can be played"
            )
        for number, mine in enumerate(found):
            for index, (ours, first) in enumerate(zip(mine, found[0], strict=False)):
                if ours != first:
                    raise WorkloadError(
                        f"rank {number}: collective {index} is {_describe(ours)}, "
                        f"but {_describe(first)} at rank 0"
                    )
            if len(mine) != len(found[0]):
                raise WorkloadError(
                    f"rank {number}: {len(mine)} collectives, but {len(found[0])} at rank 0"
                )
        return found[0]

    def _collective(self, rank: RankTrace, node: Node) -> tuple[Collective, int, int]:
        number = _need(rank, node, "comm_type")
        try:
            kind = Collective(number)
        except ValueError:
            raise WorkloadError(
                f"{_where(rank, node)}: comm_type {number} is no collective (0...9)"
            ) from None
        size = 0 if kind is Collective.BARRIER else _size(rank, node)
        root = node.number("root") or node.number("comm_root") or 0
        return kind, self.options.bytes(size), root

    def _tag(self, collective: int, tag: int) -> int:
        return self.tags.setdefault((collective, tag), len(self.tags))

    def _rank(self, rank: RankTrace) -> list[Operation]:
        ops: list[Operation] = []
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        collective = 0
        for node in rank.nodes:
            first[node.id] = len(ops)
            label = node.label
            if node.type is NodeType.COMM_COLL:
                self._expanded(ops, rank.rank, label, collective)
                collective += 1
            elif node.type in (NodeType.COMM_SEND, NodeType.COMM_RECV):
                ops.append(self._message(rank, node, label))
            else:
                unit = -1
                if node.type is NodeType.COMP:
                    unit = node.number("is_cpu_op") or 0
                cycles = 0
                if node.type is not NodeType.METADATA:
                    cycles = self.options.cycles(node.duration_us, _where(rank, node))
                ops.append(Operation(label, OperationKind.LOCAL, cycles=cycles, unit=unit))
            last[node.id] = len(ops) - 1
        for node in rank.nodes:
            target = first[node.id]
            for dep in {*node.ctrl_deps, *node.data_deps}:
                ops[last[dep]].then.append(target)
                ops[target].waits_for += 1
        return ops

    def _expanded(self, ops: list[Operation], rank: int, label: str, index: int) -> None:
        """A begin, the steps and an end, so that dependencies have one place each."""
        steps = self.schedules[index].steps[rank]
        begin = len(ops)
        end = begin + 1 + len(steps)
        ops.append(Operation(f"{label} begin", OperationKind.LOCAL))
        for place, step in enumerate(steps):
            name = f"{label} step {place}"
            if step.kind is StepKind.COMP:
                op = Operation(name, OperationKind.LOCAL, unit=0,
                               cycles=self.options.cycles(self.options.reduce_us, name))
            else:
                kind = OperationKind.SEND if step.kind is StepKind.SEND else OperationKind.RECV
                size = _sendable(step.size, f"rank {rank}, {name}")
                op = Operation(name, kind, step.peer, size, self._tag(index, step.tag),
                               step.traffic)
            before = [begin + 1 + dep for dep in step.deps] or [begin]
            op.waits_for = len(before)
            op.then.append(end)
            ops.append(op)
            for dep in before:
                ops[dep].then.append(begin + 1 + place)
        ops.append(Operation(f"{label} end", OperationKind.LOCAL, waits_for=len(steps)))
        if not steps:
            ops[begin].then.append(end)
            ops[end].waits_for = 1

    def _message(self, rank: RankTrace, node: Node, label: str) -> Operation:
        sends = node.type is NodeType.COMM_SEND
        key = "comm_dst" if sends else "comm_src"
        peer = _need(rank, node, key)
        if not 0 <= peer < self.count:
            raise WorkloadError(
                f"{_where(rank, node)}: {key} is {peer}, but the ranks are 0...{self.count - 1}"
            )
        size = _sendable(self.options.bytes(_size(rank, node)), _where(rank, node))
        traffic = node.number(TRAFFIC_CLASS) or 0
        if traffic not in tuple(Traffic):
            raise WorkloadError(f"{_where(rank, node)}: {TRAFFIC_CLASS} {traffic} is not in 0...3")
        kind = OperationKind.SEND if sends else OperationKind.RECV
        tag = self._tag(-1, node.number("comm_tag") or 0)
        return Operation(label, kind, peer, size, tag, Traffic(traffic))


def _where(rank: RankTrace, node: Node) -> str:
    return f"rank {rank.rank}, {node.label}"


def _need(rank: RankTrace, node: Node, name: str) -> int:
    value = node.number(name)
    if value is None:
        raise WorkloadError(f"{_where(rank, node)}: no whole-number attribute {name}")
    return value


def _sendable(size: int, where: str) -> int:
    if size > MAX_MESSAGE_BYTES:
        raise WorkloadError(
            f"{where}: a message of {size} bytes; at most {MAX_MESSAGE_BYTES}, choose a lower "
            "--scale"
        )
    return size


def _size(rank: RankTrace, node: Node) -> int:
    size = _need(rank, node, "comm_size")
    if size < 0:
        raise WorkloadError(f"{_where(rank, node)}: comm_size {size} is negative")
    return size


def _describe(collective: tuple[Collective, int, int]) -> str:
    kind, size, root = collective
    return f"{kind.label} of {size} bytes with root {root}"
