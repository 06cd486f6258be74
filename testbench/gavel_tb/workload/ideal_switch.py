# SPDX-License-Identifier: Apache-2.0
"""An ideal output-queued switch that can be told to fail: the test of the endpoints themselves.

One unbounded queue per output, K cycles, whole frames; frames are not edited, so it suits
profiles without a TTL. It shows that endpoints accept what is right and find what is wrong.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from gavel_model.config import SwitchConfig
from gavel_model.frame import append_fcs, join_words
from gavel_model.pins import Inputs, TxPins
from gavel_tb.workload.message import MESSAGE_HEADER, FrameFormat
from gavel_tb.workload.player import Player

Fault = Callable[[int, int, bytes], tuple[int, bytes] | None]
"""Gets frame count, output and frame; gives output and frame, or None to lose it."""

IDLE = TxPins(up=1)


class IdealSwitch:
    """Output-queued; rank d's frames leave by port d, as the message header says.

    ``tx`` are the transmit pins of the next cycle; ``most_cells`` is the most that one input
    ever had inside.
    """

    def __init__(self, config: SwitchConfig, frames: FrameFormat, fault: Fault | None) -> None:
        self.config = config
        self.frames = frames
        self.fault = fault
        self.count = 0
        self.cells = [0] * config.ports
        self.most_cells = 0
        self.tx = [IDLE] * config.ports
        self._partial: list[list[int]] = [[] for _ in range(config.ports)]
        self._queues: list[deque[tuple[int, int, bytes]]] = [deque() for _ in range(config.ports)]
        self._words: list[deque[TxPins]] = [deque() for _ in range(config.ports)]
        self._owner = [(0, 0)] * config.ports

    def step(self, cycle: int, inputs: Inputs) -> None:
        """Takes the inputs of ``cycle`` and moves to the next."""
        for port, pins in enumerate(inputs.rx):
            if not pins.valid:
                continue
            self._partial[port].append(pins.data)
            if pins.eop:
                data = join_words(self._partial[port], self.config.word_bytes)
                self._partial[port] = []
                self._file(cycle, port, data[: len(data) - pins.empty])
        self.tx = [self._word(cycle, port) for port in range(self.config.ports)]

    def _file(self, cycle: int, port: int, frame: bytes) -> None:
        place = self.frames.header_bytes
        target = MESSAGE_HEADER.unpack_from(frame, place)[1]
        self.cells[port] += -(-len(frame) // 64)
        self.most_cells = max(self.most_cells, *self.cells)
        sent: tuple[int, bytes] | None = (target, frame)
        if self.fault is not None:
            sent = self.fault(self.count, target, frame)
        self.count += 1
        if sent is not None:
            self._queues[sent[0]].append((cycle, port, sent[1]))

    def _word(self, cycle: int, port: int) -> TxPins:
        words, queue = self._words[port], self._queues[port]
        if not words and queue and cycle >= queue[0][0] + self.config.latency_cycles - 1:
            _, source, frame = queue.popleft()
            self._owner[port] = (source, -(-len(frame) // 64))
            size = self.config.word_bytes
            parts = [frame[at : at + size] for at in range(0, len(frame), size)]
            for index, part in enumerate(parts):
                last = index == len(parts) - 1
                words.append(TxPins(
                    valid=1, sop=int(index == 0), eop=int(last), empty=size - len(part), up=1,
                    data=int.from_bytes(part, "little"),
                ))
        if not words:
            return IDLE
        word = words.popleft()
        if word.eop:
            source, cells = self._owner[port]
            self.cells[source] -= cells
        return word


def play(player: Player, fault: Fault | None = None, limit: int = 2_000_000) -> IdealSwitch:
    """Runs the player to its end."""
    switch = IdealSwitch(player.config, player.frames, fault)
    for cycle in range(limit):
        if player.finished:
            return switch
        switch.step(cycle, player.step(cycle, switch.tx))
    raise AssertionError(f"not finished after {limit} cycles")


def with_fcs(frame: bytes) -> bytes:
    """The frame with its last four bytes made a right FCS."""
    return append_fcs(frame[:-4])
