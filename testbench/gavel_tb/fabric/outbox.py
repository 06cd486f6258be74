# SPDX-License-Identifier: Apache-2.0
"""Messages of an accelerator that wait to be sent, cut into frames when a port asks for one."""

from __future__ import annotations

import zlib
from collections import defaultdict, deque
from typing import NamedTuple

from gavel_tb.fabric.frames import FabricFrames
from gavel_tb.fabric.network import Network
from gavel_tb.workload.executor import Outgoing
from gavel_tb.workload.message import SEQUENCE_MASK, MessageHeader


def flow_hash(seed: int, src: int, dst: int, traffic: int) -> int:
    """What decides about the ways of a flow, 32 bits."""
    return zlib.crc32(f"{seed}/{src}/{dst}/{traffic}".encode())


class Cut(NamedTuple):
    """A frame to be sent.

    Attributes
    ----------
    data
        All bytes, FCS included.
    message
        Which it is a part of.
    length, cells
        Message bytes in it, and buffer cells that it takes.
    key
        Destination, class, and number in the flow.
    way
        Which it goes by.
    """

    data: bytes
    message: Outgoing
    length: int
    cells: int
    key: tuple[int, int, int]
    way: int


class Outbox:
    """Messages take turns frame by frame, those of one port and VC among themselves.

    With ``spray`` = packet a frame goes by the port that asks for it, or by the next of the ways
    behind a port; with ``flow`` a hash of source, destination and class says port and way.

    Parameters
    ----------
    rank
        Source.
    frames, network
        Of the run.
    spray, seed
        As `FabricOptions`.
    vcs
        Queues of a port, class n in queue n mod ``vcs``.
    """

    def __init__(
        self, rank: int, frames: FabricFrames, network: Network, *, spray: str, seed: int, vcs: int
    ) -> None:
        self._rank = rank
        self._frames = frames
        self._network = network
        self._packet = spray == "packet"
        self._seed = seed
        self._vcs = vcs
        self._shared = self._packet or network.ports == 1
        self._queues: list[list[deque[Outgoing]]] = [
            [deque() for _ in range(vcs)] for _ in range(1 if self._shared else network.ports)]
        self._sequence: dict[tuple[int, int], int] = defaultdict(int)

    def put(self, message: Outgoing) -> None:
        """A message may be sent."""
        op = message.op
        port = 0
        if not self._shared:
            port = self._hash(op.peer, int(op.traffic)) % self._network.ports
        self._queues[port][int(op.traffic) % self._vcs].append(message)

    @property
    def waiting(self) -> bool:
        """Whether any message waits."""
        return any(any(queues) for queues in self._queues)

    def waits(self, port: int) -> bool:
        """Whether a message waits that could leave by a port."""
        return any(self._queues[0 if self._shared else port])

    def first_cells(self, port: int, vc: int) -> int:
        """Cells of the next frame; 0 if there is none."""
        queue = self._queues[0 if self._shared else port][vc]
        if not queue:
            return 0
        message = queue[0]
        return self._frames.frame_cells(
            min(self._frames.mtu, message.op.size - message.offset))

    def cut(self, port: int, vc: int) -> Cut | None:
        """The next frame of a queue, if there is one."""
        queue = self._queues[0 if self._shared else port][vc]
        if not queue:
            return None
        message = queue.popleft()
        op = message.op
        length = min(self._frames.mtu, op.size - message.offset)
        traffic = int(op.traffic)
        flow = op.peer, traffic
        sequence = self._sequence[flow]
        self._sequence[flow] = sequence + 1 & SEQUENCE_MASK
        way = self._way(op.peer, traffic, sequence, port)
        header = MessageHeader(self._rank, op.peer, message.number, op.tag, op.size,
                               message.offset, length, sequence)
        data = self._frames.build_for(header, traffic, way)
        message.offset += length
        if message.offset < op.size:
            queue.append(message)
        return Cut(data, message, length, self._frames.frame_cells(length),
                   (op.peer, traffic, sequence), way if self._network.ports == 1 else port)

    def _way(self, peer: int, traffic: int, sequence: int, port: int) -> int:
        """Which of the ways behind a port a frame takes."""
        if self._network.ports > 1:
            return 0
        ways = self._network.ways_between(self._rank, peer)
        if ways == 1:
            return 0
        first = self._hash(peer, traffic)
        return (first + sequence if self._packet else first) % ways

    def _hash(self, peer: int, traffic: int) -> int:
        return flow_hash(self._seed, self._rank, peer, traffic)
