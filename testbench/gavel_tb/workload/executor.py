# SPDX-License-Identifier: Apache-2.0
"""Executes the operations of one rank: what waits for what, and which message completes it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from functools import partial

from gavel_tb.workload.errors import DeliveryError
from gavel_tb.workload.message import MessageHeader
from gavel_tb.workload.program import Operation, OperationKind


class Outgoing:
    """A message being sent; ``offset`` bytes of it are in frames."""

    __slots__ = ("index", "number", "offset", "op")

    def __init__(self, index: int, op: Operation, number: int) -> None:
        self.index = index
        self.op = op
        self.number = number
        self.offset = 0


class _Incoming:
    """A message being received."""

    __slots__ = ("arrived", "total")

    def __init__(self, total: int) -> None:
        self.total = total
        self.arrived = 0

    @property
    def complete(self) -> bool:
        return self.arrived == self.total


class Executor:
    """Begins an operation when all that it waits for is complete.

    Parameters
    ----------
    rank
        Rank.
    operations
        What to execute.
    overhead
        Cycles from the beginning of a send to the first word that may carry it.
    at
        ``at(cycle, action)`` calls ``action(cycle)`` at the start of that later cycle.
    waits
        ``waits_for`` of each operation, if it is at hand; it is changed.

    Attributes
    ----------
    left
        Operations that are not complete.
    completed_at
        Cycle in which the last one was complete.
    arrived_bytes
        Message bytes received.
    """

    def __init__(
        self,
        rank: int,
        operations: Sequence[Operation],
        *,
        overhead: int,
        at: Callable[[int, Callable[[int], None]], None],
        waits: list[int] | None = None,
    ) -> None:
        self.rank = rank
        self.ops = operations
        self.overhead = overhead
        self.at = at
        self.left = len(operations)
        self.completed_at: int | None = None
        self.arrived_bytes = 0
        self._latest = 0
        self._waits = [op.waits_for for op in operations] if waits is None else waits
        self._ready: deque[int] = deque()
        self._units: dict[int, deque[int]] = {}
        self._number = 0
        self._incoming: dict[tuple[int, int], _Incoming] = {}
        self._arrivals: dict[tuple[int, int], deque[_Incoming]] = defaultdict(deque)
        self._posted: dict[tuple[int, int], deque[int]] = defaultdict(deque)

    def enqueue(self, message: Outgoing) -> None:
        """A message may be sent from now on."""
        raise NotImplementedError

    def begin(self, cycle: int) -> None:
        """Starts the operations that wait for nothing."""
        self._ready.extend(index for index, count in enumerate(self._waits) if count == 0)
        self._run(cycle)

    def sent(self, message: Outgoing, cycle: int) -> None:
        """The last word of a message is on the pins in ``cycle``; may be told before if nothing
        waits for it."""
        self._complete(message.index, cycle)
        self._run(cycle)

    def take(self, header: MessageHeader, cycle: int) -> None:
        """Takes a frame that has come in the order of its flow.

        Raises
        ------
        DeliveryError
            If its place in the message is wrong.
        """
        key = (header.src, header.message)
        message = self._incoming.get(key)
        if message is None:
            message = self._incoming[key] = _Incoming(header.total)
            self._arrivals[(header.src, header.tag)].append(message)
        if header.total != message.total or header.offset != message.arrived:
            raise DeliveryError(
                f"rank {self.rank}: message {header.message} of rank {header.src} continues at "
                f"byte {header.offset} of {header.total}, not {message.arrived} of {message.total}"
            )
        message.arrived += header.length
        self.arrived_bytes += header.length
        if message.complete:
            del self._incoming[key]
            self._match(header.src, header.tag, cycle)
            self._run(cycle)

    def waiting(self) -> list[str]:
        """Labels of the receives that wait for a message."""
        return [self.ops[index].label for queue in self._posted.values() for index in queue]

    def _match(self, src: int, tag: int, cycle: int) -> None:
        """Completes posted receives whose messages are there, in order."""
        key = (src, tag)
        arrivals, posted = self._arrivals[key], self._posted[key]
        while arrivals and posted and arrivals[0].complete:
            message, index = arrivals.popleft(), posted.popleft()
            op = self.ops[index]
            if message.total != op.size:
                raise DeliveryError(
                    f"rank {self.rank}: {op.label} expects {op.size} bytes from rank {src}, "
                    f"but the next message with its tag has {message.total}"
                )
            self._complete(index, cycle)
        if not (arrivals or posted):
            # A collective of a thousand ranks has thousands of tags at each of them.
            del self._arrivals[key], self._posted[key]

    def _complete(self, index: int, cycle: int) -> None:
        self.left -= 1
        if cycle > self._latest:
            self._latest = cycle
        if self.left == 0:
            self.completed_at = self._latest
        for after in self.ops[index].then:
            self._waits[after] -= 1
            if self._waits[after] == 0:
                self._ready.append(after)

    def _run(self, cycle: int) -> None:
        while self._ready:
            index = self._ready.popleft()
            op = self.ops[index]
            if op.kind is OperationKind.RECV:
                self._posted[(op.peer, op.tag)].append(index)
                self._match(op.peer, op.tag, cycle)
            elif op.kind is OperationKind.SEND:
                message = Outgoing(index, op, self._number)
                self._number += 1
                if self.overhead:
                    self.at(cycle + self.overhead, partial(self._enqueue_at, message))
                else:
                    self.enqueue(message)
            elif op.cycles == 0:
                self._complete(index, cycle)
            elif op.unit < 0:
                self._later(index, cycle)
            else:
                queue = self._units.setdefault(op.unit, deque())
                queue.append(index)
                if len(queue) == 1:
                    self._later(index, cycle)

    def _enqueue_at(self, message: Outgoing, _cycle: int) -> None:
        self.enqueue(message)

    def _later(self, index: int, cycle: int) -> None:
        def end(now: int) -> None:
            op = self.ops[index]
            if op.unit >= 0:
                queue = self._units[op.unit]
                queue.popleft()
                if queue:
                    self._later(queue[0], now)
            self._complete(index, now)
            self._run(now)

        self.at(cycle + self.ops[index].cycles, end)
