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


def number_of(data: bytes) -> int:
    """Number of a frame of the run."""
    return int.from_bytes(data[_NUMBER], "big")


class Deliveries:
    """Knows what is under way, and checks what arrives.

    Parameters
    ----------
    config
        The switch; its routes and its VC map are those of reset.
    lossy
        Mask of the VCs on which the switch may drop frames: others must not overtake, but may be
        missing.

    Attributes
    ----------
    cells
        Cells of the frames of each source that have not arrived and must.
    outstanding
        Frames that have not arrived and must.
    frames, bytes, marked
        Arrived: frames, their bytes, and those with a new ECN mark.
    frames_from, frames_to
        Arrived frames by source and by destination.
    frames_on
        Arrived frames by source and VC.
    bytes_of_vc
        Their bytes by VC.
    """

    def __init__(self, config: SwitchConfig, lossy: int = 0) -> None:
        self._lossy = lossy
        # Frames on the way that may be lost, and those that are found to be, by source.
        self._doubtful = 0
        self._lost = [0] * config.ports
        self._vcs = config.vcs
        self._may_mark = config.ecn_threshold != _ECN_OFF
        self._where: dict[int, tuple[SentFrame, int, deque[SentFrame]]] = {}
        self._order: dict[tuple[int, int, int], deque[SentFrame]] = {}
        self.cells = [0] * config.ports
        self.frames = self.bytes = self.marked = 0
        self.frames_from = [0] * config.ports
        self.frames_to = [0] * config.ports
        self.frames_on = [[0] * config.vcs for _ in range(config.ports)]
        self.bytes_of_vc = [0] * config.vcs

    @property
    def outstanding(self) -> int:
        """Frames that have not arrived and must."""
        return len(self._where) - self._doubtful

    def vc_of(self, data: bytes) -> int:
        """VC of a frame on its way, 0 of any other."""
        found = self._where.get(number_of(data))
        return 0 if found is None else found[0].traffic_class % self._vcs

    def sent(self, frame: SentFrame, destination: int) -> None:
        """A partner has taken a frame for sending."""
        vc = frame.traffic_class % self._vcs
        key = (frame.source, destination, vc)
        queue = self._order.get(key)
        if queue is None:
            queue = self._order[key] = deque()
        queue.append(frame)
        self._where[frame.number] = (frame, destination, queue)
        if self._lossy >> vc & 1:
            self._doubtful += 1
        else:
            self.cells[frame.source] += frame_cells(frame.data)

    def arrived(self, port: int, arrival: Arrival) -> SentFrame:
        """The partner at ``port`` has accepted a frame: which.

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
        number = number_of(data)
        found = self._where.pop(number, None)
        if found is None:
            raise CheckError(f"output {port}: a frame that must not arrive there, or a second "
                             f"time: number {number}, {len(data)} bytes, sequence number "
                             f"{arrival.seq}")
        frame, destination, queue = found
        if port != destination:
            raise CheckError(f"output {port}: {self._name(frame, destination)} came here")
        if self._may_lose(frame):
            self._doubtful -= 1
            while queue and queue[0] is not frame:
                self._lose(queue.popleft())
        else:
            self.cells[frame.source] -= frame_cells(data)
        if not queue or queue.popleft() is not frame:
            raise CheckError(f"output {port}: {self._name(frame, destination)} has overtaken "
                             "another, or another is lost")
        if data != frame.data:
            self._edited(port, frame, destination, data)
        self.frames += 1
        self.bytes += len(data)
        self.frames_from[frame.source] += 1
        self.frames_to[port] += 1
        vc = frame.traffic_class % self._vcs
        self.frames_on[frame.source][vc] += 1
        self.bytes_of_vc[vc] += len(data)
        return frame

    def _edited(self, port: int, frame: SentFrame, destination: int, data: bytes) -> None:
        edit = judge_edit(frame, data, may_mark=self._may_mark)
        if edit is Edit.WRONG:
            name = self._name(frame, destination)
            raise CheckError(f"output {port}: {name} has changed on its way")
        self.marked += edit is Edit.MARKED

    def _may_lose(self, frame: SentFrame) -> bool:
        return self._lossy >> frame.traffic_class % self._vcs & 1 == 1

    def _lose(self, frame: SentFrame) -> None:
        del self._where[frame.number]
        self._doubtful -= 1
        self._lost[frame.source] += 1

    def finish(self) -> list[int]:
        """Nothing may be missing but on VCs that may lose frames: how many, by source.

        Raises
        ------
        CheckError
            If a frame has not arrived.
        """
        for frame, _, _ in list(self._where.values()):
            if self._may_lose(frame):
                self._lose(frame)
        if self._where:
            frame, destination, _ = next(iter(self._where.values()))
            raise CheckError(f"{len(self._where)} frames have not arrived, the first is "
                             f"{self._name(frame, destination)}")
        return self._lost

    def _name(self, frame: SentFrame, destination: int) -> str:
        vc = frame.traffic_class % self._vcs
        return f"frame {frame.number} from input {frame.source} to output {destination}, vc {vc}"
