# SPDX-License-Identifier: Apache-2.0
"""What the cocotb tests of the XGMII adapter share: clock, reset, and something at each end.

At the XGMII ends are the bus models of cocotbext-eth, which are not ours; they come with the extra
``dev``. `gavel_tb.xgmii_harness` is the top.
"""

from __future__ import annotations

import logging
import os
from random import Random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer
from cocotb.utils import get_sim_time
from cocotbext.eth import XgmiiFrame, XgmiiSink, XgmiiSource

from gavel_model import preamble
from gavel_model.loader import load_config
from gavel_model.pins import CTL_BITS, SEQ_BITS, port_layout
from gavel_tb.stimulus import derived_random
from gavel_tb.xgmii_agents import (
    PERIOD,
    Received,
    SegmentDriver,
    SegmentFrame,
    cycle_now,
    watch,
)

SEED_VARIABLE = "GAVEL_SEED"
STEP_VARIABLE = "GAVEL_LENGTH_STEP"
_SHORT, _SHORTEST, _LONGEST = 320, 64, 1518
STEP = int(os.environ.get(STEP_VARIABLE, "1"))
LENGTHS = (*range(_SHORTEST, _SHORT), *range(_SHORT, _LONGEST, STEP), _LONGEST)
"""Lengths of frames in bytes: each of the shorter ones, and of the longer ones each `STEP`-th. An
odd step meets every number of bytes in the last word."""

RX_LATENCY = 2
CLEAR_WORDS = 64
"""Words without a set that clear a link fault."""

REMOTE_FAULT = 2
DRAIN = 8
"""Cycles in which everything on its way comes out."""

_PLAIN_START = 0x55


class Bench:
    """Clock, reset, and something at each end of the adapter."""

    def __init__(self, dut: Any, name: str) -> None:
        self.dut = dut
        # The bus models log every frame.
        logging.getLogger("cocotb.gavel_harness").setLevel(logging.WARNING)
        self.rng: Random = derived_random(int(os.environ[SEED_VARIABLE]), name)
        self.layout = port_layout(load_config("tiny"))
        self.received, self.returned = Received(), Received()
        self.protect = True

    async def start(self, protect: bool) -> None:
        """Resets, and lets everything run."""
        dut = self.dut
        self.protect = protect
        # Cycles and lanes are counted by the simulation's time.
        await Timer(PERIOD - int(get_sim_time("ns")) % PERIOD, "ns")
        Clock(dut.clk, PERIOD, "ns").start()
        for signal, value in ((dut.rst, 1), (dut.protect, protect), (dut.set_wanted, 0),
                              (dut.set_body, 0), (dut.tx, 0), (dut.xgmii_rxd, 0),
                              (dut.xgmii_rxc, 0)):
            signal.value = value
        await ClockCycles(dut.clk, 2)
        dut.rst.value = 0
        self.source = XgmiiSource(dut.xgmii_rxd, dut.xgmii_rxc, dut.clk)
        self.sink = XgmiiSink(dut.xgmii_txd, dut.xgmii_txc, dut.clk)
        self.driver = SegmentDriver(dut, self.layout)
        cocotb.start_soon(watch(dut.clk, dut.rx, self.layout, self.received))
        cocotb.start_soon(watch(dut.clk, dut.back, self.layout, self.returned))
        cocotb.start_soon(self.driver.run())
        await ClockCycles(dut.clk, 2)

    def frame(self, length: int) -> SegmentFrame:
        """A random frame, eligible or not."""
        rng = self.rng
        llr = rng.getrandbits(1)
        return SegmentFrame(llr, rng.getrandbits(SEQ_BITS) if llr else 0, rng.randbytes(length))

    def preamble(self, frame: SegmentFrame) -> bytes:
        """As the bus models have it: they make the first byte Start, and back again."""
        made = preamble.encode(frame.seq if frame.llr else None, self.protect)
        return bytes((_PLAIN_START, *made[1:]))

    def to_receive(self, frame: SegmentFrame, sent: list[XgmiiFrame]) -> None:
        """Queues a frame at the XGMII source; it goes to ``sent`` when it has been sent."""
        self.source.send_nowait(
            XgmiiFrame(self.preamble(frame) + frame.data, tx_complete=sent.append)
        )

    async def drained(self) -> None:
        """Waits until everything that was given to the transmit side is out."""
        while not self.driver.idle:
            await RisingEdge(self.dut.clk)
        await ClockCycles(self.dut.clk, DRAIN)

    async def insert_sets(self, bodies: list[int], cycles: list[int]) -> None:
        """Puts control ordered sets between the words of the source, at random times."""
        dut, rng = self.dut, self.rng
        while True:
            await ClockCycles(dut.clk, rng.randrange(1, 200))
            body = rng.getrandbits(CTL_BITS)
            dut.set_body.value = body
            dut.set_wanted.value = 1
            await RisingEdge(dut.clk)
            while not int(dut.set_sent.value):
                await RisingEdge(dut.clk)
            bodies.append(body)
            cycles.append(cycle_now())
            dut.set_wanted.value = 0


def same(got: list[SegmentFrame], wanted: list[SegmentFrame]) -> None:
    """Checks that the frames are the same, in order, all of them."""
    assert len(got) == len(wanted), f"{len(got)} frames, must be {len(wanted)}"
    for number, (one, other) in enumerate(zip(got, wanted, strict=True)):
        what = f"frame {number} of {len(other.data)} bytes"
        assert one.data == other.data, f"{what}: data differ"
        assert (one.llr, one.seq, one.err, one.ended) == (other.llr, other.seq, 0, True), what
