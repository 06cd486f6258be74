# SPDX-License-Identifier: Apache-2.0
"""An accelerator: executes the operations of its rank over one port or several."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Any

from gavel_model.alarm import NEVER
from gavel_tb.fabric.attachment import Attachment
from gavel_tb.fabric.frames import FabricFrames
from gavel_tb.fabric.line import Inbox, next_arrival
from gavel_tb.fabric.network import Network
from gavel_tb.fabric.operations import RankOperations
from gavel_tb.fabric.options import FabricOptions
from gavel_tb.fabric.outbox import Cut, Outbox
from gavel_tb.fabric.record import Record
from gavel_tb.fabric.reorder import ReorderStatistics, Resequencer
from gavel_tb.workload.errors import DeliveryError
from gavel_tb.workload.executor import Executor, Outgoing


class Flight:
    """A frame that was begun and has not arrived."""

    __slots__ = ("cells", "last", "way")

    def __init__(self, cells: int, way: int) -> None:
        self.cells = cells
        self.way = way
        self.last = 0


class Accelerator(Executor):
    """One rank. In a cycle timers come first, then every port sends a word and takes one, and what
    a frame that came brings about can be sent from the next cycle on.

    Parameters
    ----------
    rank, operations
        Rank, and what it does.
    frames, network, options
        Of the run.
    window
        Cells that may be outstanding; None: as many as there are.
    vcs
        Queues of a port; 1 without credits.
    record
        What happened to frames.

    Attributes
    ----------
    ports
        Its ports; whoever makes them appends them.
    peers
        All accelerators.
    next_at, inbox, run
        As `gavel_tb.fabric.line.Node`.
    in_flight
        Frames under way, by destination, class and number.
    failure
        (cycle, what was wrong), or None.
    """

    def __init__(
        self, rank: int, operations: RankOperations, frames: FabricFrames, network: Network,
        options: FabricOptions, *, window: int | None, vcs: int, record: Record,
    ) -> None:
        super().__init__(rank, operations, overhead=0, at=self._at,
                         waits=operations.waits.tolist())
        self.name = f"rank {rank}"
        self.ports: list[Attachment] = []
        self.peers: Sequence[Accelerator] = ()
        self.inbox: Inbox = {}
        self.next_at = 0
        self.in_flight: dict[tuple[int, int, int], Flight] = {}
        self.failure: tuple[int, str] | None = None
        self.reordering = ReorderStatistics()
        self.outstanding = 0
        self.peak_outstanding = 0
        self._frames = frames
        self._network = network
        self._window = window
        self._record = record
        self._outbox = Outbox(rank, frames, network, spray=options.spray, seed=options.seed,
                              vcs=vcs)
        self._vcs = vcs
        self._reorders = options.spray == "packet"
        self._skipping = options.skipping
        self._unsent: dict[int, int] = {}
        self._flows: dict[tuple[int, int], Resequencer] = {}
        self._timers: list[tuple[int, int, Callable[[int], None]]] = []
        self._timer_count = 0
        self._returns: list[tuple[int, int]] = []
        self._come: list[tuple[bytes, int]] = []

    def enqueue(self, message: Outgoing) -> None:
        """A message may be sent from now on."""
        self._unsent[message.number] = message.op.size
        self._outbox.put(message)

    def waits(self, port: int) -> bool:
        """As `gavel_tb.fabric.attachment.Owner`."""
        return self._outbox.waits(port)

    def send_at(self, port: int, cycle: int) -> int:
        """As `gavel_tb.fabric.attachment.Owner`."""
        if not self._outbox.waits(port):
            return NEVER
        if self._window is None or self._fits(port, cycle):
            return cycle
        return self._returns[0][0] if self._returns else NEVER

    def _fits(self, port: int, cycle: int) -> bool:
        """Whether the window has room for the next frame; what has come back by now counts."""
        assert self._window is not None
        returns = self._returns
        while returns and returns[0][0] <= cycle:
            self.outstanding -= heapq.heappop(returns)[1]
        return self.outstanding + self._outbox.first_cells(port, 0) <= self._window

    def next_frame(self, port: int, vc: int, cycle: int) -> Cut | None:
        """As `gavel_tb.fabric.attachment.Owner`."""
        if not self._outbox.waits(port) or (
            self._window is not None and not self._fits(port, cycle)
        ):
            return None
        cut = self._outbox.cut(port, vc)
        if cut is not None:
            if self._window is not None:
                self.outstanding += cut.cells
                self.peak_outstanding = max(self.peak_outstanding, self.outstanding)
            self.in_flight[cut.key] = Flight(cut.cells, cut.way)
        return cut

    def launched(self, cut: Cut, cycle: int, words: int) -> None:
        """As `gavel_tb.fabric.attachment.Owner`."""
        last = cycle + words - 1
        self.in_flight[cut.key].last = last
        message = cut.message
        left = self._unsent[message.number] - cut.length
        if left:
            self._unsent[message.number] = left
            return
        del self._unsent[message.number]
        if words == 1 or not message.op.then:
            self.sent(message, last)
        else:
            self._at(last, lambda now: self.sent(message, now))

    def arrived(self, frame: bytes, port: int, first: int) -> None:
        """As `gavel_tb.fabric.attachment.Owner`."""
        self._come.append((frame, first))

    def run(self, end: int) -> None:
        """As `gavel_tb.fabric.line.Node`."""
        timers, inbox = self._timers, self.inbox
        cycle = self.next_at
        while cycle < end:
            while timers and timers[0][0] <= cycle:
                heapq.heappop(timers)[2](cycle)
            arrived = inbox.pop(cycle, None)
            try:
                self._step_ports(cycle, arrived)
                if self._come:
                    for frame, first in self._come:
                        self._take_frame(frame, first, cycle)
                    self._come.clear()
            except DeliveryError as error:
                self.failure = cycle, str(error)
                self.next_at = NEVER
                return
            cycle += 1
            if self._skipping and cycle not in inbox:
                due = min([port.next_at(cycle) for port in self.ports])
                if timers:
                    due = min(due, timers[0][0])
                if due > cycle:
                    cycle = min(due, next_arrival(inbox))
        self.next_at = cycle

    def _step_ports(self, cycle: int, arrived: list[tuple[int, Any]] | None) -> None:
        if len(self.ports) == 1:
            self.ports[0].step(cycle, arrived[0][1] if arrived else None)
            return
        found = dict(arrived) if arrived else {}
        for number, port in enumerate(self.ports):
            port.step(cycle, found.get(number))

    def _at(self, cycle: int, action: Callable[[int], None]) -> None:
        self._timer_count += 1
        heapq.heappush(self._timers, (cycle, self._timer_count, action))
        self.next_at = min(self.next_at, cycle)

    def _take_frame(self, frame: bytes, first: int, cycle: int) -> None:
        header, traffic = self._frames.check(frame, self.rank)
        flow = self._flows.get((header.src, traffic))
        if flow is None:
            reorders = self._reorders and (
                self._network.ways_between(header.src, self.rank) > 1)
            flow = self._flows[header.src, traffic] = Resequencer(
                f"rank {header.src} to rank {self.rank}, class {traffic}", reorders)
        source = self.peers[header.src]
        flight = source.in_flight.pop((self.rank, traffic, header.sequence), None)
        if flight is None:
            raise DeliveryError(f"frame {header.sequence} of rank {header.src}, class {traffic}, "
                                "came twice")
        self._record.delivered(first - flight.last, len(frame), cycle)
        if self._window is not None:
            back = self._network.delays(self.rank, header.src)
            source.give_back(cycle + back, flight.cells)
        for ready in flow.put(header, cycle, self.reordering):
            self.take(ready, cycle)

    def give_back(self, cycle: int, cells: int) -> None:
        """In that cycle this accelerator learns that a frame of so many cells has arrived."""
        heapq.heappush(self._returns, (cycle, cells))
        if cycle < self.next_at and self._outbox.waiting:
            self.next_at = cycle

    def missing(self) -> list[str]:
        """Flows that wait for a frame, for people."""
        return [text for flow in self._flows.values() if (text := flow.missing) is not None]
