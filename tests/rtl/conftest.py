# SPDX-License-Identifier: Apache-2.0
"""Running one component in Amaranth's simulator."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.lib import wiring

from gavel_tb.block_sim import run_block

Bench = Callable[[Any, ClockDomain], Awaitable[None]]


@pytest.fixture
def simulate() -> Callable[[wiring.Component, Bench], None]:
    """A function that runs ``bench(ctx, sync domain)`` against a component."""

    def run(component: wiring.Component, bench: Bench) -> None:
        m = Module()
        m.domains.sync = sync = ClockDomain("sync")
        m.submodules.dut = component

        async def testbench(ctx: Any) -> None:
            await bench(ctx, sync)

        run_block(m, testbench)

    return run
