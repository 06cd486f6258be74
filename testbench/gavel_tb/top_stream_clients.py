# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of a top level with AXI4-Stream and AXI4-Lite, in lockstep with the model all the
time.

At its pins are the bus models of cocotbext-axi, which are not ours and come with the extra
``dev``. `gavel_tb.top_harness` is the top.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.frame import append_fcs, fcs
from gavel_model.loader import load_config
from gavel_model.register_map import Counter, Port
from gavel_model.top_options import TopOptions
from gavel_tb.top_bench import Bench

WIDTH_VARIABLE = "GAVEL_WIDTH"
FCS_VARIABLE = "GAVEL_FCS"

_IDLE = {"s_axis_tvalid": 0, "m_axis_tready": 0, "link_up": 1}
_BAD = 0.1
_PAUSE = 0.4
_MOST_CYCLES = 40_000


def surroundings(width: int, fcs_by: str) -> tuple[SwitchConfig, TopOptions]:
    """The top level of this width and this way with the FCS."""
    return (load_config("tiny", (f"data_width={width}", "vcs=1", "buffer_cells=512")),
            TopOptions(ports="axi_stream", registers="axi_lite", fcs=fcs_by))


CONFIG, OPTIONS = surroundings(int(os.environ.get(WIDTH_VARIABLE, "64")),
                               os.environ.get(FCS_VARIABLE, "strip"))


def _pauses(rng: random.Random) -> Iterator[bool]:
    while True:
        yield rng.random() < _PAUSE


class Streams:
    """A source and a sink at every port.

    Attributes
    ----------
    bad
        Bad frames sent, by port.
    """

    def __init__(self, dut: Any, bench: Bench) -> None:
        self._bench = bench
        self.bad = [0] * CONFIG.ports
        ports = range(CONFIG.ports)
        self._sources = [self._make(AxiStreamSource, dut, f"p{port}_s_axis") for port in ports]
        self._sinks = [self._make(AxiStreamSink, dut, f"p{port}_m_axis") for port in ports]

    @staticmethod
    def _make(kind: Any, dut: Any, prefix: str) -> Any:
        return kind(AxiStreamBus.from_prefix(dut, prefix), dut.clk, dut.rst)

    def pause(self) -> None:
        """Sources have gaps, within frames, too, and sinks are not always ready."""
        for stream in (*self._sources, *self._sinks):
            stream.set_pause_generator(_pauses(random.Random(self._bench.rng.getrandbits(64))))

    def send(self, port: int, data: bytes, *, bad: bool = False) -> None:
        """Sends a frame as the MAC shows it; ``data`` with FCS."""
        shown = data[:-FCS_BYTES] if OPTIONS.fcs == "strip" else data
        self.bad[port] += bad
        self._sources[port].send_nowait(AxiStreamFrame(shown, tuser=int(bad)))

    def take(self) -> None:
        """Checks the frames that have come out."""
        for port, sink in enumerate(self._sinks):
            while not sink.empty():
                frame = sink.recv_nowait()
                assert not frame.tuser
                shown = bytes(frame.tdata)
                self._bench.take(port, shown + fcs(shown) if OPTIONS.fcs == "strip" else shown)


@cocotb.test()
async def frames_of_every_length_go_through(dut: Any) -> None:
    """At full rate, and with pauses on all streams; bad frames are counted and do not come out."""
    bench = Bench(dut, f"streams {CONFIG.data_width} {OPTIONS.fcs}", CONFIG, OPTIONS)
    await bench.start(_IDLE)
    streams = Streams(dut, bench)
    lengths = list(range(MIN_FRAME_BYTES, MIN_FRAME_BYTES + 2 * CONFIG.word_bytes + 1))
    sent = 0
    for pauses in (False, True):
        if pauses:
            streams.pause()
        for port in range(CONFIG.ports):
            bench.rng.shuffle(lengths)
            for length in lengths:
                if bench.rng.random() < _BAD:
                    streams.send(port, append_fcs(bench.rng.randbytes(length)), bad=True)
                streams.send(port, bench.frame(port, length))
                sent += 1
        while bench.outstanding:
            assert bench.lockstep.cycles < _MOST_CYCLES, f"{bench.outstanding} frames are missing"
            await ClockCycles(dut.clk, 16)
            streams.take()
    assert bench.arrived == sent
    for port in range(CONFIG.ports):
        assert await bench.counter(port, Counter.RX_ERR) == streams.bad[port] > 0
        assert await bench.counter(port, Counter.RX_FRAMES) == sent // CONFIG.ports


@cocotb.test()
async def registers_say_that_there_is_no_retry(dut: Any) -> None:
    """What needs preambles and ordered sets cannot be turned on."""
    bench = Bench(dut, "registers", CONFIG, OPTIONS)
    await bench.start(_IDLE)
    for offset, stored in ((Port.LLR_CONTROL, 0x1FC), (Port.CBFC_CONTROL, 0x30000),
                           (Port.PFC_CONTROL, 0x101)):
        await bench.write(1, offset, 0xFFFFFFFF)
        assert await bench.register(1, offset) == stored
