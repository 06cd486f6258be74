# SPDX-License-Identifier: Apache-2.0
"""Counters in the RTL: every cycle's values, what is read, carries, snapshots, and resets in the
middle."""

from __future__ import annotations

import random
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, Fragment, Module, ResetInserter, Signal

from gavel_model.frozen_totals import FrozenTotals
from gavel_model.loader import load_config
from gavel_model.observation import Observation
from gavel_model.register_map import COUNTER_BITS, COUNTERS, Counter
from gavel_rtl.counters import FROZEN_BITS, Counters
from gavel_rtl.lib.high_bits import ROW
from gavel_tb.block_sim import run_block
from gavel_tb.formal.design import Design

BYTES = (Counter.RX_BYTES, Counter.TX_BYTES)
ALL_EVENTS = sum(1 << counter for counter in Counter if counter not in BYTES)
CYCLES = 300
COPYING = 18
"""Cycles from a freeze until what is frozen can be read."""


def choose(ctx: Any, dut: Counters, number: int | None) -> None:
    """Selects a counter, or none."""
    ctx.set(dut.select.counter, 0 if number is None else 1 << number)
    ctx.set(dut.select.row, 0 if number is None else 1 << number // ROW)
    ctx.set(dut.select.place, (number or 0) % ROW)


class Bench:
    """A `Counters` and what it must show."""

    def __init__(self, ctx: Any, dut: Counters, reset: Signal) -> None:
        self.ctx, self.dut, self.reset = ctx, dut, reset
        self.values = [0] * COUNTERS
        self.read = 0

    async def step(self, events: int, rx_bytes: int, tx_bytes: int, select: int | None,
                   reset: bool = False) -> None:
        """One cycle; compares what is visible in it first. ``rx_bytes`` count with RX_FRAMES."""
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.events.count, events)
        ctx.set(dut.events.rx_bytes, rx_bytes)
        ctx.set(dut.events.tx_bytes, tx_bytes)
        choose(ctx, dut, select)
        ctx.set(self.reset, reset)
        shown = ctx.get(dut.values)
        assert [shown >> COUNTER_BITS * n & 0xFFFFFFFF for n in range(COUNTERS)] == self.values
        assert ctx.get(dut.value) == self.read
        self.read = 0 if reset or select is None else self.values[select]
        await ctx.tick()
        filed = events >> Counter.RX_FRAMES & 1
        added = {Counter.RX_BYTES: rx_bytes * filed, Counter.TX_BYTES: tx_bytes}
        self.values = [0 if reset else value + added.get(Counter(n), events >> n & 1)
                       for n, value in enumerate(self.values)]


class FrozenBench(Bench):
    """And what has been frozen."""

    def __init__(self, ctx: Any, dut: Counters, reset: Signal) -> None:
        super().__init__(ctx, dut, reset)
        self.totals = FrozenTotals()
        self.seen = Observation()
        self.since_freeze = COPYING

    async def freeze(self, freeze: bool, number: int, *inputs: Any) -> None:
        """One cycle, with or without a freeze; reads counter ``number``."""
        ctx, dut = self.ctx, self.dut
        ctx.set(dut.freeze, freeze)
        ctx.set(dut.frozen_number, number)
        if self.since_freeze >= COPYING:
            assert ctx.get(dut.frozen) == self.totals.read(number)
        self.since_freeze = 1 if freeze else self.since_freeze + 1
        self.totals.step(self.seen, freeze)
        events, rx_bytes, tx_bytes, _, *reset = inputs
        filed = events >> Counter.RX_FRAMES & 1
        self.seen = Observation(count=events, rx_bytes=rx_bytes * filed, tx_bytes=tx_bytes)
        await self.step(*inputs)
        if any(reset):
            self.totals.reset()
            self.seen = Observation()
            self.since_freeze = COPYING


def run(play: Any, *, with_snapshot: bool = False) -> None:
    """Simulates one `Counters` of the preset `fpga`."""
    dut, reset = Counters(load_config("fpga"), with_snapshot=with_snapshot), Signal()
    m = Module()
    m.domains.sync = ClockDomain("sync")
    m.submodules.dut = ResetInserter(reset)(dut)

    async def bench(ctx: Any) -> None:
        await play((FrozenBench if with_snapshot else Bench)(ctx, dut, reset))

    run_block(m, bench)


@pytest.mark.parametrize("with_snapshot", [False, True])
def test_events_in_every_cycle_lose_no_carry(with_snapshot: bool) -> None:
    async def play(bench: Bench) -> None:
        for cycle in range(CYCLES):
            await bench.step(ALL_EVENTS, 1500, 8, cycle % COUNTERS)

    run(play, with_snapshot=with_snapshot)


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


def test_snapshots_at_random_and_resets_in_the_middle(seed: int) -> None:
    rng = random.Random(seed)

    async def play(bench: FrozenBench) -> None:
        for cycle in range(500):
            events = ALL_EVENTS if cycle % 100 < 50 else rng.getrandbits(COUNTERS) & ALL_EVENTS
            freeze = bench.since_freeze >= COPYING and rng.random() < 0.2
            await bench.freeze(
                freeze, rng.randrange(1 << 6), events, rng.randrange(1523), rng.randrange(9),
                rng.choice((None, rng.randrange(COUNTERS))), cycle in (3, 40, 41, 200))

    run(play, with_snapshot=True)


def test_all_bits_of_a_frozen_counter() -> None:
    """Every counter just below 2**64, and frozen before and after it has wrapped."""
    dut = Counters(load_config("fpga"), with_snapshot=True)
    design = Design(dut)
    for name, value in (*((f"low_{bit}", ALL_EVENTS) for bit in range(5)),
                        ("rx_bytes", 0xFFFFFFFF), ("tx_bytes", 0xFFFFFFFF)):
        design.begin(name, value)
    design.begin("cleared", 1)

    async def bench(ctx: Any) -> None:
        for start in range(0, COUNTERS, 16):
            memory = memory_data(design.fragment, f"high_{start}")
            for place in range(16):
                octets = start + place in BYTES
                ctx.set(memory[place], (1 << 32) - 1 << 27 if octets else (1 << 59) - 1)
        for expected in (-1 % (1 << FROZEN_BITS), 0):
            for number in range(COUNTERS):
                choose(ctx, dut, number)
                await ctx.tick()
                assert ctx.get(dut.value) == expected & 0xFFFFFFFF, Counter(number)
            ctx.set(dut.freeze, 1)
            await ctx.tick()
            ctx.set(dut.freeze, 0)
            await ctx.tick().repeat(COPYING)
            for number in range(COUNTERS):
                ctx.set(dut.frozen_number, number)
                assert ctx.get(dut.frozen) == expected, Counter(number)
            ctx.set(dut.events.count, ALL_EVENTS)
            ctx.set(dut.events.rx_bytes, 1)
            ctx.set(dut.events.tx_bytes, 1)
            await ctx.tick()
            ctx.set(dut.events.count, 0)
            ctx.set(dut.events.rx_bytes, 0)
            ctx.set(dut.events.tx_bytes, 0)

    run_block(design.fragment, bench)


def memory_data(fragment: Fragment, name: str) -> Any:
    """What a memory holds, to be set while it is simulated."""
    return fragment.find_subfragment(name)._data
