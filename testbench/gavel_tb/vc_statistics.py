# SPDX-License-Identifier: Apache-2.0
"""Bench of VcStatistics: RTL against the model, observations at random."""

from __future__ import annotations

from itertools import count
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.vc_statistics import VcStatistics as Model
from gavel_rtl.vc_statistics import VcStatistics
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.random_observations import RandomObservations, drive_observation
from gavel_tb.snapshots import RandomSnapshots
from gavel_tb.stimulus import CheckError, derived_random

_LOW = 32
"""What the low bits of a counter hold."""


def check(config: SwitchConfig, seed: int, cycles: int = 700) -> None:
    """Entries of both tables are as in the model after each snapshot.

    Raises
    ------
    CheckError
        At the first difference, or if a counter has not moved, or all of a kind only a little.
    """
    rng = derived_random(seed, "vc_statistics")
    observations, snapshots = RandomObservations(config, rng), RandomSnapshots(rng, cycles)
    block, model = VcStatistics(config), Model(config)
    entries = 4 * config.vcs

    async def look(ctx: Any, where: str, table: int, entry: int) -> int:
        read = (model.read_ingress, model.read_egress)[table]
        drive(ctx, block.read, {"ingress": table == 0, "egress": table == 1, "entry": entry})
        value: int = ctx.get(block.value)
        expect(f"{where}: table {table}, entry {entry}", value, read(entry))
        return value

    async def bench(ctx: Any) -> None:
        for cycle in count():
            freeze, seen = snapshots.next(), observations.next()
            drive_observation(ctx, block.seen, seen)
            ctx.set(block.freeze, freeze)
            if snapshots.settled:
                await look(ctx, f"cycle {cycle}", rng.randrange(2), rng.choice(
                    (rng.randrange(entries), rng.randrange(1 << 16))))
            if snapshots.finished:
                break
            model.step(seen, freeze)
            await ctx.tick()
        for table, kinds in enumerate((3, 2)):
            for kind in range(kinds):
                values = [await look(ctx, "at the end", table, 4 * v + kind)
                          for v in range(config.vcs)]
                if not min(values) or max(values) < _LOW:
                    raise CheckError(f"table {table}, kind {kind}: not enough of {values}")
        drive(ctx, block.read, {"ingress": 0, "egress": 0, "entry": 0})
        expect("no table", ctx.get(block.value), 0)

    run_block(block, bench)
