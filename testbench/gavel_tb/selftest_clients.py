# SPDX-License-Identifier: Apache-2.0
"""cocotb test of the self-test in a top level with AXI4-Stream: a partner pauses a virtual channel.

Lockstep with the model all the time, and bus models of cocotbext-axi, which are not ours, at the
pins. `gavel_tb.top_harness` is the top.
"""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from gavel_model.config import FCS_BYTES
from gavel_model.loader import load_config
from gavel_model.mac_control import PFC_CLASSES, pfc_frame
from gavel_model.register_map import Counter, Port
from gavel_model.selftest_format import STAMP
from gavel_model.selftest_map import (
    GLOBAL_BASE,
    SELF_TEST_MAP,
    SelfTestControl,
    SelfTestGlobal,
    SelfTestMode,
    SelfTestRegister,
)
from gavel_model.top_options import TopOptions
from gavel_tb.top_bench import Bench

CONFIG = load_config("tiny", ("ports=2", "vcs=2", "buffer_cells=64"))
OPTIONS = TopOptions(ports="axi_stream", registers="axi_lite", self_test=True)

_BYTES = 4
_IDLE = {"s_axis_tvalid": 0, "m_axis_tready": 1, "link_up": 1}
_TESTED, _PARTNER = 0, 1
_LOAD = 20_000
_PAUSED = 1
_LONGEST_PAUSE = 0xFFFF
_SETTLES, _WATCHED = 200, 700
_CLASS = STAMP["class"].offset // 8


class Partner:
    """What stands at the AXI4-Stream of a port: takes frames, and sends PFC."""

    def __init__(self, dut: Any) -> None:
        self._source, self._sink = (
            kind(AxiStreamBus.from_prefix(dut, f"p{_PARTNER}_{name}"), dut.clk, dut.rst)
            for kind, name in ((AxiStreamSource, "s_axis"), (AxiStreamSink, "m_axis")))

    def pause(self, quanta: int) -> None:
        """Pauses the virtual channel; 0 lets it go on."""
        times = tuple(quanta if vc == _PAUSED else 0 for vc in range(PFC_CLASSES))
        frame = pfc_frame(0x020000000099, 1 << _PAUSED, times)
        # The MAC, which is not there, has stripped the FCS.
        self._source.send_nowait(AxiStreamFrame(frame[:-FCS_BYTES]))

    def taken(self) -> Tally[int]:
        """Frames since the last call, by class."""
        found: Tally[int] = Tally()
        while not self._sink.empty():
            frame = self._sink.recv_nowait()
            assert not frame.tuser
            found[bytes(frame.tdata)[_CLASS]] += 1
        return found


async def _set_up(bench: Bench) -> None:
    """Port 0 sends both classes to port 1, where PFC is on."""

    async def write(address: int, value: int) -> None:
        await bench.master.write(_BYTES * address, value.to_bytes(_BYTES, "little"))

    await bench.write(_PARTNER, Port.PFC_CONTROL, (1 << CONFIG.vcs) - 1)
    for register, value in (
        (SelfTestRegister.MODE, SelfTestMode.INTERNAL),
        (SelfTestRegister.DESTINATIONS, 1 << _PARTNER), (SelfTestRegister.CLASSES, 3),
        (SelfTestRegister.LOAD, _LOAD), (SelfTestRegister.SEED, bench.rng.getrandbits(32)),
    ):
        await write(SELF_TEST_MAP.port_address(_TESTED, register), value)
    await write(GLOBAL_BASE + SelfTestGlobal.CONTROL, 1 << SelfTestControl.RUN)


@cocotb.test()
async def a_pause_frame_of_the_partner_stops_one_channel(dut: Any) -> None:
    """Both channels flow; one is paused, and the other goes on; then both flow again."""
    bench = Bench(dut, "self-test", CONFIG, OPTIONS)
    await bench.start(_IDLE)
    partner = Partner(dut)
    await _set_up(bench)
    for quanta, both in ((None, True), (_LONGEST_PAUSE, False), (0, True)):
        if quanta is not None:
            partner.pause(quanta)
        await ClockCycles(dut.clk, _SETTLES)
        partner.taken()
        await ClockCycles(dut.clk, _WATCHED)
        found = partner.taken()
        assert found[0] > 5, found
        assert (found[_PAUSED] > 5) if both else (found[_PAUSED] == 0), found
    assert await bench.counter(_PARTNER, Counter.PFC_RX) == 2
