# SPDX-License-Identifier: Apache-2.0
"""What the cocotb tests of a top level share: clock, reset, the lockstep, the manager of the
registers, and frames between all ports."""

from __future__ import annotations

import json
import logging
import os
from collections import defaultdict, deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Timer
from cocotb.utils import get_sim_time
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.frame import append_fcs, build_header
from gavel_model.profiles import FABRIC_PREFIX
from gavel_model.register_map import Counter, Port, port_address
from gavel_model.top_options import TopOptions
from gavel_tb.stimulus import derived_random
from gavel_tb.top import TopLockstep

SEED_VARIABLE = "GAVEL_SEED"
PINS_VARIABLE = "GAVEL_TOP_PINS"
"""Path of a JSON file with the pins, as in the sidecar of the Verilog."""

PERIOD = 8
"""Nanoseconds: one for each lane, which is how the bus models of XGMII count inside a word."""

_ADDRESS_BYTES = 4


class Bench:
    """Clock, reset, the manager of the registers, and the lockstep."""

    def __init__(self, dut: Any, name: str, config: SwitchConfig, options: TopOptions) -> None:
        self.dut = dut
        self.config = config
        logging.getLogger("cocotb.gavel_harness").setLevel(logging.WARNING)
        self.rng = derived_random(int(os.environ[SEED_VARIABLE]), name)
        pins = json.loads(Path(os.environ[PINS_VARIABLE]).read_text("utf-8"))
        self.lockstep = TopLockstep(dut, config, options, pins)
        self.expected: dict[tuple[int, int], deque[bytes]] = defaultdict(deque)
        self.arrived = 0

    async def start(self, idle: Mapping[str, int]) -> None:
        """Resets, with these inputs at every port, and compares from then on."""
        dut = self.dut
        # Cycles and lanes are counted by the simulation's time.
        await Timer(PERIOD - int(get_sim_time("ns")) % PERIOD, "ns")
        Clock(dut.clk, PERIOD, "ns").start()
        dut.rst.value = 1
        for pin, value in idle.items():
            for port in range(self.config.ports):
                getattr(dut, f"p{port}_{pin}").value = value
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
        await ClockCycles(dut.clk, 2)
        dut.rst.value = 0
        cocotb.start_soon(self.lockstep.run())
        await ClockCycles(dut.clk, self.config.table_init_cycles)

    def frame(self, source: int, length: int = 0) -> bytes:
        """A frame to anywhere, that is now expected there; ``length`` with FCS, 0: any."""
        rng = self.rng
        target = rng.randrange(self.config.ports)
        header = build_header("ethernet", dst=FABRIC_PREFIX << 16 | target, src=source,
                              traffic_class=rng.randrange(8))
        length = length or rng.randrange(MIN_FRAME_BYTES, self.config.max_frame_bytes + 1)
        data = append_fcs(header + rng.randbytes(length - FCS_BYTES - len(header)))
        self.expected[source, target].append(data)
        return data

    def take(self, target: int, data: bytes) -> None:
        """A frame has come out: the next one between the two ports."""
        source = int.from_bytes(data[6:12], "big")
        assert data == self.expected[source, target].popleft(), f"frame from {source} to {target}"
        self.arrived += 1

    @property
    def outstanding(self) -> int:
        """Frames that have not come out yet."""
        return sum(map(len, self.expected.values()))

    async def counter(self, port: int, counter: Counter) -> int:
        """Reads a counter through AXI4-Lite."""
        return await self.register(port, Port.COUNTERS + counter)

    async def register(self, port: int, offset: int) -> int:
        """Reads a register of a port through AXI4-Lite."""
        address = port_address(port, offset) * _ADDRESS_BYTES
        read = await self.master.read(address, _ADDRESS_BYTES)
        assert read.resp is AxiResp.OKAY
        return int.from_bytes(read.data, "little")

    async def write(self, port: int, offset: int, value: int) -> None:
        """Writes a register of a port through AXI4-Lite."""
        address = port_address(port, offset) * _ADDRESS_BYTES
        done = await self.master.write(address, value.to_bytes(_ADDRESS_BYTES, "little"))
        assert done.resp is AxiResp.OKAY
