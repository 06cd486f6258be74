# SPDX-License-Identifier: Apache-2.0
"""LinkTx against a queue."""

import random
from collections import deque

import pytest
from amaranth.sim import Simulator

from gavel_model.loader import load_config
from gavel_rtl.link_tx import LinkTx

NOTHING = (0, 0, 0, 0)
"""sop, eop, empty, data."""


@pytest.mark.parametrize("ready_share", [0.1, 0.5, 0.9, 1.0])
def test_link_tx_is_a_register_and_a_queue(ready_share):
    dut = LinkTx(load_config("tiny"))
    rng = random.Random(ready_share)

    async def bench(ctx):
        shown, queue = None, deque()
        held = [False, False, False]
        deepest = 0
        ctx.set(dut.enable, 1)
        for cycle in range(2000):
            link = dut.link
            assert ctx.get(link.valid) == (shown is not None), cycle
            assert (ctx.get(link.sop), ctx.get(link.eop), ctx.get(link.empty),
                    ctx.get(link.data)) == (shown or NOTHING), cycle
            hold = len(queue) >= 4
            assert ctx.get(dut.hold) == hold, cycle
            assert ctx.get(link.up) == 1
            # An input obeys the hold of two cycles ago: that long its words are on their way.
            held = [hold, *held[:2]]
            word = None
            if not held[2] and rng.random() < 0.9:
                word = (rng.randrange(2), rng.randrange(2), rng.randrange(8), rng.getrandbits(64))
            ready = rng.random() < ready_share
            ctx.set(dut.word.valid, word is not None)
            for name, value in zip(("sop", "eop", "empty", "data"), word or NOTHING, strict=True):
                ctx.set(getattr(dut.word, name), value)
            ctx.set(link.ready, ready)
            if word is not None:
                queue.append(word)
            if shown is None or ready:
                shown = queue.popleft() if queue else None
            deepest = max(deepest, len(queue))
            await ctx.tick()
        assert deepest <= 6
        if ready_share == 0.1:
            assert deepest == 6

    simulator = Simulator(dut)
    simulator.add_clock(1e-9)
    simulator.add_testbench(bench)
    simulator.run()
