# SPDX-License-Identifier: Apache-2.0
"""Bench of MacControlReceiver: RTL against the model, MAC Control frames among others."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.mac_control import (
    CC_BITS,
    CC_UPDATE_MESSAGE,
    CC_UPDATE_OPCODE,
    CC_VCS,
    MESSAGE_BYTES,
    OPCODE_OFFSET,
    PFC_CLASSES,
    PFC_OPCODE,
    PFC_TIME_BITS,
    CreditCounts,
    Pause,
    cc_update_frame,
    pfc_frame,
)
from gavel_model.mac_control_receiver import MacControlReceiver as Model
from gavel_model.register_map import Counter
from gavel_rtl.mac_control_receiver import MacControlReceiver
from gavel_tb.block_sim import NO_WORD, drive, expect, run_block, word_members
from gavel_tb.stimulus import CheckError, derived_random

_LONGEST = 160
_KINDS = ("nothing", "Pause", "CreditCounts")


def check(config: SwitchConfig, seed: int, frames: int = 500) -> None:
    """What a frame says, in the cycle that it ends in or the next, is as the model reads it.

    Raises
    ------
    CheckError
        At the first difference, or if a kind of frame never came.
    """
    rng = derived_random(seed, "mac_control_receiver")
    said: list[Pause | CreditCounts] = []
    # Stand-ins: what the model finds goes into the list.
    listener = SimpleNamespace(take=lambda content, _: said.append(content))
    model = Model(listener, listener)  # type: ignore[arg-type]  # stand-in
    block = MacControlReceiver(config)
    seen: set[str] = set()

    async def bench(ctx: Any) -> None:
        counts: CreditCounts | None = None
        pause: Pause | None = None

        async def cycle(members: dict[str, int], content: Pause | CreditCounts | None) -> None:
            nonlocal counts, pause
            drive(ctx, block.word, members)
            expect("cc_update", ctx.get(block.cc_update), int(counts is not None))
            if counts is not None:
                expect("cc", tuple(ctx.get(count) for count in block.cc),
                       counts.consumed[:config.vcs])
            counts = content if isinstance(content, CreditCounts) else None
            if pause is not None:
                expect("times", tuple(ctx.get(time) for time in block.pause.times), pause.times)
            pause = content if isinstance(content, Pause) else None
            expect("pause", ctx.get(block.pause.valid), int(pause is not None))
            if pause is not None:
                expect("classes", (ctx.get(block.pause.enabled), ctx.get(block.pause.lasts)), (
                    pause.enabled, sum((time > 0) << n for n, time in enumerate(pause.times))))
            expect("events", ctx.get(block.count),
                   (pause is not None) << Counter.PFC_RX
                   | (counts is not None) << Counter.CBFC_RX_CC_UPDATE)
            await ctx.tick()

        for _ in range(frames):
            data = _frame(rng)
            accepted = rng.random() < 0.7
            words = word_members(data, config.word_bytes)
            if not accepted and rng.random() < 0.3:
                # Its end never comes.
                words = words[:rng.randrange(len(words))]
            gaps = rng.choice((0.0, 0.0, 0.4))
            for members in words:
                while rng.random() < gaps:
                    await cycle({**NO_WORD, "data": rng.getrandbits(config.data_width)}, None)
                last = accepted and bool(members["eop"])
                ctx.set(block.accepted, int(last))
                content = None
                if last:
                    said.clear()
                    model.receive(data, 0)
                    content = said[0] if said else None
                    seen.add(type(content).__name__ if said else "nothing")
                await cycle(members, content)
                ctx.set(block.accepted, 0)
        await cycle(NO_WORD, None)

    run_block(block, bench)
    missing = [kind for kind in _KINDS if kind not in seen]
    if missing:
        raise CheckError(f"never came: {', '.join(missing)}")


def _frame(rng: random.Random) -> bytes:
    """A frame of 64 bytes or more; other opcodes, and messages, differ in one bit."""
    if rng.random() < 0.5:
        data = bytearray(pfc_frame(rng.getrandbits(48), rng.getrandbits(PFC_CLASSES), [
            rng.choice((0, rng.getrandbits(PFC_TIME_BITS))) for _ in range(PFC_CLASSES)]))
        number, size = PFC_OPCODE, 2
    else:
        data = bytearray(cc_update_frame(
            rng.getrandbits(48), [rng.getrandbits(CC_BITS) for _ in range(CC_VCS)]))
        number, size = CC_UPDATE_OPCODE << 8 * MESSAGE_BYTES | CC_UPDATE_MESSAGE, 2 + MESSAGE_BYTES
    if rng.random() < 0.3:
        number ^= 1 << rng.randrange(8 * size)
    data[OPCODE_OFFSET:OPCODE_OFFSET + size] = number.to_bytes(size, "big")
    if rng.random() < 0.5:
        # The upper half of the class-enable vector, padding, and frames that are longer.
        place = rng.choice((OPCODE_OFFSET + 2, MIN_FRAME_BYTES - FCS_BYTES))
        if number == PFC_OPCODE:
            data[place] = rng.getrandbits(8)
        data += rng.randbytes(rng.choice((0, 1, rng.randrange(_LONGEST - MIN_FRAME_BYTES))))
    return bytes(data)
