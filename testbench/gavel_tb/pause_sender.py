# SPDX-License-Identifier: Apache-2.0
"""Bench of PauseSender: RTL against the model, cells of VCs and settings at random."""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any

from gavel_model.alarm import Alarm
from gavel_model.config import SwitchConfig
from gavel_model.mac_control import PFC_TIME_BITS
from gavel_model.pause_sender import PauseSender as Model
from gavel_model.register_map import PfcControl, Port
from gavel_rtl.pause_sender import PauseSender
from gavel_tb.block_sim import expect, run_block
from gavel_tb.flow_stimulus import Draw, RandomFlowSettings, due
from gavel_tb.stimulus import CheckError, derived_random

_PHASE = 150


def check(config: SwitchConfig, seed: int, cycles: int = 5000) -> None:
    """Which VCs are to pause, and when a frame is wanted, is as in the model in every cycle, but
    for ``wanted`` behind a frame that was taken, in which none can be.

    Raises
    ------
    CheckError
        At the first difference, or if something was never seen.
    """
    rng = derived_random(seed, "pause_sender")
    settings = RandomFlowSettings(config, rng, _draws(config))
    alarm = Alarm()
    model = Model(config, settings.model, alarm)
    block = PauseSender(config)
    seen: Tally[str] = Tally()

    async def bench(ctx: Any) -> None:
        moves = taking = changes = 0.0
        cells = [0] * config.vcs
        quiet = taken = False
        settings.change_all()
        for now in range(cycles):
            where = f"cycle {now}"
            if now % _PHASE == 1:
                moves, taking = rng.choice((0.0, 0.05, 0.8)), rng.choice((0.1, 0.5, 1.0))
                changes = rng.choice((0.0, 0.0, 0.05))
            settings.drive(ctx, (block.settings,))
            changing = now % _PHASE == 0 or rng.random() < changes
            alarm.now |= changing
            for element, number in zip(block.vc_cells, cells, strict=True):
                ctx.set(element, number)
            xoff, wanted = ctx.get(block.xoff), model.wanted if taken else ctx.get(block.wanted)
            expect(f"{where}: xoff, wanted", (bin(xoff), wanted), (bin(model.xoff), model.wanted))
            taken = bool(wanted) and not taken and rng.random() < taking
            ctx.set(block.taken, int(taken))
            alarm.now |= taken
            if due(alarm, now):
                model.step(now, cells, taken)
                alarm.at = model.wake_at(now)
            changed = model.xoff != xoff
            seen["asked again"] += quiet and model.wanted and not changed
            seen["change while one is taken"] += taken and changed
            quiet = bool(model.xoff) and not model.wanted
            if rng.random() < moves:
                vc = rng.randrange(config.vcs)
                step = rng.choice((-3, -1, 1, 3))
                cells[vc] = min(max(cells[vc] + step, 0), config.buffer_cells)
                model.look(vc, cells[vc])
            if changing:
                if now % _PHASE:
                    settings.change()
                else:
                    settings.change_all()
                alarm.now = True
            await ctx.tick()

    run_block(block, bench)
    missing = [what for what in ("asked again", "change while one is taken") if not seen[what]]
    if missing:
        raise CheckError(f"never seen: {', '.join(missing)}")


def _draws(config: SwitchConfig) -> dict[int, Draw]:
    cells, every = config.buffer_cells, (1 << config.vcs) - 1
    return {
        Port.PFC_CONTROL: lambda rng: rng.choice(
            (every, every, every, rng.getrandbits(config.vcs))) << PfcControl.TRANSMIT,
        Port.PFC_XOFF: lambda rng: rng.choice((0, rng.randrange(cells + 2), rng.randrange(8))),
        Port.PFC_XON: lambda rng: rng.choice((rng.randrange(cells), rng.randrange(8))),
        Port.PFC_TIME: lambda rng: rng.choice((0, 1, 2, 7, rng.randrange(40),
                                               (1 << PFC_TIME_BITS) - 1)),
    }
