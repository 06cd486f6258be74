# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of the stream of records with a sink that is not ours: the one of cocotbext-axi.

It comes with the extra ``dev``. `gavel_tb.record_harness` is the top. The tests know
docs/telemetry.md, and nothing of the model.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamSink

from gavel_model.loader import load_config
from gavel_model.telemetry_map import least_period
from gavel_tb.record_harness import EVENTS
from gavel_tb.stimulus import derived_random
from gavel_tb.telemetry_records import Record, decode_records

SEED_VARIABLE = "GAVEL_SEED"
CONFIG = load_config("tiny", ("ports=3",))
_CYCLES = 3000
_WAIT = 40
"""Cycles in which the last record is sent to its end."""

_PAUSES = (0.0, 0.3, 0.9)


def _pauses(rng: random.Random, share: float) -> Iterator[bool]:
    while True:
        yield rng.random() < share


async def _begin(dut: Any) -> AxiStreamSink:
    Clock(dut.clk, 10, "ns").start()
    dut.period.value = dut.period_written.value = 0
    dut.rst.value = 1
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis_telemetry"), dut.clk, dut.rst)
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await RisingEdge(dut.clk)
    return sink


async def _write(dut: Any, period: int) -> None:
    dut.period.value = period
    dut.period_written.value = 1
    await RisingEdge(dut.clk)
    dut.period_written.value = 0


async def _records(sink: AxiStreamSink) -> list[Record]:
    """What has come, of each frame of the stream its one record."""
    found = []
    while not sink.empty():
        frame = await sink.recv()
        (record,) = decode_records(bytes(frame.tdata))
        found.append(record)
    return found


@cocotb.test()
async def every_byte_of_every_cycle_is_told_once(dut: Any) -> None:
    """Whatever is lost on the way: what a record says is for all cycles since the one before."""
    rng = derived_random(int(os.environ[SEED_VARIABLE]), "record_clients")
    sink = await _begin(dut)
    least = least_period(CONFIG.ports)
    lost_before = 0
    for share in _PAUSES:
        period = rng.randint(least, 2 * least)
        sink.set_pause_generator(_pauses(rng, share))
        await _write(dut, period)
        await ClockCycles(dut.clk, _CYCLES)
        await _write(dut, 0)
        sink.clear_pause_generator()
        sink.pause = False
        await ClockCycles(dut.clk, _WAIT)
        records = await _records(sink)
        lost = int(dut.lost_count.value) - lost_before
        lost_before += lost
        assert len(records) + lost in (_CYCLES // period, _CYCLES // period + 1)
        assert lost == 0 or share, f"{lost} lost"
        assert lost > 0 or share < max(_PAUSES)
        before: Record | None = None
        for record in records:
            cycles = record.cycles_since(before) or period * (record.interval + 1)
            if before is not None:
                assert cycles == period * (record.interval - before.interval)
            before = record
            for number, port in enumerate(record.ports):
                assert port == ((number + 1) * cycles, CONFIG.word_bytes * cycles, number, cycles,
                                EVENTS + number, 0, 0, 0)
