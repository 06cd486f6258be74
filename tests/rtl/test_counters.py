# SPDX-License-Identifier: Apache-2.0
"""Counters in the RTL: every cycle's values, what is read, carries, and resets in the middle."""

from __future__ import annotations

import random
from typing import Any

from amaranth.hdl import ClockDomain, Module, ResetInserter, Signal
from amaranth.sim import Simulator

from gavel_model.loader import load_config
from gavel_model.register_map import COUNTER_BITS, COUNTERS, Counter
from gavel_rtl.counters import Counters

BYTES = (Counter.RX_BYTES, Counter.TX_BYTES)
ALL_EVENTS = sum(1 << counter for counter in Counter if counter not in BYTES)
CYCLES = 300


class Bench:
    """A `Counters` and what it must show."""

    def __init__(self, ctx: Any, dut: Counters, reset: Signal) -> None:
        self.ctx, self.dut, self.reset = ctx, dut, reset
        self.values = [0] * COUNTERS

    async def step(self, events: int, rx_bytes: int, tx_bytes: int, select: int | None,
                   reset: bool = False) -> None:
        """One cycle; compares what is visible in it first."""
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.events.count, events)
        ctx.set(dut.events.rx_bytes, rx_bytes)
        ctx.set(dut.events.tx_bytes, tx_bytes)
        ctx.set(dut.select, 0 if select is None else 1 << select)
        ctx.set(self.reset, reset)
        shown = ctx.get(dut.values)
        assert [shown >> COUNTER_BITS * n & 0xFFFFFFFF for n in range(COUNTERS)] == self.values
        assert ctx.get(dut.value) == (0 if select is None else self.values[select])
        await ctx.tick()
        added = {Counter.RX_BYTES: rx_bytes, Counter.TX_BYTES: tx_bytes}
        self.values = [0 if reset else value + added.get(Counter(n), events >> n & 1)
                       for n, value in enumerate(self.values)]


def run(play: Any) -> None:
    """Simulates one `Counters` of the preset `fpga`."""
    dut, reset = Counters(load_config("fpga")), Signal()
    m = Module()
    m.domains.sync = ClockDomain("sync")
    m.submodules.dut = ResetInserter(reset)(dut)
    simulator = Simulator(m)
    simulator.add_clock(1e-9)

    async def bench(ctx: Any) -> None:
        await play(Bench(ctx, dut, reset))

    simulator.add_testbench(bench)
    simulator.run()


def test_events_in_every_cycle_lose_no_carry() -> None:
    async def play(bench: Bench) -> None:
        for cycle in range(CYCLES):
            await bench.step(ALL_EVENTS, 1500, 8, cycle % COUNTERS)

    run(play)


def test_events_at_random_and_resets_in_the_middle(seed: int) -> None:
    rng = random.Random(seed)

    async def play(bench: Bench) -> None:
        for cycle in range(CYCLES):
            # Longer and longer up to the last reset, so that it finds high bits that are not 0.
            reset = cycle in (3, 40, 41, 200)
            events = rng.getrandbits(COUNTERS) | rng.getrandbits(COUNTERS)
            await bench.step(events & ALL_EVENTS, rng.randrange(1523), rng.randrange(9),
                             rng.choice((None, rng.randrange(COUNTERS))), reset)

    run(play)
