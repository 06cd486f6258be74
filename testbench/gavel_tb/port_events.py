# SPDX-License-Identifier: Apache-2.0
"""Bench of PortEvents: RTL against the model, observations, alarms and writes at random."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.observation import Observation
from gavel_model.port_events import PortEvents as Model
from gavel_model.telemetry_map import TelemetryPortEvents
from gavel_rtl.port_events import EVENT_BITS, PortEvents
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.random_observations import RandomObservations, drive_observation
from gavel_tb.stimulus import CheckError, derived_random

NOTHING = Observation(up=0)
"""What stands in the place of an observation in the first cycle after reset."""


def check(config: SwitchConfig, seed: int, cycles: int = 1500) -> None:
    """The register in every cycle is as in the model.

    Raises
    ------
    CheckError
        At the first difference, or if an event was never seen to begin.
    """
    rng = derived_random(seed, "port_events")
    observations = RandomObservations(config, rng)
    block, model = PortEvents(config), Model()
    begun = 0

    async def bench(ctx: Any) -> None:
        nonlocal begun
        seen, limit = NOTHING, rng.randrange(config.buffer_cells)
        for cycle in range(cycles):
            expect(f"cycle {cycle}: events", ctx.get(block.events), model.events)
            if rng.random() < 0.05:
                limit = rng.choice((0, 0x1FFFF, rng.randrange(config.buffer_cells + 2)))
            inputs = {
                "cells_limit": limit,
                "corrected_alarm": int(rng.random() < 0.1),
                "uncorrectable_alarm": int(rng.random() < 0.1),
                "clear": rng.choice((0, 0, rng.getrandbits(EVENT_BITS), model.events)),
            }
            drive(ctx, block, inputs)
            if cycle:
                drive_observation(ctx, block.seen, seen)
            before = model.events & ~inputs["clear"]
            model.step(seen, cells_limit=limit, clear=inputs["clear"],
                       corrected_alarm=bool(inputs["corrected_alarm"]),
                       uncorrectable_alarm=bool(inputs["uncorrectable_alarm"]))
            begun |= model.events & ~before
            seen = observations.next()
            # Half of all counters count in some times: events would never cease.
            if rng.random() < 0.7:
                seen = seen._replace(count=0)
            await ctx.tick()

    run_block(block, bench)
    never = [event.name for event in TelemetryPortEvents if not begun >> event & 1]
    if never:
        raise CheckError(f"never seen: {', '.join(never)}")
