# SPDX-License-Identifier: Apache-2.0
"""What drives and watches the port pins of the XGMII adapter in a cocotb test."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from cocotb.triggers import ReadOnly, RisingEdge
from cocotb.utils import get_sim_time

from gavel_model.pins import PortLayout, TxPins

PERIOD = 8
"""Nanoseconds: one for each lane, which is how the bus models count inside a word."""

WORD_BYTES = 8


def cycle_now() -> int:
    """Number of the cycle that has just ended, when called at a rising edge."""
    return int(get_sim_time("ns")) // PERIOD - 1


@dataclass
class SegmentFrame:
    """A frame on the pins of a port.

    Attributes
    ----------
    data
        From destination to FCS.
    llr, seq, err
        As on the pins; ``err`` of any word.
    cycle
        The cycle that showed the first word (receive), or took it (transmit).
    ended
        Its last word was there.
    """

    llr: int
    seq: int
    data: bytes = b""
    err: int = 0
    cycle: int = -1
    ended: bool = False


@dataclass
class Received:
    """What the pins of a receive side showed."""

    frames: list[SegmentFrame] = field(default_factory=list)
    sets: list[tuple[int, int]] = field(default_factory=list)
    """Cycle, and D1...D7."""
    up: list[tuple[int, int]] = field(default_factory=list)
    """Cycle, and ``up``, for each change."""


async def watch(clk: Any, vector: Any, layout: PortLayout, seen: Received) -> None:
    """Collects frames, sets and the link status from packed receive pins."""
    up = 1
    idle = layout.pack(TxPins(up=1))
    mask = (1 << layout.offsets[-1]) - 1  # Data stand on top, and show something always.
    while True:
        await RisingEdge(clk)
        packed = int(vector.value)
        if up and packed & mask == idle:
            continue
        pins = TxPins(**layout.unpack(packed))
        cycle = cycle_now()
        if pins.up != up:
            up = pins.up
            seen.up.append((cycle, up))
        if pins.ctl_valid:
            seen.sets.append((cycle, pins.ctl))
        if pins.valid:
            _frame_word(seen.frames, pins, cycle)


def _frame_word(frames: list[SegmentFrame], pins: TxPins, cycle: int) -> None:
    is_open = bool(frames) and not frames[-1].ended
    assert is_open != bool(pins.sop), f"cycle {cycle}: sop = {pins.sop}, frame open: {is_open}"
    if pins.sop:
        frames.append(SegmentFrame(pins.llr, pins.seq, cycle=cycle))
    frame = frames[-1]
    frame.data += pins.data.to_bytes(WORD_BYTES, "little")[:WORD_BYTES - pins.empty]
    frame.err |= pins.err
    frame.ended = bool(pins.eop)


class SegmentDriver:
    """Drives packed transmit pins: words hold until they are taken.

    Attributes
    ----------
    taken
        Frames whose first word was taken, with the cycle.
    sets
        Control ordered sets to send.
    up
        Pin ``up``.
    """

    def __init__(self, dut: Any, layout: PortLayout) -> None:
        self._dut = dut
        self._layout = layout
        self._words: deque[tuple[TxPins | None, SegmentFrame]] = deque()
        self.sets: deque[int] = deque()
        self.taken: list[SegmentFrame] = []
        self.up = 1

    def send(self, frame: SegmentFrame, *, error_in: int = -1, missing_in: int = -1) -> None:
        """Queues a frame.

        Parameters
        ----------
        error_in, missing_in
            Number of a word that has ``err``, and of one before which there is a gap; none by
            default.
        """
        parts = [frame.data[start:start + WORD_BYTES]
                 for start in range(0, len(frame.data), WORD_BYTES)]
        for number, part in enumerate(parts):
            if number == missing_in:
                self._words.append((None, frame))
            first, last = number == 0, number == len(parts) - 1
            pins = TxPins(valid=1, sop=int(first), eop=int(last), err=int(number == error_in),
                          empty=WORD_BYTES - len(part), llr=frame.llr if first else 0,
                          seq=frame.seq if first else 0, data=int.from_bytes(part, "little"))
            self._words.append((pins, frame))

    @property
    def idle(self) -> bool:
        """Everything has been taken."""
        return not self._words and not self.sets

    async def run(self) -> None:
        """Drives the pins for ever."""
        dut, layout = self._dut, self._layout
        clk = RisingEdge(dut.clk)
        while True:
            head = self._words[0] if self._words else None
            word = head[0] if head is not None else None
            pins = (word or TxPins())._replace(
                up=self.up, ctl_valid=int(bool(self.sets)), ctl=self.sets[0] if self.sets else 0
            )
            dut.tx.value = layout.pack(pins)
            await ReadOnly()
            ready, ctl_ready = int(dut.tx_ready.value), int(dut.tx_ctl_ready.value)
            await clk
            if head is not None and (word is None or ready):
                self._words.popleft()
                if word is not None and word.sop:
                    head[1].cycle = cycle_now()
                    self.taken.append(head[1])
            if pins.ctl_valid and ctl_ready:
                self.sets.popleft()
