# SPDX-License-Identifier: Apache-2.0
"""Completion of a collective if messages never met: what contention, windows and errors cost is the
difference."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from gavel_tb.fabric.frames import FabricFrames
from gavel_tb.fabric.network import Network
from gavel_tb.fabric.operations import CollectiveProgram, RankOperations
from gavel_tb.fabric.options import FabricOptions
from gavel_tb.fabric.outbox import flow_hash
from gavel_tb.workload.executor import Executor, Outgoing
from gavel_tb.workload.message import MessageHeader

_Event = tuple[int, int, Callable[[int], None]]


def uncontended_cycles(
    network: Network, program: CollectiveProgram, frames: FabricFrames, options: FabricOptions
) -> int:
    """Cycles of the slowest rank.

    Each rank sends its messages one after the other at the line rate of the ports that a flow may
    use, headers and padding included. A message is there when its last frame has gone through
    every switch of its way, each of which stores it and takes K cycles, and over every link.
    """
    run = _Run(network, frames, options)
    ranks = [_Rank(rank, operations, run) for rank, operations in enumerate(program.ranks)]
    run.ranks = ranks
    for rank in ranks:
        rank.begin(0)
    events = run.events
    while events:
        cycle, _, action = heapq.heappop(events)
        run.soonest = cycle
        action(cycle)
    return 1 + max(rank.completed_at or 0 for rank in ranks)


class _Run:
    """What the ranks share; ``soonest`` is the first cycle in which a message may begin that is
    made possible now: this one by a timer, the next one by an arrival."""

    def __init__(self, network: Network, frames: FabricFrames, options: FabricOptions) -> None:
        self.network = network
        self.frames = frames
        self.options = options
        self.latency = frames.config.latency_cycles
        self.ranks: list[_Rank] = []
        self.events: list[_Event] = []
        self.soonest = 0
        self._count = 0

    def at(self, cycle: int, action: Callable[[int], None]) -> None:
        self._count += 1
        heapq.heappush(self.events, (cycle, self._count, action))


class _Rank(Executor):
    def __init__(self, rank: int, operations: RankOperations, run: _Run) -> None:
        super().__init__(rank, operations, overhead=0, at=run.at, waits=operations.waits.tolist())
        self._run_of_all = run
        self._shared = run.options.spray == "packet"
        self._free_at = [0] * (1 if self._shared else run.network.ports)

    def enqueue(self, message: Outgoing) -> None:
        run, op = self._run_of_all, message.op
        network = run.network
        words, last = run.frames.message_words(op.size)
        port = 0
        if self._shared:
            words = max(last, -(-words // network.ports))
        elif network.ports > 1:
            port = flow_hash(run.options.seed, self.rank, op.peer, int(op.traffic)) % network.ports
        start = max(self._free_at[port], run.soonest)
        self._free_at[port] = start + words
        gone = start + words - 1
        if op.then:
            run.at(gone, lambda cycle: self.sent(message, cycle))
        else:
            self.sent(message, gone)
        hops = network.hops(self.rank, op.peer)
        there = gone + network.delays(self.rank, op.peer) + hops * (run.latency + last - 1)
        header = MessageHeader(self.rank, op.peer, message.number, op.tag, op.size, 0, op.size, 0)
        run.at(there, lambda cycle: run.ranks[op.peer].arrive(header, cycle))

    def arrive(self, header: MessageHeader, cycle: int) -> None:
        """A message has come."""
        self._run_of_all.soonest = cycle + 1
        self.take(header, cycle)
