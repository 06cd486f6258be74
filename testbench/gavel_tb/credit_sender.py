# SPDX-License-Identifier: Apache-2.0
"""Bench of CreditSender: RTL and its CreditGate against the model, frames, CF_Updates and settings
at random."""

from __future__ import annotations

import random
from collections import Counter as Tally
from collections import deque
from dataclasses import replace
from typing import Any

from amaranth.hdl import Module

from gavel_model.alarm import Alarm
from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.counters import Counters
from gavel_model.credit_sender import CreditSender as Model
from gavel_model.late_credit_sender import LateCreditSender as LateModel
from gavel_model.ordered_set import CF_BITS, VC_BITS, CreditUpdate
from gavel_model.probes import CREDIT_TX_BITS
from gavel_model.register_map import CREDIT_BITS, Counter, Port
from gavel_rtl.credit_gate import CreditGate
from gavel_rtl.credit_sender import CreditSender
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.flow_stimulus import Draw, RandomFlowSettings, Watched, control, due, unit
from gavel_tb.stimulus import CheckError, derived_random

_PHASE = 200
_LONGEST = 9216
_CF_MASK = (1 << CF_BITS) - 1


def check(config: SwitchConfig, seed: int, cycles: int = 4000) -> None:
    """State, and the VCs that may send, are those of the model in every cycle.

    Lengths of frames have nothing to do with the number of their words here, so that counts wrap.

    Raises
    ------
    CheckError
        At the first difference, or if something was never seen.
    """
    rng = derived_random(seed, "credit_sender")
    config = replace(config, max_frame_bytes=rng.choice((256, 1500, _LONGEST)),
                     buffer_cells=1024, replay_cells=1024)
    settings = RandomFlowSettings(config, rng, _draws(config))
    counters, alarm = Counters(), Alarm()
    late = config.gate_stages
    model = (LateModel if late else Model)(config, settings.model, counters, alarm)
    watched = Watched(counters, frozenset({Counter.CBFC_RX_CF_UPDATE, Counter.CBFC_RX_CF_ERROR}))
    block, gate, top = CreditSender(config), CreditGate(config), Module()
    top.submodules.credit_sender = block
    top.submodules.credit_gate = gate
    seen: Tally[str] = Tally()

    def switch_credits() -> None:
        settings.write(Port.CBFC_CONTROL, control(rng, config.vcs))

    def near_the_limits() -> None:
        """Limits with room for a few longest frames beside what is in use."""
        longest = settings.model.longest
        for offset, used in ((Port.CBFC_TOTAL_LIMIT, sum(model.used)),
                             *((Port.CBFC_LIMIT + vc, used) for vc, used in enumerate(model.used))):
            settings.write(offset, min(used + rng.randrange(4 * longest), (1 << CREDIT_BITS) - 1))

    async def bench(ctx: Any) -> None:
        frames: deque[tuple[int, int, int]] = deque()
        free_at = last = 0
        known = (0, 0)
        obey = changes = updates = resync = 0.0
        settings.change_all()
        model.settings_changed(-1)
        for now in range(cycles):
            where = f"cycle {now}"
            if now % _PHASE == 1:
                obey, updates = rng.choice((0.9, 1.0)), rng.choice((0.02, 0.3))
                changes, resync = rng.choice((0.0, 0.02, 0.2)), rng.choice((0.0, 0.02))
                for vc in range(config.vcs):
                    _near_the_wrap(ctx, rng, block, model, vc)
            settings.drive(ctx, (block.settings, gate.settings))
            changing = now % _PHASE == 0 or rng.random() < changes
            if changing:
                model.before_write()
                alarm.now = True
            # None that would stand in a register while `_near_the_wrap` sets the counts.
            item = (_update(rng, config, settings, model)
                    if rng.random() < updates and -now % _PHASE >= late else None)
            _drive_update(ctx, block, item)
            for vc, used in enumerate(block.used):
                ctx.set(gate.used[vc], ctx.get(used))
            ctx.set(gate.vc_before, last)

            expect(f"{where}: state", hex(_state(ctx, block)), hex(model.packed.value))
            sender, fits = settings.model.sender, ctx.get(gate.fits)
            if late:
                # FlowControl keeps them in a register, behind which the gate adds a match; or the
                # gate has been at it since the cycle before.
                known, (sender, earlier) = (sender, fits), known
                fits = earlier & ~ctx.get(gate.overdrawn) if late == 1 else fits
            # After reset nothing fits for as many cycles; no credits are on then.
            if now > 2 * late:
                fits &= sender
                expect(f"{where}: fits", bin(fits), bin(model.fits & sender))
                seen["fits"] += fits != 0
                seen["does not fit"] += fits != sender
                seen["together"] += bool(fits) and settings.model.total
            seen["waiting"] += model.waiting != 0

            if item is not None:
                model.update(item)
            vc = rng.randrange(config.vcs)
            free = now >= free_at and rng.random() < 0.8
            fit = not settings.model.sender >> vc & 1 or model.fits >> vc & 1
            matched = free and (fit or rng.random() > obey)
            last = matched << vc
            if matched:
                model.matched(vc, now)
                length = rng.randint(MIN_FRAME_BYTES, config.max_frame_bytes)
                frames.append((now + config.match_to_egress, vc, length))
                free_at = now + rng.choice((1, 1, 2, 5)) * MIN_FRAME_BYTES // config.word_bytes
            sent = bool(frames) and frames[0][0] == now
            drive(ctx, block, {"sent": int(sent), "sent_vc": 0, "sent_length": 0})
            if sent:
                _, vc, length = frames.popleft()
                drive(ctx, block, {"sent_vc": vc, "sent_length": length})
                model.sent(vc, length)
            established = rng.random() < resync
            ctx.set(block.established, int(established))
            resynchronise = established and settings.model.resync
            alarm.now |= resynchronise
            if due(alarm, now):
                model.step(now, resynchronise)
            watched.check(where, ctx.get(block.count))
            if changing:
                if now % _PHASE == 0:
                    settings.change_all()
                else:
                    rng.choice((settings.change, switch_credits, near_the_limits))()
                model.settings_changed(now)
                alarm.now = True
            settings.drive_coming(ctx, block.settings)
            await ctx.tick()

    run_block(top, bench)
    missing = watched.never() + [what for what in ("fits", "does not fit", "together", "waiting")
                                 if not seen[what]]
    if missing:
        raise CheckError(f"never seen: {', '.join(missing)}")


