# SPDX-License-Identifier: Apache-2.0
"""Running one component in Amaranth's simulator."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.lib import wiring
from amaranth.sim import Simulator

from gavel_tb.block_sim import BenchContext

Bench = Callable[[Any, ClockDomain], Awaitable[None]]


@pytest.fixture
def simulate() -> Callable[[wiring.Component, Bench], None]:
    """A function that runs ``bench(ctx, sync domain)`` against a component."""

    def run(component: wiring.Component, bench: Bench) -> None:
        m = Module()
        m.domains.sync = sync = ClockDomain("sync")
        m.submodules.dut = component
        simulator = Simulator(m)
        simulator.add_clock(1e-9)

        async def testbench(ctx: Any) -> None:
            await bench(BenchContext(ctx), sync)

        simulator.add_testbench(testbench)
        simulator.run()

    return run
