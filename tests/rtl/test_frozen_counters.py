# SPDX-License-Identifier: Apache-2.0
"""Frozen counters against a list and its copy, with resets in the middle."""

from __future__ import annotations

import random
from typing import Any

import pytest
from amaranth.hdl import ResetInserter, Signal

from gavel_rtl.lib.frozen_counters import FrozenCounters
from gavel_rtl.lib.large_frozen_counters import LargeFrozenCounters
from gavel_tb.block_sim import drive, run_block

LARGE_SETTLED = 19
"""Cycles from a freeze of large counters until they can be read, or frozen again."""


@pytest.mark.parametrize(("kind", "settled", "entries", "bits", "amount_bits"), [
    (FrozenCounters, 0, 2, 5, 1), (FrozenCounters, 0, 33, 8, 9),
    (LargeFrozenCounters, LARGE_SETTLED, 2, 8, 1), (LargeFrozenCounters, LARGE_SETTLED, 21, 17, 9)])
def test_frozen_counters(seed: int, kind: type, settled: int, entries: int, bits: int,
                         amount_bits: int) -> None:
    dut, reset = kind(entries, bits, amount_bits), Signal()
    rng = random.Random(f"{seed} {entries}")
    frozen_unlike_live = frozen_and_added = 0

    async def bench(ctx: Any) -> None:
        nonlocal frozen_unlike_live, frozen_and_added
        live, frozen = [0] * entries, [0] * entries
        last = -settled
        for cycle in range(1500):
            resets = cycle in (200, 201, 700)
            address = rng.choice((rng.randrange(entries), rng.randrange(min(entries, 3))))
            amount = rng.choice((0, rng.getrandbits(amount_bits), (1 << amount_bits) - 1))
            carries = (live[address] + amount ^ live[address]) >> amount_bits + 4
            often = carries or cycle % 100 < 10
            freeze = cycle - last >= settled and rng.random() < (0.5 if often else 0.02)
            shown = rng.choice((address, rng.randrange(entries)))
            drive(ctx, dut, {"address": address, "amount": amount, "freeze": freeze,
                             "shown": shown})
            ctx.set(reset, resets)
            if cycle - last >= settled:
                assert ctx.get(dut.value) == frozen[shown], (cycle, shown)
            await ctx.tick()
            live[address] = (live[address] + amount) % (1 << bits)
            if freeze:
                frozen, last = live[:], cycle
                frozen_and_added += amount > 0
            if resets:
                live, frozen = [0] * entries, [0] * entries
                last = -settled
            frozen_unlike_live += live != frozen

    run_block(ResetInserter(reset)(dut), bench)
    assert frozen_unlike_live > 100
    assert frozen_and_added > 5
