# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of XgmiiRx with bus models that are not ours.

They check whole frames, sets and times against docs/xgmii.md, and know nothing of the model.
"""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.eth import XgmiiFrame

from gavel_tb.xgmii_agents import PERIOD, SegmentFrame, cycle_now
from gavel_tb.xgmii_bench import (
    CLEAR_WORDS,
    DRAIN,
    LENGTHS,
    REMOTE_FAULT,
    RX_LATENCY,
    Bench,
    same,
)

START_LATENCY = 3
FAULT_WORDS = 2
"""Words of two fault sets that raise a fault."""

_LOCAL_FAULT = 1
_TWO_SETS = 0x11


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
    await ClockCycles(dut.clk, DRAIN)

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
    await ClockCycles(dut.clk, DRAIN)
    same(bench.received.frames, frames)

    dut.protect.value = 1
    bench.received.frames.clear()
    eligible = [frame for frame in frames if frame.llr]
    for frame in eligible:
        bench.to_receive(frame, sent)
    await bench.source.wait()
    await ClockCycles(dut.clk, DRAIN)
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
    await ClockCycles(dut.clk, DRAIN)
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
    for kind, answer in ((_LOCAL_FAULT, REMOTE_FAULT), (REMOTE_FAULT, None)):
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
    bench.source.set_sig_os(_LOCAL_FAULT)
    await ClockCycles(dut.clk, 20)
    bench.source.set_sig_os(None)
    await ClockCycles(dut.clk, 20)
    assert bench.received.sets == [] and len(bench.received.up) == 2
