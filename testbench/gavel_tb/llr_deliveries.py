# SPDX-License-Identifier: Apache-2.0
"""End-to-end check of frames between link partners: link-level retry lets none be lost.

Every frame that a partner takes for sending arrives once, at the right port, in the order of its
(source, destination, VC), with a good FCS and its payload; its TTL is one less, and its ECN is
what it was or, where the switch may mark, 11.
"""

from __future__ import annotations

from collections import deque

from gavel_model.config import CELL_BYTES, SwitchConfig
from gavel_tb.frames import NUMBER_BYTES, NUMBER_OFFSET, Edit, SentFrame, judge_edit
from gavel_tb.partner.receiver import Arrival, FrameClass
from gavel_tb.stimulus import CheckError

_NUMBER = slice(NUMBER_OFFSET, NUMBER_OFFSET + NUMBER_BYTES)
_ECN_OFF = 65535


def frame_cells(data: bytes) -> int:
    """Buffer cells that a frame takes."""
    return -(-len(data) // CELL_BYTES)


class Deliveries:
    """Knows what is under way, and checks what arrives.

    Parameters
    ----------
    config
        The switch; its routes and its VC map are those of reset.

    Attributes
    ----------
    cells
        Cells of the frames of each source that have not arrived.
    outstanding
        Frames that have not arrived.
    frames, bytes, marked
        Arrived: frames, their bytes, and those with a new ECN mark.
    frames_from, frames_to
        Arrived frames by source and by destination.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._vcs = config.vcs
        self._may_mark = config.ecn_threshold != _ECN_OFF
        self._where: dict[int, tuple[SentFrame, int, deque[SentFrame]]] = {}
        self._order: dict[tuple[int, int, int], deque[SentFrame]] = {}
        self.cells = [0] * config.ports
        self.frames = self.bytes = self.marked = 0
        self.frames_from = [0] * config.ports
        self.frames_to = [0] * config.ports

    @property
    def outstanding(self) -> int:
        """Frames that have not arrived."""
        return len(self._where)

    def sent(self, frame: SentFrame, destination: int) -> None:
        """A partner has taken a frame for sending."""
        vc = frame.traffic_class % self._vcs
        key = (frame.source, destination, vc)
        queue = self._order.get(key)
        if queue is None:
            queue = self._order[key] = deque()
        queue.append(frame)
        self._where[frame.number] = (frame, destination, queue)
        self.cells[frame.source] += frame_cells(frame.data)

    def arrived(self, port: int, arrival: Arrival) -> None:
        """The partner at ``port`` has accepted a frame.

        Raises
        ------
        CheckError
            If it must not have come, or not so.
        """
        data = arrival.data
        if arrival.seq is None:
            raise CheckError(f"output {port}: a frame of {len(data)} bytes is ineligible")
        if arrival.kind is not FrameClass.GOOD:
            raise CheckError(f"output {port}: frame with sequence number {arrival.seq} has a "
                             f"{arrival.kind.value} FCS")
        number = int.from_bytes(data[_NUMBER], "big")
        found = self._where.pop(number, None)
        if found is None:
            raise CheckError(f"output {port}: a frame that must not arrive there, or a second "
                             f"time: number {number}, {len(data)} bytes, sequence number "
                             f"{arrival.seq}")
        frame, destination, queue = found
        if port != destination:
            raise CheckError(f"output {port}: {self._name(frame, destination)} came here")
        if queue.popleft() is not frame:
            raise CheckError(f"output {port}: {self._name(frame, destination)} has overtaken "
                             "another, or another is lost")
        if data != frame.data:
            self._edited(port, frame, destination, data)
        self.cells[frame.source] -= frame_cells(data)
        self.frames += 1
        self.bytes += len(data)
        self.frames_from[frame.source] += 1
        self.frames_to[port] += 1

    def _edited(self, port: int, frame: SentFrame, destination: int, data: bytes) -> None:
        edit = judge_edit(frame, data, may_mark=self._may_mark)
        if edit is Edit.WRONG:
            name = self._name(frame, destination)
            raise CheckError(f"output {port}: {name} has changed on its way")
        self.marked += edit is Edit.MARKED

    def finish(self) -> None:
        """Nothing may be missing.

        Raises
        ------
        CheckError
            If a frame has not arrived.
        """
        if self._where:
            frame, destination, _ = next(iter(self._where.values()))
            raise CheckError(f"{len(self._where)} frames have not arrived, the first is "
                             f"{self._name(frame, destination)}")

    def _name(self, frame: SentFrame, destination: int) -> str:
        vc = frame.traffic_class % self._vcs
        return f"frame {frame.number} from input {frame.source} to output {destination}, vc {vc}"
