# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of the XGMII adapter with the bus models of cocotbext-eth, which are not ours.

They check whole frames, sets, gaps and times against the specification, and know nothing of the
model. `gavel_tb.xgmii_harness` is the top; cocotbext-eth comes with the extra ``dev``.
"""

from __future__ import annotations

import logging
import os
from itertools import pairwise
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
LENGTHS = range(64, 1519)
LANES = 8
MEAN_GAP = 12
MIN_GAP = 5
MAX_DEFICIT = 7
FAULT_WORDS = 2
"""Words of two fault sets that raise a fault."""

CLEAR_WORDS = 64
"""Words without a set that clear it."""

RX_LATENCY = 2
START_LATENCY = 3
_LOCAL, _REMOTE = 1, 2
_TWO_SETS = 0x11
_PLAIN_START = 0x55
_DRAIN = 8


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
        await ClockCycles(self.dut.clk, _DRAIN)

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


def gaps(frames: list[XgmiiFrame]) -> list[int]:
    """Bytes from Terminate to Start between frames; a nanosecond is a byte."""
    return [int(after.sim_time_start) - int(before.sim_time_end)
            for before, after in pairwise(frames)]


def check_mean_gap(found: list[int]) -> None:
    """Checks that gaps at full load are what the deficit idle count allows."""
    assert min(found) >= MIN_GAP, f"gap of {min(found)}"
    total = 0
    for number, gap in enumerate(found, 1):
        total += gap
        assert 0 <= MEAN_GAP * number - total <= MAX_DEFICIT, f"{total} after {number} gaps"


def all_frames(sink: XgmiiSink) -> list[XgmiiFrame]:
    """Everything that the sink has."""
    return [sink.recv_nowait() for _ in range(sink.count())]


@cocotb.test()
async def receives_every_length_from_both_lanes(dut: Any) -> None:
    """Frames of every length whose Start stands in lane 0 and in lane 4, sets between them."""
    bench = Bench(dut, "receive")
    await bench.start(protect=True)
    frames: list[SegmentFrame] = []
    sent: list[XgmiiFrame] = []
    bodies: list[int] = []
    set_cycles: list[int] = []
    cocotb.start_soon(bench.insert_sets(bodies, set_cycles))

    def send(length: int) -> None:
        frames.append(bench.frame(length))
        bench.to_receive(frames[-1], sent)

    lengths = list(LENGTHS)
    bench.rng.shuffle(lengths)
    for length in lengths:
        send(length)
    await bench.source.wait()
    lane = {length: frame.start_lane for length, frame in zip(lengths, sent, strict=True)}

    bench.source.force_offset_start = True
    for length in lengths:
        if lane[length] == 0:
            send(length)
    await bench.source.wait()
    bench.source.force_offset_start = False
    for length in lengths:
        if lane[length] == 4:
            # The first frame after Idle starts in lane 0.
            send(length)
            await bench.source.wait()
            await ClockCycles(dut.clk, 2)
    await ClockCycles(dut.clk, _DRAIN)

    same(bench.received.frames, frames)
    pairs = {(length, frame.start_lane)
             for length, frame in zip((len(f.data) for f in frames), sent, strict=True)}
    assert pairs == {(length, lane) for length in LENGTHS for lane in (0, 4)}
    for frame, model in zip(bench.received.frames, sent, strict=True):
        assert frame.cycle == int(model.sim_time_start) // PERIOD + START_LATENCY
    assert len(bodies) > len(LENGTHS) // 2
    assert bench.received.sets == [(cycle + RX_LATENCY, body)
                                   for cycle, body in zip(set_cycles, bodies, strict=True)]
    assert bench.received.up == []


@cocotb.test()
async def reads_the_public_preamble_and_refuses_others(dut: Any) -> None:
    """Without check bytes; and what is neither eligible nor ordinary is a bad frame."""
    bench = Bench(dut, "preamble")
    await bench.start(protect=False)
    sent: list[XgmiiFrame] = []
    frames = [bench.frame(64 + n) for n in range(16)]
    for frame in frames:
        bench.to_receive(frame, sent)
    await bench.source.wait()
    await ClockCycles(dut.clk, _DRAIN)
    same(bench.received.frames, frames)

    dut.protect.value = 1
    bench.received.frames.clear()
    eligible = [frame for frame in frames if frame.llr]
    for frame in eligible:
        bench.to_receive(frame, sent)
    await bench.source.wait()
    await ClockCycles(dut.clk, _DRAIN)
    got = [(frame.llr, frame.err, frame.data) for frame in bench.received.frames]
    assert eligible and got == [(0, 1, frame.data) for frame in eligible]


@cocotb.test()
async def an_error_spoils_its_frame_alone(dut: Any) -> None:
    """Error in any byte behind the preamble; the frames around it are good."""
    bench = Bench(dut, "receive_error")
    await bench.start(protect=True)
    good: list[bool] = []
    for place in range(64):
        for spoilt in (True, False):
            frame = bench.frame(64)
            control = [0] * (8 + 64)
            data = bytearray(bench.preamble(frame) + frame.data)
            if spoilt:
                data[8 + place], control[8 + place] = 0xFE, 1
            bench.source.send_nowait(XgmiiFrame(data, control))
            good.append(not spoilt)
    await bench.source.wait()
    await ClockCycles(dut.clk, _DRAIN)
    assert [not frame.err for frame in bench.received.frames] == good
    assert all(len(frame.data) == 64 for frame in bench.received.frames)


@cocotb.test()
async def link_faults_close_and_open_the_port(dut: Any) -> None:
    """Local fault is answered with remote fault, remote fault with Idle; exact to the cycle."""
    bench = Bench(dut, "faults")
    await bench.start(protect=True)
    words: list[int] = []

    async def note_fault_words() -> None:
        while True:
            await RisingEdge(dut.clk)
            if int(dut.xgmii_rxc.value) == _TWO_SETS:
                words.append(cycle_now())

    cocotb.start_soon(note_fault_words())
    for kind, answer in ((_LOCAL, _REMOTE), (_REMOTE, None)):
        bench.received.up.clear()
        words.clear()
        bench.sink.get_os()
        bench.source.set_seq_os(kind)
        await ClockCycles(dut.clk, 20)
        assert int(dut.fault.value) == kind
        seen, is_signal = bench.sink.get_os()
        assert (seen, is_signal) == (answer, False)
        bench.driver.send(bench.frame(100))
        await ClockCycles(dut.clk, 40)
        bench.source.set_seq_os(None)
        await ClockCycles(dut.clk, 2 * CLEAR_WORDS)
        assert bench.received.up == [(words[FAULT_WORDS - 1] + RX_LATENCY, 0),
                                     (words[-1] + CLEAR_WORDS + RX_LATENCY, 1)]
        assert bench.driver.idle and bench.sink.empty(), "frames are thrown away"
    # Signal ordered sets of a column are no control ordered sets.
    bench.source.set_sig_os(_LOCAL)
    await ClockCycles(dut.clk, 20)
    bench.source.set_sig_os(None)
    await ClockCycles(dut.clk, 20)
    assert bench.received.sets == [] and len(bench.received.up) == 2


@cocotb.test()
async def sends_every_length(dut: Any) -> None:
    """Every length at full load, then each remainder for long: frames, lanes, gaps, times."""
    bench = Bench(dut, "transmit")
    await bench.start(protect=True)
    lengths = list(LENGTHS)
    bench.rng.shuffle(lengths)
    lengths += [length for length in range(64, 64 + LANES) for _ in range(150)]
    frames = [bench.frame(length) for length in lengths]
    for frame in frames:
        bench.driver.send(frame)
    await bench.drained()
    got = all_frames(bench.sink)
    same(bench.returned.frames, frames)
    for one, frame in zip(got, frames, strict=True):
        assert bytes(one.data) == bench.preamble(frame) + frame.data
        assert one.ctrl is None and one.start_lane == 0
    check_mean_gap(gaps(got))
    for back, frame in zip(bench.returned.frames, bench.driver.taken, strict=True):
        assert back.cycle == frame.cycle + 1 + RX_LATENCY


@cocotb.test()
async def sends_sets_in_the_gaps_only(dut: Any) -> None:
    """Sets leave in order, with frames at full load and without frames; frames stay whole."""
    bench = Bench(dut, "transmit_sets")
    await bench.start(protect=False)
    frames: list[SegmentFrame] = []
    sets: list[int] = []
    for _ in range(300):
        if bench.rng.random() < 0.7:
            for _ in range(bench.rng.randrange(6)):
                frames.append(bench.frame(bench.rng.randrange(64, 200)))
                bench.driver.send(frames[-1])
        for _ in range(bench.rng.randrange(4)):
            sets.append(bench.rng.getrandbits(CTL_BITS))
            bench.driver.sets.append(sets[-1])
        await ClockCycles(dut.clk, bench.rng.randrange(100))
    await bench.drained()
    same(bench.returned.frames, frames)
    got = all_frames(bench.sink)
    assert len(got) == len(frames)
    assert [body for _, body in bench.returned.sets] == sets
    assert all(one.ctrl is None and one.start_lane == 0 for one in got)
    assert min(gaps(got)) >= MIN_GAP


@cocotb.test()
async def marks_and_cuts_bad_frames(dut: Any) -> None:
    """``err`` and a missing word end as a frame with Error, and the next frame is good."""
    bench = Bench(dut, "transmit_errors")
    await bench.start(protect=True)
    wanted: list[bool] = []
    aborted = 0
    for word in range(9):
        for options in ({"error_in": word}, {"missing_in": word} if word else {}, {}):
            bench.driver.send(bench.frame(72 - word % 2), **options)
            wanted.append(not options)
            aborted += "missing_in" in options
    counted = 0
    while not bench.driver.idle:
        await RisingEdge(dut.clk)
        counted += int(dut.aborted.value)
    await ClockCycles(dut.clk, _DRAIN)
    assert [not frame.err for frame in bench.returned.frames] == wanted
    got = all_frames(bench.sink)
    assert [one.ctrl is None for one in got] == wanted
    assert all(one.data[-1] == 0xFE for one, good in zip(got, wanted, strict=True) if not good)
    assert counted == aborted


@cocotb.test()
async def a_port_closed_from_inside_sends_remote_fault(dut: Any) -> None:
    """The frame under way is finished; later ones are thrown away and told."""
    bench = Bench(dut, "closed")
    await bench.start(protect=True)
    frames = [bench.frame(200) for _ in range(4)]
    for frame in frames:
        bench.driver.send(frame)
    await ClockCycles(dut.clk, 10)
    bench.driver.up = 0
    discarded = 0
    for _ in range(200):
        await RisingEdge(dut.clk)
        discarded += int(dut.discarded.value)
    same(bench.returned.frames, frames[:1])
    assert discarded == len(frames) - 1
    assert bench.sink.get_os() == (_REMOTE, False)
    assert [value for _, value in bench.returned.up] == [0]
    bench.driver.up = 1
    await ClockCycles(dut.clk, CLEAR_WORDS + _DRAIN)
    assert [value for _, value in bench.returned.up] == [0, 1]
    bench.driver.send(frames[1])
    await bench.drained()
    same(bench.returned.frames, frames[:2])
