# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of XgmiiTx with bus models that are not ours.

They check whole frames, sets, gaps and times against docs/xgmii.md, and know nothing of the model.
"""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.eth import XgmiiFrame, XgmiiSink

from gavel_model.pins import CTL_BITS
from gavel_tb.xgmii_agents import SegmentFrame
from gavel_tb.xgmii_bench import (
    CLEAR_WORDS,
    DRAIN,
    LENGTHS,
    REMOTE_FAULT,
    RX_LATENCY,
    Bench,
    same,
)

LANES = 8
MEAN_GAP = 12
MIN_GAP = 5
MAX_DEFICIT = 7


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
    for word, length in product(range(9), (69, 72)):
        for options in ({"error_in": word}, {"missing_in": word} if word else {}, {}):
            bench.driver.send(bench.frame(length), **options)
            wanted.append(not options)
            aborted += "missing_in" in options
    counted = 0
    while not bench.driver.idle:
        await RisingEdge(dut.clk)
        counted += int(dut.aborted.value)
    await ClockCycles(dut.clk, DRAIN)
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
    assert bench.sink.get_os() == (REMOTE_FAULT, False)
    assert [value for _, value in bench.returned.up] == [0]
    bench.driver.up = 1
    await ClockCycles(dut.clk, CLEAR_WORDS + DRAIN)
    assert [value for _, value in bench.returned.up] == [0, 1]
    bench.driver.send(frames[1])
    await bench.drained()
    same(bench.returned.frames, frames[:2])
