# SPDX-License-Identifier: Apache-2.0
"""Bench of VoqLevels: RTL against the model, frames at random."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.voq_levels import VoqLevels as Model
from gavel_rtl.voq_levels import VoqLevels
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.queued_frames import QueuedFrames
from gavel_tb.stimulus import CheckError, derived_random

_SEEN = ("filed", "filed_voq", "filed_cells", "opened", "opened_voq", "opened_cells")


def check(config: SwitchConfig, seed: int, cycles: int = 800) -> None:
    """Any entry in any cycle is as in the model.

    Raises
    ------
    CheckError
        At the first difference, or if no VOQ gained and lost a frame in one cycle, or no watermark
        was above what is left.
    """
    rng = derived_random(seed, "voq_levels")
    frames = QueuedFrames(config, rng)
    block, model = VoqLevels(config), Model(config)
    entries = 2 * config.voqs
    above = 0

    async def bench(ctx: Any) -> None:
        nonlocal above
        for cycle in range(cycles):
            seen, clear = frames.next(), int(rng.random() < 0.02)
            drive(ctx, block.seen, {name: getattr(seen, name) for name in _SEEN})
            ctx.set(block.clear, clear)
            named = int(rng.random() < 0.95)
            for entry in (2 * seen.filed_voq, 2 * seen.filed_voq + 1, rng.randrange(entries),
                          rng.randrange(1 << 16)):
                drive(ctx, block.read, {"voq": named, "entry": entry})
                expect(f"cycle {cycle}: entry {entry}", ctx.get(block.value),
                       model.read(entry) if named else 0)
            above += model.read(2 * seen.filed_voq + 1) > model.read(2 * seen.filed_voq) > 0
            model.step(seen, clear)
            await ctx.tick()

    run_block(block, bench)
    if not frames.both or not above:
        raise CheckError(f"never seen: gained and lost {frames.both}, above {above}")
