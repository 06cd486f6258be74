# SPDX-License-Identifier: Apache-2.0
"""Bench of MacControlTransmitter: RTL against the model, requests and contents at random.

When a CC_Update is wanted is told by `CreditSender` in the RTL, and by this block in the model.
"""

from __future__ import annotations

from collections import Counter as Tally
from types import SimpleNamespace
from typing import Any

from amaranth.hdl import Module

from gavel_model.alarm import Alarm
from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.counters import Counters
from gavel_model.mac_control_transmitter import MacControlTransmitter as Model
from gavel_model.pause_sender import PauseSender
from gavel_model.pins import TxPins
from gavel_model.register_map import CREDIT_BITS, Counter, PfcControl, Port
from gavel_rtl.credit_sender import CreditSender
from gavel_rtl.mac_control_transmitter import MacControlTransmitter
from gavel_tb.block_sim import expect, run_block
from gavel_tb.flow_stimulus import Draw, RandomFlowSettings, Watched, control, due
from gavel_tb.stimulus import CheckError, derived_random

_PHASE = 200
_NO_WORD = {"valid": 0, "sop": 0, "eop": 0, "empty": 0, "data": 0}


def check(config: SwitchConfig, seed: int, cycles: int = 2500) -> None:
    """Claims, what is taken, and the words are those of the model in every cycle. Whether a
    CC_Update is wanted is not looked at in the cycle behind one that was taken; nor does the block
    look then whether a frame of that kind is, so it is told anything.

    Raises
    ------
    CheckError
        At the first difference, or if something was never seen.
    """
    rng = derived_random(seed, "mac_control_transmitter")
    settings = RandomFlowSettings(config, rng, _draws(config))
    counters, alarm = Counters(), Alarm()
    credit_sender = SimpleNamespace(consumed=[0] * config.vcs)
    pauses = PauseSender(config, settings.model, alarm)
    model = Model(config, settings.model, counters, alarm,
                  credit_sender, pauses)  # type: ignore[arg-type]  # stand-in
    watched = Watched(counters, frozenset({Counter.PFC_TX, Counter.CBFC_TX_CC_UPDATE}))
    block, timer, top = MacControlTransmitter(config), CreditSender(config), Module()
    top.submodules.mac_control_transmitter = block
    top.submodules.credit_sender = timer
    seen: Tally[str] = Tally()
    words = MIN_FRAME_BYTES // config.word_bytes

    async def bench(ctx: Any) -> None:
        idling = pausing = resync = changes = 0.0
        taken_at, ends_next = -cycles, 0
        cc_before = pfc_taken = False
        for now in range(cycles):
            where = f"cycle {now}"
            if now % _PHASE == 1:
                idling, pausing = rng.choice((0.1, 0.7, 1.0)), rng.choice((0.0, 0.01, 0.5))
                resync, changes = rng.choice((0.0, 0.05)), rng.choice((0.0, 0.03, 0.3))
            settings.drive(ctx, (block.settings, timer.settings), block.classes)
            changing = now % _PHASE == 0 or rng.random() < changes
            alarm.now |= changing
            for vc, element in enumerate(block.consumed):
                credit_sender.consumed[vc] = rng.getrandbits(CREDIT_BITS)
                ctx.set(element, credit_sender.consumed[vc])
            pauses.xoff = rng.getrandbits(config.vcs)
            ctx.set(block.xoff, pauses.xoff)
            ctx.set(block.pfc_wanted, rng.getrandbits(1) if pfc_taken else int(pauses.wanted))
            established = rng.random() < resync
            ctx.set(timer.established, int(established))
            ctx.set(block.cc_wanted, ctx.get(timer.cc_wanted))
            idle = rng.random() < idling
            ctx.set(block.idle, int(idle))

            if not cc_before:
                expect(f"{where}: cc_wanted", ctx.get(timer.cc_wanted), int(model.cc_wanted))
            expect(f"{where}: claim", ctx.get(block.claim), int(model.claim))
            cc_before = bool(ctx.get(block.cc_taken))
            ctx.set(timer.cc_taken, int(cc_before))
            if model.claim and idle and not model.under_way:
                both = pauses.wanted and model.cc_wanted
                seen["both are wanted"] += both
                seen["one behind the other"] += taken_at == now - words - 2
                taken_at = now
                model.take(now)
            watched.check(where, ctx.get(block.count))
            shown = model.word(now) if model.busy else None
            wanted_word = _NO_WORD if shown is None else _wanted(shown[0])
            expect(f"{where}: word", _word(ctx, block), wanted_word)
            if words > 1:
                expect(f"{where}: next_eop before", ends_next, wanted_word["eop"])
            ends_next = ctx.get(block.word.next_eop)
            pfc_taken = model.taken_pause

            resynchronise = established and settings.model.resync
            wanted = (pauses.wanted and not pfc_taken) or rng.random() < pausing
            alarm.now |= resynchronise or wanted != pauses.wanted
            pauses.wanted = wanted
            if due(alarm, now):
                model.build(now)
                model.step(now, resynchronise)
                alarm.at = model.wake_at(now)
            if changing:
                if now % _PHASE:
                    settings.change()
                else:
                    settings.change_all()
                alarm.now = True
            settings.drive_coming(ctx, timer.settings)
            await ctx.tick()

    run_block(top, bench)
    missing = watched.never() + [what for what in ("both are wanted", "one behind the other")
                                 if not seen[what]]
    if missing:
        raise CheckError(f"never seen: {', '.join(missing)}")


def _draws(config: SwitchConfig) -> dict[int, Draw]:
    return {
        Port.CBFC_CONTROL: lambda rng: control(rng, config.vcs),
        Port.CBFC_CC_PERIOD: lambda rng: rng.choice((0, 1, 2, rng.randrange(60))),
        Port.PFC_CONTROL: lambda rng: rng.getrandbits(config.vcs) << PfcControl.TRANSMIT,
        Port.PFC_TIME: lambda rng: rng.getrandbits(16),
        Port.MAC_ADDRESS_HI: lambda rng: rng.getrandbits(32),
        Port.MAC_ADDRESS_LO: lambda rng: rng.getrandbits(32),
        Port.VC_MAP: lambda rng: rng.getrandbits(32),
    }


def _word(ctx: Any, block: MacControlTransmitter) -> dict[str, int]:
    expect("poisoned", ctx.get(block.word.poisoned), 0)
    return {name: ctx.get(getattr(block.word, name)) for name in _NO_WORD}


def _wanted(pins: TxPins) -> dict[str, int]:
    return {name: getattr(pins, name) for name in _NO_WORD}
