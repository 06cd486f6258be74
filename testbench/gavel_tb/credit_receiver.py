# SPDX-License-Identifier: Apache-2.0
"""Bench of CreditReceiver: RTL and its CreditReporter against the model, frames and CC_Updates at
random."""

from __future__ import annotations

import random
from collections import Counter as Tally
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

from amaranth.hdl import Module

from gavel_model.alarm import Alarm
from gavel_model.config import CF_SPACING_BITS, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.counters import Counters
from gavel_model.credit_receiver import CreditReceiver as Model
from gavel_model.late_credit_receiver import LateCreditReceiver as LateModel
from gavel_model.mac_control import CC_VCS, CreditCounts
from gavel_model.probes import CREDIT_RX_BITS
from gavel_model.register_map import CREDIT_BITS, Counter, Port
from gavel_rtl.credit_receiver import CreditReceiver
from gavel_rtl.credit_reporter import CreditReporter
from gavel_tb.block_sim import expect, run_block
from gavel_tb.flow_stimulus import Draw, RandomFlowSettings, Watched, control, due, unit
from gavel_tb.stimulus import CheckError, derived_random

_PHASE = 200
_FARTHEST = (1 << CF_SPACING_BITS) - 1
_LONGEST = 9216
_CREDIT_MASK = (1 << CREDIT_BITS) - 1
_FRAMES = 40


@dataclass(frozen=True)
class _Frame:
    vc: int
    length: int
    cells: int


def check(config: SwitchConfig, seed: int, cycles: int = 2500) -> None:
    """State is that of the model in every cycle, and what CF_Update says in those in which it is
    asked for.

    Raises
    ------
    CheckError
        At the first difference, or if something was never seen.
    """
    rng = derived_random(seed, "credit_receiver")
    cells = 1 << 13
    config = replace(config, max_frame_bytes=rng.choice((256, 1500, _LONGEST)),
                     buffer_cells=cells, replay_cells=1024)
    settings = RandomFlowSettings(config, rng, _draws(config))
    counters, alarm = Counters(), Alarm()
    late = config.gate_stages > 1
    model = (LateModel if late else Model)(config, settings.model, counters, alarm)
    # Those of MacControlReceiver are counted by the model as the CC_Update is taken.
    watched = Watched(counters, frozenset({Counter.CBFC_RX_RECOVERED, Counter.CBFC_RX_CC_ERROR}))
    block, reporter, top = CreditReceiver(config), CreditReporter(config), Module()
    top.submodules.credit_receiver = block
    top.submodules.credit_reporter = reporter
    seen: Tally[str] = Tally()

    async def bench(ctx: Any) -> None:
        buffer: list[_Frame] = []
        ended: tuple[_Frame, bool] | None = None
        left: _Frame | None = None
        counts: CreditCounts | None = None
        vc_cells = [0] * config.vcs
        # The part of ControlTransmitter that is here: bytes since the last CF_Update.
        since = _FARTHEST
        arrive = leave = told = taken = changes = 0.0
        recent: deque[CreditCounts] = deque(maxlen=4)
        settings.change_all()
        model.settings_changed(-1)
        for now in range(cycles):
            where = f"cycle {now}"
            if now % _PHASE == 1:
                arrive, leave = rng.choice((0.1, 0.5, 1.0)), rng.choice((0.1, 0.5, 1.0))
                told, taken = rng.choice((0.2, 1.0)), rng.choice((0.0, 0.05, 0.5))
                changes = rng.choice((0.0, 0.02))
                for vc in range(config.vcs):
                    _near_the_wrap(ctx, rng, block, model, vc)
            settings.drive(ctx, (block.settings,))
            ctx.set(reporter.receiver, settings.model.receiver)
            ctx.set(reporter.receives, settings.model.receiver != 0)
            changing = now % _PHASE == 0 or rng.random() < changes
            if changing:
                model.before_write()
                alarm.now = True
            for element, number in zip(block.vc_cells, vc_cells, strict=True):
                ctx.set(element, number)
            ctx.set(block.counted.vcs, 0 if ended is None else 1 << ended[0].vc)
            if ended is not None:
                ctx.set(block.counted.filed, int(ended[1]))
            ctx.set(block.freed.vcs, 0 if left is None else 1 << left.vc)
            for each in (block, reporter):
                ctx.set(each.cc_update, int(counts is not None))
            if counts is not None:
                for element, number in zip(block.cc, counts.consumed, strict=False):
                    ctx.set(element, number)
            for element, value in zip(reporter.released, block.released, strict=True):
                ctx.set(element, ctx.get(value))

            expect(f"{where}: state", hex(_state(ctx, block)), hex(model.packed.value))
            request, own = reporter.request, settings.model
            asked = bool(ctx.get(request.enabled)) and (
                (bool(ctx.get(request.pending)) and since >= own.cf_min) or since >= own.cf_max)
            expect(f"{where}: asked", asked, now >= model.request_at)
            sent = asked and rng.random() < told
            if asked:
                wanted = model.cf_update()._asdict()
                expect(f"{where}: CF_Update",
                       {name: ctx.get(getattr(request, name)) for name in wanted}, wanted)
                seen["two VCs"] += wanted["vc"] != wanted["second_vc"]
                seen["nothing new"] += not ctx.get(request.pending)
            ctx.set(reporter.sent, int(sent))
            seen["CF_Update with CC_Update"] += sent and counts is not None

            # What ends in this cycle, w: a CC_Update or a frame, or nothing.
            counts_before, counts = counts, None
            frame_before, ended = ended, None
            left_before, left = left, None
            cells_next = list(vc_cells)
            if frame_before is not None and frame_before[1]:
                buffer.append(frame_before[0])
            if rng.random() < taken:
                counts = _counts(rng, config, model, recent)
                model.take(counts, now)
            elif rng.random() < arrive:
                frame = _frame(rng, config)
                ended = frame, len(buffer) < _FRAMES and rng.random() < 0.9
                if ended[1]:
                    cells_next[frame.vc] += frame.cells
            if buffer and rng.random() < leave:
                left = buffer.pop(rng.randrange(len(buffer)))
            if sent:
                model.loaded()
            if due(alarm, now):
                model.step(now, vc_cells)
                alarm.at = model.wake_at(now)
            if frame_before is not None:
                model.count(frame_before[0].vc, frame_before[0].length, frame_before[1], now)
            if left_before is not None:
                vc = left_before.vc
                cells_next[vc] -= left_before.cells
                model.free(vc, left_before.length, cells_next[vc] - (
                    ended[0].cells if ended is not None and ended[1] and ended[0].vc == vc else 0),
                    now)
            watched.check(where, ctx.get(block.count))
            vc_cells = cells_next
            seen["CC_Update"] += counts_before is not None
            since = 0 if sent else min(since + config.word_bytes, _FARTHEST)
            if changing:
                if now % _PHASE:
                    settings.change()
                else:
                    settings.change_all()
                model.settings_changed(now)
                alarm.now = True
            settings.drive_coming(ctx, block.settings)
            for interface, coming in ((block.counted, ended and ended[0]), (block.freed, left)):
                ctx.set(interface.length_coming, rng.randint(0, config.max_frame_bytes)
                        if coming is None else coming.length)
            await ctx.tick()

    run_block(top, bench)
    wanted = ["nothing new", "CC_Update", "CF_Update with CC_Update"]
    wanted += ["two VCs"] if config.vcs > 1 else []
    missing = watched.never() + [what for what in wanted if not seen[what]]
    if missing:
        raise CheckError(f"never seen: {', '.join(missing)}")


