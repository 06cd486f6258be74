# SPDX-License-Identifier: Apache-2.0
"""One rank at one port: executes its operations, sends frames, checks what arrives."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

from gavel_model.pins import IDLE, RxPins
from gavel_tb.workload.errors import DeliveryError
from gavel_tb.workload.executor import Executor, Outgoing
from gavel_tb.workload.message import SEQUENCE_MASK, FrameFormat, MessageHeader
from gavel_tb.workload.program import Operation


class Endpoint(Executor):
    """Executes one rank's operations, and sends and receives their messages over a port.

    Messages that wait to be sent take turns frame by frame, in the order in which they began. A
    frame begins only while the cells of this endpoint's frames that have not arrived, with its
    own, are at most ``window``.

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
        super().__init__(rank, operations, overhead=overhead, at=at)
        self.frames = frames
        self.window = window
        self.words: list[RxPins] = []
        self.outstanding = 0
        self.peak_outstanding = 0
        self.sending: Outgoing | None = None
        self._queue: deque[Outgoing] = deque()
        self._sequence: dict[tuple[int, int], int] = defaultdict(int)
        self._in_flight: dict[tuple[int, int, int], int] = {}
        self._expected: dict[tuple[int, int], int] = defaultdict(int)

    def enqueue(self, message: Outgoing) -> None:
        """A message may be sent from now on."""
        self._queue.append(message)

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
            self.sent(message, cycle)

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
        self.take(header, cycle)
        return header, traffic
