# SPDX-License-Identifier: Apache-2.0
"""Bench of LinkHealth: RTL against the model, errors and windows at random."""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any

from gavel_model import link_health
from gavel_model.config import SwitchConfig
from gavel_model.link_health import LinkHealth as Model
from gavel_model.register_map import Counter
from gavel_rtl.link_health import LinkHealth
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.port_events import NOTHING
from gavel_tb.stimulus import CheckError, derived_random

_ERRORS = (Counter.LLR_TX_REPLAY, Counter.LLR_RX_REPLAY, Counter.LLR_TX_FLUSH, Counter.RX_ERR,
           Counter.RX_FCS, Counter.RX_FRAGMENT, Counter.RX_FRAMES, Counter.TX_FRAMES)


def check(config: SwitchConfig, seed: int, cycles: int = 3000) -> None:
    """Counts, errors and alarms in every cycle are as in the model.

    Raises
    ------
    CheckError
        At the first difference, or if there never was an alarm or a count.
    """
    rng = derived_random(seed, "link_health")
    block, model = LinkHealth(config), Model()
    found: Tally[str] = Tally()


    def limit() -> int:
        largest = link_health.LARGEST
        return rng.choice((0, 1, 2, rng.randrange(30) & largest, largest))

    async def bench(ctx: Any) -> None:
        seen, window, limits, share = NOTHING, 0, (0, 0), 0.0
        for cycle in range(cycles):
            where = f"cycle {cycle}"
            if cycle % 40 == 0:
                share = rng.choice((0, 0.02, 0.3, 1))
                limits = limit(), limit()
            ctx.set(block.seen.count, seen.count)
            begin = int(rng.random() < 0.02)
            drive(ctx, block, {"window": window, "begin": begin, "corrected_limit": limits[0],
                               "uncorrectable_limit": limits[1]})
            expect(f"{where}: errors", (ctx.get(block.corrected_now),
                                        ctx.get(block.uncorrectable_now)),
                   (link_health.corrected(seen), link_health.uncorrectable(seen)))
            expect(f"{where}: counts", (ctx.get(block.corrected), ctx.get(block.uncorrectable)),
                   (model.corrected, model.uncorrectable))
            alarms = model.step(seen, window=window, limits=limits,
                                window_written=bool(begin))
            expect(f"{where}: alarms", (ctx.get(block.corrected_alarm),
                                        ctx.get(block.uncorrectable_alarm)), tuple(alarms))
            found.update(name for name, alarm in alarms._asdict().items() if alarm)
            found["count"] += model.corrected + model.uncorrectable
            if begin:
                window = rng.choice((0, 1, 2, rng.randrange(1, 60)))
            seen = NOTHING._replace(count=sum(
                (rng.random() < share) << counter for counter in _ERRORS))
            await ctx.tick()

    run_block(block, bench)
    if len(found) < 3 or not all(found.values()):
        raise CheckError(f"seen: {dict(found)}")
