# SPDX-License-Identifier: Apache-2.0
"""The FIFO of the crossings: nothing is lost, doubled or reordered, whatever the clocks."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from gavel_rtl.lib.async_fifo import AsyncFifo

ADDRESS_BITS = 3
DEPTH = 1 << ADDRESS_BITS
WIDTH = 16
PERIOD = 1e-8
RESET_CYCLES = 3


class Bench:
    """A FIFO whose words are numbers that count up."""

    def __init__(self, ratio: float, rng: Random):
        self.fifo = AsyncFifo(width=WIDTH, address_bits=ADDRESS_BITS,
                              w_domain="write", r_domain="read")
        self.writes, self.reads = ClockDomain("write"), ClockDomain("read")
        m = Module()
        m.domains += [self.writes, self.reads]
        m.submodules.fifo = self.fifo
        self.simulator = Simulator(m)
        self.simulator.add_clock(PERIOD, domain="write")
        self.simulator.add_clock(PERIOD * ratio, phase=PERIOD * rng.random(), domain="read")
        self.written = 0
        self.read: list[int] = []

    async def write(self, ctx: Any, offered: Iterator[bool]) -> None:
        """Offers a word in the cycles that ``offered`` says."""
        fifo = self.fifo
        for wanted in offered:
            ctx.set(fifo.w_en, wanted)
            ctx.set(fifo.w_data, self.written)
            self.written += wanted and ctx.get(fifo.w_rdy)
            await ctx.tick("write")
        ctx.set(fifo.w_en, 0)

    async def take(self, ctx: Any, taken: Iterator[bool]) -> None:
        """Takes a word in the cycles that ``taken`` says; levels never tell too many."""
        fifo = self.fifo
        for wanted in taken:
            ctx.set(fifo.r_en, wanted)
            shown = len(self.read) + ctx.get(fifo.r_rdy)
            assert shown + ctx.get(fifo.r_level) <= self.written
            if wanted and ctx.get(fifo.r_rdy):
                self.read.append(ctx.get(fifo.r_data))
            await ctx.tick("read")
        ctx.set(fifo.r_en, 0)


def drawn(rng: Random, share: float, cycles: int) -> Iterator[bool]:
    """1 in about that share of the cycles, in bursts."""
    while cycles > 0:
        burst = min(cycles, rng.randrange(1, 3 * DEPTH))
        cycles -= burst
        chance = rng.choice((share, 1.0, 0.0))
        yield from (rng.random() < chance for _ in range(burst))


@pytest.mark.parametrize("ratio", [0.31, 1.0, 1.001, 7.3])
def test_words_come_in_order(ratio: float, seed: int) -> None:
    rng = Random(seed * 1000 + round(100 * ratio))
    bench = Bench(ratio, rng)

    async def writer(ctx: Any) -> None:
        await bench.write(ctx, drawn(rng, 0.6, 2500))

    async def reader(ctx: Any) -> None:
        await bench.take(ctx, drawn(rng, 0.6, int(2500 / ratio)))
        await bench.take(ctx, iter([True] * 4 * DEPTH))

    bench.simulator.add_testbench(writer)
    bench.simulator.add_testbench(reader)
    bench.simulator.run()
    assert bench.written > 100
    assert bench.read == list(range(bench.written))


def test_it_takes_a_word_in_every_cycle_and_gives_one(seed: int) -> None:
    bench = Bench(1.0, Random(seed))

    async def writer(ctx: Any) -> None:
        await bench.write(ctx, iter([True] * 200))

    async def reader(ctx: Any) -> None:
        await bench.take(ctx, iter([True] * 200))

    bench.simulator.add_testbench(writer)
    bench.simulator.add_testbench(reader)
    bench.simulator.run()
    assert bench.written == 200
    assert bench.read == list(range(len(bench.read)))
    assert len(bench.read) >= 200 - DEPTH


@pytest.mark.parametrize(("pause", "held"), [(0, DEPTH + 1), (5, DEPTH)])
def test_it_holds_its_depth_and_the_word_that_is_shown(pause: int, held: int, seed: int) -> None:
    """The last place is filled by who writes in every cycle."""
    bench = Bench(1.3, Random(seed))

    async def writer(ctx: Any) -> None:
        await bench.write(ctx, iter([True, *[False] * pause] * 100))
        assert ctx.get(bench.fifo.w_level) == held - 1
        assert not ctx.get(bench.fifo.w_rdy)

    bench.simulator.add_testbench(writer)
    bench.simulator.run()
    assert bench.written == held


@pytest.mark.parametrize("ratio", [0.4, 1.01, 2.5])
def test_a_reset_of_the_writer_empties_it(ratio: float, seed: int) -> None:
    """What comes afterwards begins with some word written after the reset and lacks none then; one
    of the reader loses nothing."""
    rng = Random(seed)
    bench = Bench(ratio, rng)
    starts: list[tuple[int, int]] = []
    silence = [False] * round(RESET_CYCLES * (1 + ratio))

    async def writer(ctx: Any) -> None:
        for _ in range(5):
            await bench.write(ctx, drawn(rng, 0.8, 60))
            ctx.set(bench.writes.rst, 1)
            await bench.write(ctx, iter(silence))
            ctx.set(bench.writes.rst, 0)
            await bench.write(ctx, iter(silence))
            assert not ctx.get(bench.fifo.r_rdy)
            starts.append((len(bench.read), bench.written))
        await bench.write(ctx, drawn(rng, 0.8, 60))

    async def reader(ctx: Any) -> None:
        for number in range(10):
            await bench.take(ctx, drawn(rng, 0.5, int(40 / ratio)))
            ctx.set(bench.reads.rst, number % 2)
        ctx.set(bench.reads.rst, 0)
        await bench.take(ctx, iter([True] * int(600 / ratio)))

    bench.simulator.add_testbench(writer)
    bench.simulator.add_testbench(reader, background=False)
    bench.simulator.run()
    ends = [*(begin for begin, _ in starts[1:]), len(bench.read)]
    for (begin, first), end in zip(starts, ends, strict=True):
        assert bench.read[begin:end] == list(range(first, first + end - begin))
    assert bench.read[-1] == bench.written - 1

