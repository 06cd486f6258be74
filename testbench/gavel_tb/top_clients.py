# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of a top level with XGMII and AXI4-Lite, in lockstep with the model all the time.

At its pins are bus models that are not ours, of cocotbext-eth and cocotbext-axi, which come with
the extra ``dev``; or link partners with an XGMII adapter of their own. `gavel_tb.top_harness` is
the top.
"""

from __future__ import annotations

import json
import logging
import os
import random
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer
from cocotb.utils import get_sim_time
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp
from cocotbext.eth import XgmiiFrame, XgmiiSink, XgmiiSource

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES
from gavel_model.frame import append_fcs, build_header
from gavel_model.loader import load_config
from gavel_model.preamble import encode
from gavel_model.profiles import FABRIC_PREFIX
from gavel_model.register_map import Counter, Port, port_address
from gavel_model.top_options import TopOptions
from gavel_model.xgmii import IDLE_WORD, Fault, XgmiiWord
from gavel_tb.link_setup import retry_writes
from gavel_tb.partner.receiver import Arrival, FrameClass
from gavel_tb.partner.settings import PartnerSettings
from gavel_tb.stimulus import derived_random
from gavel_tb.top import TopLockstep
from gavel_tb.xgmii_partners import XgmiiPartner

SEED_VARIABLE = "GAVEL_SEED"
PINS_VARIABLE = "GAVEL_TOP_PINS"
"""Path of a JSON file with the pins, as in the sidecar of the Verilog."""

CONFIG = load_config("tiny", ("ports=3", "buffer_cells=256", "ctl_spacing=400"))
OPTIONS = TopOptions(ports="xgmii", registers="axi_lite")

_PERIOD = 8
"""Nanoseconds: one for each lane, which is how the bus models count inside a word."""

_ADDRESS_BYTES = 4
_FRAMES = 40
_ERROR_RATE = 0.002
_TIMER = 1200
_MOST_CYCLES = 40_000
_DRAIN = 400
_CUT_AFTER = 30
_CUT_WORDS = 50


class Bench:
    """Clock, reset, the manager of the registers, and the lockstep."""

    def __init__(self, dut: Any, name: str) -> None:
        self.dut = dut
        logging.getLogger("cocotb.gavel_harness").setLevel(logging.WARNING)
        self.rng = derived_random(int(os.environ[SEED_VARIABLE]), name)
        pins = json.loads(Path(os.environ[PINS_VARIABLE]).read_text("utf-8"))
        self.lockstep = TopLockstep(dut, CONFIG, OPTIONS, pins)
        self.expected: dict[tuple[int, int], deque[bytes]] = defaultdict(deque)
        self.arrived = 0

    async def start(self) -> None:
        """Resets, and compares from the first cycle after it on."""
        dut = self.dut
        # Cycles and lanes are counted by the simulation's time.
        await Timer(_PERIOD - int(get_sim_time("ns")) % _PERIOD, "ns")
        Clock(dut.clk, _PERIOD, "ns").start()
        dut.rst.value = 1
        for port in range(CONFIG.ports):
            self.drive(port, IDLE_WORD)
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
        await ClockCycles(dut.clk, 2)
        dut.rst.value = 0
        cocotb.start_soon(self.lockstep.run())
        await ClockCycles(dut.clk, CONFIG.table_init_cycles)

    def drive(self, port: int, word: XgmiiWord) -> None:
        """Puts a word on XGMII."""
        getattr(self.dut, f"p{port}_xgmii_rxd").value = word.data
        getattr(self.dut, f"p{port}_xgmii_rxc").value = word.ctl

    def frame(self, source: int) -> bytes:
        """A frame to anywhere, that is now expected there."""
        rng = self.rng
        target = rng.randrange(CONFIG.ports)
        header = build_header("ethernet", dst=FABRIC_PREFIX << 16 | target, src=source,
                              traffic_class=rng.randrange(8))
        length = rng.randrange(MIN_FRAME_BYTES, CONFIG.max_frame_bytes + 1) - FCS_BYTES
        data = append_fcs(header + rng.randbytes(length - len(header)))
        self.expected[source, target].append(data)
        return data

    def take(self, target: int, data: bytes) -> None:
        """A frame has come out: of those between two ports and of one class the next one."""
        source = int.from_bytes(data[6:12], "big")
        waiting = self.expected[source, target]
        # Classes are VCs of their own, which overtake each other.
        own = next(frame for frame in waiting if frame[14] >> 5 == data[14] >> 5)
        assert data == own, f"frame from {source} to {target}"
        waiting.remove(own)
        self.arrived += 1

    @property
    def outstanding(self) -> int:
        """Frames that have not come out yet."""
        return sum(map(len, self.expected.values()))

    async def counter(self, port: int, counter: Counter) -> int:
        """Reads a counter through AXI4-Lite."""
        address = port_address(port, Port.COUNTERS + counter) * _ADDRESS_BYTES
        read = await self.master.read(address, _ADDRESS_BYTES)
        assert read.resp is AxiResp.OKAY
        return int.from_bytes(read.data, "little")

    async def write(self, port: int, offset: int, value: int) -> None:
        """Writes a register of a port through AXI4-Lite."""
        address = port_address(port, offset) * _ADDRESS_BYTES
        done = await self.master.write(address, value.to_bytes(_ADDRESS_BYTES, "little"))
        assert done.resp is AxiResp.OKAY


@cocotb.test()
async def frames_go_from_every_port_to_every_port(dut: Any) -> None:
    """The bus models' frames come out whole, in order, and are counted."""
    bench = Bench(dut, "frames")
    pins = [f"p{port}_xgmii" for port in range(CONFIG.ports)]
    await bench.start()
    sources = [XgmiiSource(getattr(dut, f"{name}_rxd"), getattr(dut, f"{name}_rxc"), dut.clk)
               for name in pins]
    sinks = [XgmiiSink(getattr(dut, f"{name}_txd"), getattr(dut, f"{name}_txc"), dut.clk)
             for name in pins]
    # The models make the first byte Start, and back again.
    preamble = b"\x55" + encode(None, True)[1:]
    for port, source in enumerate(sources):
        for _ in range(_FRAMES):
            source.send_nowait(XgmiiFrame(preamble + bench.frame(port)))
    while bench.outstanding:
        assert bench.lockstep.cycles < _MOST_CYCLES, f"{bench.outstanding} frames are missing"
        await ClockCycles(dut.clk, 16)
        for port, sink in enumerate(sinks):
            while not sink.empty():
                frame = sink.recv_nowait()
                assert frame.ctrl is None and bytes(frame.data[:8]) == preamble
                bench.take(port, bytes(frame.data[8:]))
    counted = [await bench.counter(port, Counter.RX_FRAMES) for port in range(CONFIG.ports)]
    assert counted == [_FRAMES] * CONFIG.ports


