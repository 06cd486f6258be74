# SPDX-License-Identifier: Apache-2.0
"""Bench of StallAccount: RTL against the model, observations at random."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import ResetInserter, Signal

from gavel_model.config import SwitchConfig
from gavel_model.stall_account import STATES
from gavel_model.stall_account import StallAccount as Model
from gavel_rtl.stall_account import StallAccount
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.random_observations import RandomObservations, drive_observation
from gavel_tb.stimulus import CheckError, derived_random

_ROW = 16
_SETTLED = 23
"""Cycles from a freeze until it can be read."""


def check(config: SwitchConfig, seed: int, cycles: int = 1500) -> None:
    """What is blocked in every cycle, and all entries after each snapshot, are as in the model.

    Raises
    ------
    CheckError
        At the first difference, or if a state was never seen.
    """
    rng = derived_random(seed, "stall_account")
    observations = RandomObservations(config, rng)
    block, model, reset = StallAccount(config), Model(config), Signal()
    entries = _ROW * config.vcs
    counted = [0] * len(STATES)

    async def bench(ctx: Any) -> None:
        frozen = repeats = 0
        seen = observations.next()
        for cycle in range(cycles):
            where = f"cycle {cycle}"
            freeze = int(cycle - frozen >= _SETTLED and rng.random() < 0.02)
            entry = rng.choice((rng.randrange(entries), rng.randrange(1 << _ROW)))
            named = int(rng.random() < 0.9)
            if cycle - frozen >= _SETTLED:
                drive(ctx, block.read, {"stalls": named, "entry": entry})
                expect(f"{where}: entry {entry}", ctx.get(block.value),
                       model.read(entry) if named else 0)
            # Sometimes a VC stays as it is for long, so that one count rises as fast as it can.
            repeats -= 1
            if repeats < 0:
                seen = observations.next()
                repeats = rng.randint(1, 200) if rng.random() < 0.01 else 0
            drive_observation(ctx, block.seen, seen)
            ctx.set(block.freeze, freeze)
            expect(f"{where}: blocked", ctx.get(block.blocked), model.step(seen, freeze))
            if freeze:
                frozen = cycle
            resets = cycle == cycles // 3
            if resets:
                model.reset()
                # Before the first snapshot all entries are 0, whatever the memories hold.
                frozen = cycle - _SETTLED
            ctx.set(reset, resets)
            await ctx.tick()
        ctx.set(block.freeze, 1)
        model.step(seen, 1)
        await ctx.tick()
        ctx.set(block.freeze, 0)
        for _ in range(_SETTLED):
            await ctx.tick()
        ctx.set(block.read.stalls, 1)
        for entry in range(entries):
            ctx.set(block.read.entry, entry)
            value = ctx.get(block.value)
            expect(f"at the end: entry {entry}", value, model.read(entry))
            if entry % _ROW < len(STATES):
                counted[entry % _ROW] += value
        expect("the states add up", sum(counted), config.vcs * (cycles - cycles // 3 - 1))

    run_block(ResetInserter(reset)(block), bench)
    missing = [state for state, number in zip(STATES, counted, strict=True) if not number]
    if missing:
        raise CheckError(f"never seen: {', '.join(missing)}")
