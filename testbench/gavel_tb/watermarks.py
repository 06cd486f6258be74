# SPDX-License-Identifier: Apache-2.0
"""Bench of Watermarks: RTL against the model, levels at random."""

from __future__ import annotations

import random
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.observation import Observation
from gavel_model.register_map import CREDIT_BITS
from gavel_model.watermarks import Watermarks as Model
from gavel_rtl.watermarks import Watermarks
from gavel_tb.block_sim import expect, run_block
from gavel_tb.stimulus import derived_random


def _levels(config: SwitchConfig, rng: random.Random) -> Observation:
    """Now near the lower end, now near the upper one."""
    def level(largest: int) -> int:
        return rng.choice((0, largest, rng.randint(0, largest), rng.randint(0, largest) >> 3))

    return Observation(
        cells=level(config.buffer_cells),
        vc_cells=tuple(level(config.buffer_cells) for _ in range(config.vcs)),
        credits_used=tuple(level((1 << CREDIT_BITS) - 1) for _ in range(config.vcs)))


def check(config: SwitchConfig, seed: int, cycles: int = 500) -> None:
    """All watermarks are as in the model in every cycle.

    Raises
    ------
    CheckError
        At the first difference.
    """
    rng = derived_random(seed, "watermarks")
    block, model = Watermarks(config), Model(config)

    async def bench(ctx: Any) -> None:
        for cycle in range(cycles):
            where = f"cycle {cycle}"
            expect(f"{where}: cells", ctx.get(block.cells), model.cells)
            expect(f"{where}: vc_cells", list(map(ctx.get, block.vc_cells)), model.vc_cells)
            expect(f"{where}: credits_used", list(map(ctx.get, block.credits_used)),
                   model.credits_used)
            seen, clear = _levels(config, rng), int(rng.random() < 0.2)
            ctx.set(block.clear, clear)
            ctx.set(block.seen.cells, seen.cells)
            for name in ("vc_cells", "credits_used"):
                for element, value in zip(getattr(block.seen, name), getattr(seen, name),
                                          strict=True):
                    ctx.set(element, value)
            model.step(seen, clear)
            await ctx.tick()

    run_block(block, bench)