def _draws(config: SwitchConfig) -> dict[int, Draw]:
    return {
        Port.CBFC_CONTROL: lambda rng: control(rng, config.vcs),
        Port.CBFC_RECEIVER: unit,
        Port.CBFC_CF_MIN: lambda rng: rng.choice((0, 64, rng.randrange(1000))),
        Port.CBFC_CF_MAX: lambda rng: rng.choice((0, rng.randrange(3000), 1 << 20)),
    }


def _state(ctx: Any, block: CreditReceiver) -> int:
    """Probe point ``credit_rx``."""
    return sum((ctx.get(received) | ctx.get(stored) << CREDIT_BITS) << vc * CREDIT_RX_BITS
               for vc, (received, stored) in enumerate(
                   zip(block.received, block.stored, strict=True)))


def _near_the_wrap(ctx: Any, rng: random.Random, block: CreditReceiver, model: Model,
                   vc: int) -> None:
    """A long run's count of consumed credits."""
    if not ctx.get(block.settings.receiver) >> vc & 1 or rng.random() < 0.5:
        return
    after = -rng.randrange(1, 40) & _CREDIT_MASK
    ctx.set(block.received[vc], after)
    model.consumed[vc] = after
    model.packed.put(vc, after | model.stored[vc] << CREDIT_BITS)


def _frame(rng: random.Random, config: SwitchConfig) -> _Frame:
    length = rng.randint(MIN_FRAME_BYTES, config.max_frame_bytes)
    return _Frame(rng.randrange(config.vcs), length, -(-length // config.cell_bytes))


def _counts(rng: random.Random, config: SwitchConfig, model: Model,
            recent: deque[CreditCounts]) -> CreditCounts:
    """A CC_Update: mostly the counts that are right, some ahead, some behind."""
    shift = rng.choice((0, 0, rng.randrange(1, 20)))
    wrong = rng.random() < 0.1
    counts = [
        consumed + (rng.choice((-1, 1 << CREDIT_BITS - 1, (1 << CREDIT_BITS - 1) - 1))
                    if wrong and rng.random() < 0.5 else rng.choice((0, shift))) & _CREDIT_MASK
        for consumed in model.consumed
    ]
    counts += [rng.getrandbits(CREDIT_BITS) for _ in range(CC_VCS - config.vcs)]
    recent.append(CreditCounts(tuple(counts)))
    return rng.choice((recent[-1], recent[-1], recent[-1], recent[0]))
