# SPDX-License-Identifier: Apache-2.0
"""Finds, before anything is simulated, what would never end: unmatched messages, deadlocks.

Whether all operations can end does not depend on time: a send ends once it has begun, because
the switch delivers every frame, and a receive once its message was sent.
"""

from __future__ import annotations

from collections import defaultdict, deque

from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.program import Operation, OperationKind, Program

Key = tuple[int, int, int]
"""Source rank, destination rank, tag."""


def check_program(program: Program) -> None:
    """Raises `WorkloadError` naming rank and node if the program cannot run to its end."""
    _check_matching(program)
    _check_progress(program)


def _key(rank: int, op: Operation) -> Key:
    if op.kind is OperationKind.SEND:
        return rank, op.peer, op.tag
    return op.peer, rank, op.tag


def _check_matching(program: Program) -> None:
    sends: dict[Key, list[Operation]] = defaultdict(list)
    receives: dict[Key, list[Operation]] = defaultdict(list)
    for rank, ops in enumerate(program.ranks):
        for op in ops:
            if op.kind is not OperationKind.LOCAL:
                side = sends if op.kind is OperationKind.SEND else receives
                side[_key(rank, op)].append(op)
    for key in sorted({*sends, *receives}):
        src, dst, _ = key
        sent, received = sends[key], receives[key]
        if len(received) > len(sent):
            raise WorkloadError(
                f"rank {dst}: {received[len(sent)].label} waits for a message from rank {src}, "
                "but no send there is left to match it"
            )
        if len(sent) > len(received):
            raise WorkloadError(
                f"rank {src}: {sent[len(received)].label} sends to rank {dst}, "
                "but no receive there is left to match it"
            )
        if sorted(op.size for op in sent) != sorted(op.size for op in received):
            pair = next(
                (ours, theirs) for ours, theirs in zip(sent, received, strict=True)
                if ours.size != theirs.size
            )
            raise WorkloadError(
                f"rank {src}: {pair[0].label} sends {pair[0].size} bytes, but rank {dst}: "
                f"{pair[1].label} expects {pair[1].size}"
            )


def _check_progress(program: Program) -> None:
    waits = [[op.waits_for for op in ops] for ops in program.ranks]
    ready = deque(
        (rank, index)
        for rank, ops in enumerate(program.ranks)
        for index, op in enumerate(ops)
        if op.waits_for == 0
    )
    sent: dict[Key, int] = defaultdict(int)
    posted: dict[Key, deque[tuple[int, int]]] = defaultdict(deque)
    left = sum(len(ops) for ops in program.ranks)

    def complete(rank: int, index: int) -> None:
        nonlocal left
        left -= 1
        for after in program.ranks[rank][index].then:
            waits[rank][after] -= 1
            if waits[rank][after] == 0:
                ready.append((rank, after))

    while ready:
        rank, index = ready.popleft()
        op = program.ranks[rank][index]
        if op.kind is OperationKind.LOCAL:
            complete(rank, index)
            continue
        key = _key(rank, op)
        if op.kind is OperationKind.SEND:
            complete(rank, index)
            sent[key] += 1
        else:
            posted[key].append((rank, index))
        while sent[key] and posted[key]:
            sent[key] -= 1
            complete(*posted[key].popleft())
    if left:
        stuck = sorted(item for queue in posted.values() for item in queue)
        raise WorkloadError(_describe(program, stuck, waits))


def _describe(
    program: Program, stuck: list[tuple[int, int]], waits: list[list[int]]
) -> str:
    if stuck:
        names = [
            f"rank {rank} waits in {program.ranks[rank][index].label} for rank "
            f"{program.ranks[rank][index].peer}"
            for rank, index in stuck
        ]
        more = f" (and {len(names) - 4} more)" if len(names) > 4 else ""
        return "deadlock: " + ", ".join(names[:4]) + more
    for rank, ops in enumerate(program.ranks):
        cycle = _cycle(ops, waits[rank])
        if cycle:
            return f"rank {rank}: nodes depend on each other in a circle: " + " -> ".join(
                ops[index].label for index in cycle
            )
    return "deadlock: no operation can begin"


def _cycle(ops: list[Operation], waits: list[int]) -> list[int]:
    """A circle among the operations that still wait, in the order in which they wait."""
    before = {
        target: index for index, op in enumerate(ops) if waits[index] for target in op.then
    }
    for start in before:
        seen: list[int] = []
        place = start
        while place in before and place not in seen:
            seen.append(place)
            place = before[place]
        if place in seen:
            return [*seen[seen.index(place):][::-1], seen[-1]][:8]
    return []
