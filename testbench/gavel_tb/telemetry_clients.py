# SPDX-License-Identifier: Apache-2.0
"""cocotb test of telemetry as software and a collector see it: a manager of AXI4-Lite and a sink of
AXI4-Stream that are not ours (cocotbext-axi, extra ``dev``), in lockstep with the model all the
time. The top level is that of `gavel_tb.top_clients`.
"""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiResp, AxiStreamBus, AxiStreamSink
from cocotbext.eth import XgmiiFrame, XgmiiSource

from gavel_model.preamble import encode
from gavel_model.record_format import PORT_WORDS, WORD_BITS
from gavel_model.register_map import Counter
from gavel_model.telemetry_map import (
    GLOBAL_BASE,
    SNAPSHOT_REST,
    TELEMETRY_MAP,
    TELEMETRY_VALUE,
    TelemetryGlobal,
    TelemetryIndex,
    TelemetryPortEvents,
    TelemetryRegister,
    TelemetryTable,
)
from gavel_model.xgmii import IDLE_WORD
from gavel_tb.top_bench import Bench
from gavel_tb.top_clients import CONFIG, OPTIONS

_G, _R = TelemetryGlobal, TelemetryRegister
_IDLE = {"xgmii_rxd": IDLE_WORD.data, "xgmii_rxc": IDLE_WORD.ctl}
_FRAMES = 12
_PERIOD = 150
_DRAIN = 400
_WORD_BYTES = 4
_HEAD = 2
_LOW = (1 << WORD_BITS // 2) - 1


class Software:
    """Registers of telemetry through AXI4-Lite."""

    def __init__(self, bench: Bench) -> None:
        self._master = bench.master

    async def read(self, word: int) -> int:
        """A register at a word address."""
        answer = await self._master.read(word * _WORD_BYTES, _WORD_BYTES)
        assert answer.resp is AxiResp.OKAY
        return int.from_bytes(answer.data, "little")

    async def write(self, word: int, value: int) -> None:
        """Writes it."""
        done = await self._master.write(word * _WORD_BYTES, value.to_bytes(_WORD_BYTES, "little"))
        assert done.resp is AxiResp.OKAY

    async def count(self, port: int, counter: Counter) -> int:
        """A counter of 64 bits as the last snapshot has it."""
        low, high = [await self.read(TELEMETRY_MAP.port_address(port, at + 2 * counter))
                     for at in (_R.COUNT, _R.COUNT_HI)]
        return low | high << 32

    async def snapshot(self, dut: Any) -> int:
        """Takes one; its cycle."""
        await self.write(GLOBAL_BASE + _G.SNAPSHOT, 1)
        await ClockCycles(dut.clk, SNAPSHOT_REST)
        return await self.read(GLOBAL_BASE + _G.SNAPSHOT_TIME)


@cocotb.test()
async def software_and_collector_see_what_was_sent(dut: Any) -> None:
    """A snapshot has what the records add up to; a dropped frame is an interrupt, until it is
    cleared."""
    bench = Bench(dut, "telemetry", CONFIG, OPTIONS)
    dut.m_axis_telemetry_tready.value = 0
    await bench.start(_IDLE)
    software = Software(bench)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis_telemetry"), dut.clk, dut.rst)
    sources = [XgmiiSource(getattr(dut, f"p{port}_xgmii_rxd"), getattr(dut, f"p{port}_xgmii_rxc"),
                           dut.clk) for port in range(CONFIG.ports)]
    assert await software.read(GLOBAL_BASE + _G.TELEMETRY) == TELEMETRY_VALUE
    await software.write(GLOBAL_BASE + _G.STREAM_PERIOD, _PERIOD)
    port_events = TELEMETRY_MAP.port_address(1, _R.EVENTS)
    dropped = 1 << TelemetryPortEvents.FRAME_DROPPED
    await software.write(TELEMETRY_MAP.port_address(1, _R.EVENT_ENABLE), dropped)

    preamble = b"\x55" + encode(None, True)[1:]
    sent = [0] * CONFIG.ports
    for port, source in enumerate(sources):
        for _ in range(_FRAMES):
            frame = bench.frame(port)
            sent[port] += len(frame)
            source.send_nowait(XgmiiFrame(preamble + frame))
    await ClockCycles(dut.clk, sum(sent) // 8 // CONFIG.ports + _DRAIN)
    assert not dut.irq.value
    first = await software.snapshot(dut)
    assert [await software.count(port, Counter.RX_BYTES) for port in range(CONFIG.ports)] == sent

    bad = bytearray(bench.frame(1))
    bad[-1] ^= 1
    sources[1].send_nowait(XgmiiFrame(preamble + bytes(bad)))
    await ClockCycles(dut.clk, _DRAIN)
    assert dut.irq.value
    assert await software.read(GLOBAL_BASE + _G.EVENT_PORTS) == 1 << 1
    happened = await software.read(port_events)
    assert happened & dropped
    await software.write(port_events, happened)
    await ClockCycles(dut.clk, 4)
    assert not dut.irq.value and not await software.read(port_events)

    assert not await software.count(1, Counter.RX_FCS)
    assert await software.snapshot(dut) > first
    assert await software.count(1, Counter.RX_FCS) == 1
    assert await software.read(GLOBAL_BASE + _G.SNAPSHOTS) == 2
    await software.write(GLOBAL_BASE + _G.INDEX, TelemetryTable.INGRESS << TelemetryIndex.TABLE)
    assert await software.read(TELEMETRY_MAP.port_address(1, _R.DATA)) == _FRAMES

    await ClockCycles(dut.clk, 2 * _PERIOD)
    totals = [0] * CONFIG.ports
    while not sink.empty():
        record = bytes(sink.recv_nowait().tdata)
        words = [int.from_bytes(record[at:at + 8], "little") for at in range(0, len(record), 8)]
        assert len(words) == _HEAD + PORT_WORDS * CONFIG.ports
        for port in range(CONFIG.ports):
            totals[port] += words[_HEAD + PORT_WORDS * port] & _LOW
    assert totals == sent
    assert await software.read(GLOBAL_BASE + _G.STREAM_LOST) == 0
    assert bench.lockstep.cycles > first
