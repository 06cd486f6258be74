# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of a top level with XGMII and AXI4-Lite, in lockstep with the model all the time.

At its pins are bus models that are not ours, of cocotbext-eth and cocotbext-axi, which come with
the extra ``dev``; or link partners with an XGMII adapter of their own. `gavel_tb.top_harness` is
the top.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.eth import XgmiiFrame, XgmiiSink, XgmiiSource

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.preamble import encode
from gavel_model.register_map import Counter
from gavel_model.top_options import TopOptions
from gavel_model.xgmii import IDLE_WORD, Fault, XgmiiWord
from gavel_tb.link_setup import retry_writes
from gavel_tb.partner.receiver import Arrival, FrameClass
from gavel_tb.partner.settings import PartnerSettings
from gavel_tb.top_bench import Bench
from gavel_tb.xgmii_partners import XgmiiPartner

STAGES_VARIABLE = "GAVEL_TRANSMIT_STAGES"


def switch(transmit_stages: str = "1") -> SwitchConfig:
    """The switch, with so many registers before its XGMII."""
    return load_config("tiny", ("ports=3", "vcs=1", "buffer_cells=256", "ctl_spacing=400",
                                f"transmit_stages={transmit_stages}"))


CONFIG = switch(os.environ.get(STAGES_VARIABLE, "1"))
OPTIONS = TopOptions(ports="xgmii", registers="axi_lite", telemetry=True)

_IDLE = {"xgmii_rxd": IDLE_WORD.data, "xgmii_rxc": IDLE_WORD.ctl}
_FRAMES = 40
_ERROR_RATE = 0.002
_TIMER = 1200
_MOST_CYCLES = 40_000
_DRAIN = 400
_CUT_AFTER = 30
_CUT_WORDS = 50


def drive(dut: Any, port: int, word: XgmiiWord) -> None:
    """Puts a word on XGMII."""
    getattr(dut, f"p{port}_xgmii_rxd").value = word.data
    getattr(dut, f"p{port}_xgmii_rxc").value = word.ctl


@cocotb.test()
async def frames_go_from_every_port_to_every_port(dut: Any) -> None:
    """The bus models' frames come out whole, in order, and are counted."""
    bench = Bench(dut, "frames", CONFIG, OPTIONS)
    pins = [f"p{port}_xgmii" for port in range(CONFIG.ports)]
    await bench.start(_IDLE)
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
    bench = Bench(dut, "retry", CONFIG, OPTIONS)
    await bench.start(_IDLE)
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
            drive(dut, port, partner.step(word))
        if not bench.outstanding and all(partner.partner.idle for partner in partners):
            rest -= 1
    assert bench.arrived == _FRAMES * CONFIG.ports
    assert faults == Fault.LOCAL
    assert all(wire.hits for partner in partners
               for wire in (partner.to_switch, partner.from_switch))
    assert sum([await bench.counter(port, Counter.LLR_TX_REPLAY)
                for port in range(CONFIG.ports)]) > 0
    assert sum(partner.partner.sender.replays for partner in partners) > 0
