# SPDX-License-Identifier: Apache-2.0
"""Bench of LatencyHistogram: RTL against the model, frames at random."""

from __future__ import annotations

from itertools import count
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.latency_histogram import LatencyHistogram as Model
from gavel_rtl.latency_histogram import LatencyHistogram
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.queued_frames import QueuedFrames
from gavel_tb.snapshots import RandomSnapshots
from gavel_tb.stimulus import CheckError, derived_random

_SEEN = ("filed", "filed_voq", "opened", "opened_voq")


def check(config: SwitchConfig, seed: int, cycles: int = 1000) -> None:
    """All entries are as in the model after each snapshot.

    Raises
    ------
    CheckError
        At the first difference, or if a VC has but few latencies.
    """
    rng = derived_random(seed, "latency_histogram")
    frames, snapshots = QueuedFrames(config, rng), RandomSnapshots(rng, cycles)
    block, model = LatencyHistogram(config), Model(config)
    entries = 16 * config.vcs

    def look(ctx: Any, where: str, entry: int) -> int:
        named = int(rng.random() < 0.9)
        drive(ctx, block.read, {"latency": named, "entry": entry})
        value: int = ctx.get(block.value)
        expect(f"{where}: entry {entry}", value, model.read(entry) if named else 0)
        return model.read(entry)

    async def bench(ctx: Any) -> None:
        for cycle in count():
            freeze, seen = snapshots.next(), frames.next()
            drive(ctx, block.seen, {name: getattr(seen, name) for name in _SEEN})
            drive(ctx, block.seen, {"filed_cell": frames.filed_cell,
                                    "opened_cell": frames.opened_cell})
            ctx.set(block.freeze, freeze)
            if snapshots.settled:
                look(ctx, f"cycle {cycle}", rng.choice(
                    (rng.randrange(entries), rng.randrange(1 << 16))))
            if snapshots.finished:
                break
            model.step(seen, freeze)
            await ctx.tick()
        for vc in range(config.vcs):
            values = [look(ctx, "at the end", 16 * vc + n) for n in range(16)]
            if sum(value > 0 for value in values) < 2:
                raise CheckError(f"VC {vc} has too few latencies: {values}")

    run_block(block, bench)
