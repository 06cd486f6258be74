# SPDX-License-Identifier: Apache-2.0
"""A timer of LlrTimers against its definition, with limits that it reaches at once. The timers as
they are used run in tests/sim/test_blocks.py, where a limit of 1 right behind a restart is rare."""

from __future__ import annotations

import random

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import TIMER_BITS
from gavel_rtl.llr_timers import LlrTimers


class Timer(wiring.Component):
    """One timer between pins."""

    def __init__(self) -> None:
        super().__init__({
            **dict.fromkeys(("kept_up", "runs", "restarted"), In(1)),
            "limit": In(TIMER_BITS),
            "reached": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        reached = LlrTimers._time(m, "timer", self.kept_up, self.runs, self.limit, self.restarted)
        m.d.comb += self.reached.eq(reached)
        return m


def test_a_limit_is_reached_in_its_cycle(simulate, seed: int) -> None:
    dut = Timer()
    rng = random.Random(seed)

    async def bench(ctx, sync) -> None:
        value, seen = 0, set()
        for cycle in range(4000):
            given = {"kept_up": rng.random() < 0.8, "runs": rng.random() < 0.8,
                     "restarted": rng.random() < 0.2, "limit": rng.randrange(5)}
            for name, what in given.items():
                ctx.set(getattr(dut, name), what)
            value = 0 if given["restarted"] else value
            after = value + given["runs"] if given["kept_up"] else 0
            reached = bool(given["kept_up"] and 0 < given["limit"] <= after)
            assert ctx.get(dut.reached) == reached, f"cycle {cycle}: {given}, at {value}"
            seen.add((given["restarted"], given["limit"], reached))
            value = after
            await ctx.tick()
        assert {(True, 1, True), (True, 2, False), (False, 4, True)} <= seen

    simulate(dut, bench)