@cocotb.test()
async def nothing_is_lost_with_retry_over_xgmii(dut: Any) -> None:
    """Partners with an XGMII of their own; bits of the words flip in both directions, and one
    wire is cut for a while."""
    bench = Bench(dut, "retry")
    await bench.start()
    for port in range(CONFIG.ports):
        for offset, value in retry_writes(_TIMER, True):
            await bench.write(port, offset, value)
    settings = PartnerSettings(window_frames=8, replay_timer=_TIMER, spacing=CONFIG.ctl_spacing,
                               min_spacing=CONFIG.ctl_min_spacing)

    def deliver_at(port: int) -> Callable[[Arrival], None]:
        def deliver(arrival: Arrival) -> None:
            assert arrival.kind is FrameClass.GOOD
            bench.take(port, arrival.data)
        return deliver

    partners = [XgmiiPartner(settings, deliver_at(port), _ERROR_RATE,
                             random.Random(bench.rng.getrandbits(64)))
                for port in range(CONFIG.ports)]
    for port, partner in enumerate(partners):
        for _ in range(_FRAMES):
            partner.partner.send(bench.frame(port))
    rest, faults = _DRAIN, 0
    edge = RisingEdge(dut.clk)
    while rest:
        assert bench.lockstep.cycles < _MOST_CYCLES, f"{bench.outstanding} frames are missing"
        await edge
        if bench.arrived == _CUT_AFTER and not faults:
            partners[1].to_switch.cut = _CUT_WORDS
        faults |= int(dut.p1_xgmii_fault.value)
        for port, partner in enumerate(partners):
            # What the cycle that has ended showed, for the one that begins: a cycle of wire.
            word = XgmiiWord(int(getattr(dut, f"p{port}_xgmii_txd").value),
                             int(getattr(dut, f"p{port}_xgmii_txc").value))
            bench.drive(port, partner.step(word))
        if not bench.outstanding and all(partner.partner.idle for partner in partners):
            rest -= 1
    assert bench.arrived == _FRAMES * CONFIG.ports
    assert faults == Fault.LOCAL
    assert all(wire.hits for partner in partners
               for wire in (partner.to_switch, partner.from_switch))
    assert sum([await bench.counter(port, Counter.LLR_TX_REPLAY)
                for port in range(CONFIG.ports)]) > 0
    assert sum(partner.partner.sender.replays for partner in partners) > 0
