# SPDX-License-Identifier: Apache-2.0
"""Benches on one elaborated component see nothing of each other, and all that they have set."""

import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib import enum, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_tb.block_sim import Elaborated, run_block


class Kind(enum.Enum, shape=2):
    """Of an input."""

    FIRST = 0
    LAST = 3


class Counted(wiring.Component):
    """A count, kept in a register and in a memory."""

    held: Out(8)
    stored: Out(8)
    add: In(8)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=8, depth=1, init=[5])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        m.d.sync += self.held.eq(self.held + self.add)
        m.d.comb += [write.en.eq(1), write.data.eq(read.data + self.add),
                     self.stored.eq(read.data)]
        return m


def test_each_bench_begins_as_after_power_up():
    counted = Counted()
    elaborated = Elaborated(counted)
    assert elaborated.component is counted
    seen = []

    async def bench(ctx):
        seen.append((ctx.get(counted.held), ctx.get(counted.stored), ctx.get(counted.add)))
        ctx.set(counted.add, 3)
        await ctx.tick().repeat(2)
        seen.append((ctx.get(counted.held), ctx.get(counted.stored), ctx.get(counted.add)))

    async def failing(ctx):
        ctx.set(counted.add, 7)
        await ctx.tick()
        raise ValueError("as expected")

    elaborated.run(bench)
    with pytest.raises(ValueError, match="as expected"):
        elaborated.run(failing)
    elaborated.run(bench)
    assert seen == 2 * [(0, 5, 0), (6, 11, 3)]


def test_what_is_set_is_there_for_reads_and_for_the_clock():
    counted = Counted()

    async def bench(ctx):
        ctx.set(counted.add, 3)
        assert ctx.get(counted.add) == 3
        await ctx.tick()
        ctx.set(counted.add, 5)
        ctx.set(counted.add[4:], 2)
        assert ctx.get(counted.add) == 37
        ctx.set(counted.add, 1)
        ctx.set(counted.add, 2)
        await ctx.tick()
        assert (ctx.get(counted.held), ctx.get(counted.stored)) == (5, 10)
        ctx.set(counted.add, 300)
        assert ctx.get(counted.add) == 300 & 255

    Elaborated(counted).run(bench)


class Joined(wiring.Component):
    """Two inputs beside each other."""

    low: In(Kind)
    high: In(4)
    both: Out(6)
    before: Out(6)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.both.eq(Cat(self.low, self.high))
        m.d.sync += self.before.eq(self.both)
        return m


def test_a_look_sees_all_that_was_set_and_of_each_bit_the_last():
    joined = Joined()

    async def bench(ctx):
        ctx.set(joined.high, 0b1111)
        ctx.set(joined.low, Kind.LAST)
        ctx.set(joined.high[1:3], 0b100)
        assert ctx.get(joined.both) == 0b1001_11
        assert ctx.get(joined.low) is Kind.LAST
        ctx.set(joined.high, -2)
        assert ctx.get(joined.both) == 0b1110_11
        ctx.set(joined.low, Kind.FIRST)
        await ctx.tick()
        assert ctx.get(joined.before) == 0b1110_00

    run_block(joined, bench)
