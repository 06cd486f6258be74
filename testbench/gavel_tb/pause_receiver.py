# SPDX-License-Identifier: Apache-2.0
"""Bench of PauseReceiver: RTL against the model, PFC frames and settings at random."""

from __future__ import annotations

import random
from collections import Counter as Tally
from typing import Any

from gavel_model.alarm import Alarm
from gavel_model.config import SwitchConfig
from gavel_model.counters import Counters
from gavel_model.mac_control import PFC_CLASSES, PFC_TIME_BITS, Pause
from gavel_model.pause_receiver import PauseReceiver as Model
from gavel_model.register_map import QUANTUM_BITS, Counter, Port
from gavel_rtl.pause_receiver import PauseReceiver
from gavel_tb.block_sim import expect, run_block
from gavel_tb.flow_stimulus import Draw, RandomFlowSettings, Watched, due
from gavel_tb.stimulus import CheckError, derived_random

_PHASE = 150
_LONGEST_TIME = (1 << PFC_TIME_BITS) - 1


def check(config: SwitchConfig, seed: int, cycles: int = 5000) -> None:
    """What is paused, and when the watchdog bites, is as in the model in every cycle.

    Raises
    ------
    CheckError
        At the first difference, or if something was never seen.
    """
    rng = derived_random(seed, "pause_receiver")
    settings = RandomFlowSettings(config, rng, _draws(config))
    counters, alarm = Counters(), Alarm()
    model = Model(config, settings.model, counters, alarm)
    # PFC_RX is counted by the model as the frame is taken, and by MacControlReceiver in the RTL.
    watched = Watched(counters, frozenset({Counter.PFC_WATCHDOG}))
    block = PauseReceiver(config)
    seen: Tally[str] = Tally()

    async def bench(ctx: Any) -> None:
        frames = changes = 0.0
        longest = 1
        paused_before = bites = 0
        pause: Pause | None = None
        settings.change_all()
        model.settings_changed(-1)
        for now in range(cycles):
            where = f"cycle {now}"
            if now % _PHASE == 1:
                frames, changes = rng.choice((0.01, 0.1, 0.5)), rng.choice((0.0, 0.0, 0.05))
                longest = rng.choice((2, 5, 40, _LONGEST_TIME))
            settings.drive(ctx, (block.settings,))
            changing = now % _PHASE == 0 or rng.random() < changes
            alarm.now |= changing
            before, pause = pause, _pause(rng, longest) if rng.random() < frames else None
            _drive(ctx, block, pause, before)
            paused = ctx.get(block.paused)
            expect(f"{where}: paused", bin(paused), bin(model.paused))
            seen["a pause begins"] += (paused & ~paused_before) != 0
            seen["a pause ends"] += (paused_before & ~paused) != 0
            # Nothing but a pause that goes on ends the time in which no pause is kept.
            seen["restored"] += bool(bites) and not paused
            paused_before = paused
            if pause is not None:
                model.take(pause, now)
            if due(alarm, now):
                model.step(now)
                alarm.at = model.wake_at(now)
            bites = ctx.get(block.count)
            watched.check(where, bites)
            if changing:
                if now % _PHASE:
                    settings.change()
                else:
                    settings.change_all()
                model.settings_changed(now)
                alarm.now = True
            settings.drive_coming(ctx, block.settings, block.classes)
            await ctx.tick()

    run_block(block, bench)
    missing = watched.never() + [what for what in ("a pause begins", "a pause ends", "restored")
                                 if not seen[what]]
    if missing:
        raise CheckError(f"never seen: {', '.join(missing)}")


def _draws(config: SwitchConfig) -> dict[int, Draw]:
    every = (1 << config.vcs) - 1
    quantum = QUANTUM_BITS // config.data_width
    return {
        Port.PFC_CONTROL: lambda rng: rng.choice((every, every, rng.getrandbits(config.vcs))),
        Port.PFC_WATCHDOG: lambda rng: rng.choice((0, 1, 2, rng.randrange(40 * quantum))),
        Port.PFC_RESTORE: lambda rng: rng.choice((0, 1, rng.randrange(40))),
        Port.VC_MAP: lambda rng: rng.choice((rng.getrandbits(32), 0x76543210, 0x11110000)),
    }


def _pause(rng: random.Random, longest: int) -> Pause:
    enabled = rng.choice((0xFF, rng.getrandbits(PFC_CLASSES), 1 << rng.randrange(PFC_CLASSES)))
    return Pause(enabled, tuple(rng.choice((0, 1, rng.randint(0, longest)))
                                for _ in range(PFC_CLASSES)))


def _drive(ctx: Any, block: PauseReceiver, pause: Pause | None, before: Pause | None) -> None:
    """A frame, and the times of the one of the cycle before."""
    ctx.set(block.pause.valid, int(pause is not None))
    if before is not None:
        for element, time in zip(block.pause.times, before.times, strict=True):
            ctx.set(element, time)
    if pause is not None:
        ctx.set(block.pause.enabled, pause.enabled)
        ctx.set(block.pause.lasts, sum((time > 0) << n for n, time in enumerate(pause.times)))