def _draws(config: SwitchConfig) -> dict[int, Draw]:
    # The longest frame in the least credits.
    longest = -(-(config.max_frame_bytes + 127) // 32)

    def limit(rng: random.Random) -> int:
        return rng.choice((rng.randrange(longest + 2), rng.randrange(9 * longest), 0xFFFFF))

    return {
        Port.CBFC_CONTROL: lambda rng: control(rng, config.vcs),
        Port.CBFC_SENDER: unit,
        Port.CBFC_TOTAL_LIMIT: limit,
        **{Port.CBFC_LIMIT + vc: limit for vc in range(config.vcs)},
    }


def _state(ctx: Any, block: CreditSender) -> int:
    """Probe point ``credit_tx``."""
    waiting = ctx.get(block.waiting)
    return sum((ctx.get(consumed) | ctx.get(used) << CREDIT_BITS
                | (waiting >> vc & 1) << 2 * CREDIT_BITS) << vc * CREDIT_TX_BITS
               for vc, (consumed, used) in enumerate(zip(block.consumed, block.used, strict=True)))


def _near_the_wrap(ctx: Any, rng: random.Random, block: CreditSender, model: Model,
                   vc: int) -> None:
    """A long run's count of consumed credits."""
    before = model.consumed[vc]
    after = rng.choice((before, -rng.randrange(1, 40) & (1 << CREDIT_BITS) - 1,
                        rng.randrange(1, 32) << CF_BITS))
    ctx.set(block.consumed[vc], after)
    model.consumed[vc] = after
    model.packed.put(vc, after | model.used[vc] << CREDIT_BITS
                     | (model.waiting >> vc & 1) << 2 * CREDIT_BITS)


def _update(rng: random.Random, config: SwitchConfig, settings: RandomFlowSettings,
            model: Model) -> CreditUpdate:
    """A CF_Update with counts in and out of what can be."""
    def entry() -> tuple[int, int]:
        vc = rng.randrange(config.vcs)
        if rng.random() < 0.03:
            return rng.randrange(1 << VC_BITS), rng.getrandbits(CF_BITS)
        used = model.used[vc]
        if model.waiting >> vc & 1:
            limits = settings.model
            limit = limits.total_limit if limits.total else limits.limits[vc]
            in_use = rng.choice((0, limit, limit + 1, rng.randint(0, limit)))
            return vc, model.consumed[vc] - in_use & _CF_MASK
        returned = rng.choice((used, rng.randint(0, used), rng.randint(0, used),
                               rng.choice((0, used + 1, -1, rng.getrandbits(CF_BITS)))))
        return vc, model.freed(vc) + returned & _CF_MASK

    first, second = entry(), entry()
    if rng.random() < 0.3:
        second = first if rng.random() < 0.5 else (first[0], rng.getrandbits(CF_BITS))
    return CreditUpdate(*first, *second)


def _drive_update(ctx: Any, block: CreditSender, item: CreditUpdate | None) -> None:
    ctx.set(block.credits.valid, int(item is not None))
    if item is not None:
        drive(ctx, block.credits, item._asdict())
