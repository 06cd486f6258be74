# SPDX-License-Identifier: Apache-2.0
"""One rank at one port: executes its operations, sends frames, checks what arrives."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from functools import partial

from gavel_model.pins import IDLE, RxPins
from gavel_tb.workload.errors import DeliveryError
from gavel_tb.workload.message import SEQUENCE_MASK, FrameFormat, MessageHeader
from gavel_tb.workload.program import Operation, OperationKind


class _Outgoing:
    """A message being sent."""

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


class Endpoint:
    """Executes one rank's operations.

    An operation begins when all that it waits for is complete. Messages that wait to be sent
    take turns frame by frame, in the order in which they began. A frame begins only while the
    cells of this endpoint's frames that have not arrived, with its own, are at most ``window``.

    Parameters
    ----------
    rank
        Rank and port number.
    operations
        What to execute.
    frames
        Frame format of the run.
    window
        Cells that may be outstanding.
    overhead
        Cycles from the beginning of a send to the first word that may carry it.
    at
        ``at(cycle, action)`` calls ``action(cycle)`` at the start of that later cycle.
    """

    def __init__(
        self,
        rank: int,
        operations: list[Operation],
        frames: FrameFormat,
        *,
        window: int,
        overhead: int,
        at: Callable[[int, Callable[[int], None]], None],
    ) -> None:
        self.rank = rank
        self.ops = operations
        self.frames = frames
        self.window = window
        self.overhead = overhead
        self.at = at
        self.words: list[RxPins] = []
        self.outstanding = 0
        self.peak_outstanding = 0
        self.left = len(operations)
        self.completed_at: int | None = None
        self.arrived_bytes = 0
        self.sending: _Outgoing | None = None
        self._waits = [op.waits_for for op in operations]
        self._ready: deque[int] = deque()
        self._queue: deque[_Outgoing] = deque()
        self._units: dict[int, deque[int]] = {}
        self._number = 0
        self._sequence: dict[tuple[int, int], int] = defaultdict(int)
        self._in_flight: dict[tuple[int, int, int], int] = {}
        self._expected: dict[tuple[int, int], int] = defaultdict(int)
        self._incoming: dict[tuple[int, int], _Incoming] = {}
        self._arrivals: dict[tuple[int, int], deque[_Incoming]] = defaultdict(deque)
        self._posted: dict[tuple[int, int], deque[int]] = defaultdict(deque)

    def begin(self, cycle: int) -> None:
        """Starts the operations that wait for nothing."""
        self._ready.extend(index for index, count in enumerate(self._waits) if count == 0)
        self._run(cycle)

    def idle_word(self, cycle: int) -> RxPins:
        """The receive pins while no frame is being sent: the next frame's first word, or idle."""
        if not self._queue:
            return IDLE
        message = self._queue[0]
        op = message.op
        length = min(self.frames.mtu, op.size - message.offset)
        cells = self.frames.frame_cells(length)
        if self.outstanding + cells > self.window:
            return IDLE
        self._queue.popleft()
        self.outstanding += cells
        self.peak_outstanding = max(self.peak_outstanding, self.outstanding)
        flow = (op.peer, int(op.traffic))
        sequence = self._sequence[flow]
        self._sequence[flow] = sequence + 1 & SEQUENCE_MASK
        header = MessageHeader(
            self.rank, op.peer, message.number, op.tag, op.size, message.offset, length, sequence
        )
        message.offset += length
        self.sending = message
        self.words = self.frames.words(self.frames.build(header, int(op.traffic)))
        self._in_flight[(op.peer, int(op.traffic), sequence)] = cycle + len(self.words) - 1
        return self.words.pop()

    def frame_sent(self, cycle: int) -> None:
        """The last word of a frame is on the pins in ``cycle``."""
        message = self.sending
        assert message is not None
        self.sending = None
        if message.offset < message.op.size:
            self._queue.append(message)
        else:
            self._complete(message.index, cycle)
            self._run(cycle)

    def frame_delivered(self, target: int, traffic: int, sequence: int, length: int) -> int:
        """A frame of this rank arrived at ``target``; returns the cycle of its last word in."""
        self.outstanding -= self.frames.frame_cells(length)
        return self._in_flight.pop((target, traffic, sequence))

    @property
    def in_flight(self) -> int:
        """Frames that were begun and have not arrived."""
        return len(self._in_flight)

    @property
    def can_send(self) -> bool:
        """Whether a message waits to be sent."""
        return bool(self._queue) or bool(self.words)

    def receive(self, frame: bytes, cycle: int) -> tuple[MessageHeader, int]:
        """Takes a whole frame whose last word is on the transmit pins in ``cycle``.

        Raises
        ------
        DeliveryError
            If the frame, its order in the flow or its place in the message is wrong.
        """
        header, traffic = self.frames.check(frame, self.rank)
        flow = (header.src, traffic)
        if header.sequence != self._expected[flow]:
            raise DeliveryError(
                f"port {self.rank}: frame {header.sequence} of rank {header.src}, class {traffic}, "
                f"came when {self._expected[flow]} was due: lost, repeated or out of order"
            )
        self._expected[flow] = header.sequence + 1 & SEQUENCE_MASK
        key = (header.src, header.message)
        message = self._incoming.get(key)
        if message is None:
            message = self._incoming[key] = _Incoming(header.total)
            self._arrivals[(header.src, header.tag)].append(message)
        if header.total != message.total or header.offset != message.arrived:
            raise DeliveryError(
                f"port {self.rank}: message {header.message} of rank {header.src} continues at "
                f"byte {header.offset} of {header.total}, not {message.arrived} of {message.total}"
            )
        message.arrived += header.length
        self.arrived_bytes += header.length
        if message.complete:
            del self._incoming[key]
            self._match(header.src, header.tag, cycle)
            self._run(cycle)
        return header, traffic

    def waiting(self) -> list[str]:
        """Labels of the receives that wait for a message."""
        return [self.ops[index].label for queue in self._posted.values() for index in queue]

    def _match(self, src: int, tag: int, cycle: int) -> None:
        """Completes posted receives whose messages are there, in order."""
        arrivals, posted = self._arrivals[(src, tag)], self._posted[(src, tag)]
        while arrivals and posted and arrivals[0].complete:
            message, index = arrivals.popleft(), posted.popleft()
            op = self.ops[index]
            if message.total != op.size:
                raise DeliveryError(
                    f"rank {self.rank}: {op.label} expects {op.size} bytes from rank {src}, "
                    f"but the next message with its tag has {message.total}"
                )
            self._complete(index, cycle)

    def _complete(self, index: int, cycle: int) -> None:
        self.left -= 1
        if self.left == 0:
            self.completed_at = cycle
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
                message = _Outgoing(index, op, self._number)
                self._number += 1
                if self.overhead:
                    self.at(cycle + self.overhead, partial(self._enqueue, message))
                else:
                    self._queue.append(message)
            elif op.cycles == 0:
                self._complete(index, cycle)
            elif op.unit < 0:
                self._later(index, cycle)
            else:
                queue = self._units.setdefault(op.unit, deque())
                queue.append(index)
                if len(queue) == 1:
                    self._later(index, cycle)

    def _enqueue(self, message: _Outgoing, _cycle: int) -> None:
        self._queue.append(message)

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
