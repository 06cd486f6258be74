# SPDX-License-Identifier: Apache-2.0
"""High bits in memories: carries as often as they may come, freezes, resets in the middle."""

from __future__ import annotations

import random
from typing import Any

from amaranth.hdl import ClockDomain, Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_rtl.lib.high_bits import ROW, HighBits
from gavel_tb.block_sim import run_block

ENTRIES, BITS = 37, 3
CARRY_TO = {5: 1, 36: 2}


class Highs(wiring.Component):
    """High bits with pins around them."""

    def __init__(self) -> None:
        super().__init__({"rising": In(ENTRIES), "freeze": In(1), "number": In(6),
                          "frozen": Out(BITS), "live": Out(BITS), "carries": Out(ENTRIES)})

    def elaborate(self, platform):
        m = Module()
        high = HighBits(m, self.rising, BITS, freeze=self.freeze, carry_to=CARRY_TO)
        m.d.comb += [
            self.frozen.eq(high.read_frozen(self.number)),
            self.live.eq(high.read(1, self.number[:4])),
            self.carries.eq(high.carries),
        ]
        return m


def test_no_carry_is_lost_or_frozen_too_early(seed: int) -> None:
    dut, reset, rng = Highs(), Signal(), random.Random(seed)
    m = Module()
    m.domains.sync = ClockDomain("sync")
    m.submodules.dut = ResetInserter(reset)(dut)
    frozen_unlike_live = 0

    async def bench(ctx: Any) -> None:
        nonlocal frozen_unlike_live
        live, frozen = [0] * ENTRIES, [0] * ENTRIES
        last_carry, last_freeze = [-99] * ENTRIES, -99
        for cycle in range(4000):
            busy = cycle // 200 % 2
            rising = [cycle - last >= 2 * ROW and rng.random() < (0.9 if busy else 0.01)
                      for last in last_carry]
            freeze = cycle - last_freeze > ROW and rng.random() < 0.1
            resets = cycle in (150, 2001)
            number = rng.randrange(ENTRIES)
            ctx.set(dut.rising, sum(bit << n for n, bit in enumerate(rising)))
            ctx.set(dut.freeze, freeze)
            ctx.set(dut.number, number)
            ctx.set(reset, resets)
            if cycle - last_freeze > ROW:
                assert ctx.get(dut.frozen) == frozen[number], (cycle, number)
            if number // ROW == 1:
                waits = (ctx.get(dut.carries) >> number & 1) << CARRY_TO.get(number, 0)
                assert (ctx.get(dut.live) + waits) % (1 << BITS) == live[number]
            if freeze:
                frozen, last_freeze = live[:], cycle
            for n, bit in enumerate(rising):
                if bit:
                    live[n] = (live[n] + (1 << CARRY_TO.get(n, 0))) % (1 << BITS)
                    last_carry[n] = cycle
            if resets:
                live, frozen = [0] * ENTRIES, [0] * ENTRIES
                last_carry, last_freeze = [-99] * ENTRIES, -99
            frozen_unlike_live += live != frozen
            await ctx.tick()

    run_block(m, bench)
    assert frozen_unlike_live > 1000
