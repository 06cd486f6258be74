# SPDX-License-Identifier: Apache-2.0
"""Bench of LinkRx: verdict, length, number and class of frames whose fault is known, and ordered
sets between them."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.link_rx import POISON
from gavel_model.ordered_set import DATA_BITS, WITH_DATA, Kind, OrderedSet, decode, encode
from gavel_model.pins import CTL_BITS, IDLE, SEQ_BITS, RxPins
from gavel_model.register_map import Counter
from gavel_rtl.link_rx import LinkRx
from gavel_tb.block_sim import drive, expect, number, run_block
from gavel_tb.faulty_input import FaultyInput
from gavel_tb.frames import FrameFactory, frame_words
from gavel_tb.llr_stimulus import CONTROL_MEMBERS
from gavel_tb.stimulus import derived_random

_SEQ_BITS = 17
_KINDS = (None, Counter.RX_ERR, Counter.RX_UNDERSIZE, Counter.RX_OVERSIZE, Counter.RX_FCS)


@dataclass
class _Due:
    """What must be known of a frame two cycles after its last word was on the pins."""

    reason: int
    length: int
    llr: int
    seq: int
    frame_class: str


def check(config: SwitchConfig, seed: int, frames: int = 150) -> None:
    """Good frames, poisoned ones, and such with an error, a bad FCS, or a bad length, gaps at
    random.

    Raises
    ------
    CheckError
        At the first verdict, length, number, class or ordered set that is wrong.
    """
    config = replace(config, seq_bits=_SEQ_BITS)
    rng = derived_random(seed, "link_rx")
    factory = FrameFactory(config)
    faulty = FaultyInput(config, factory, rng)
    block = LinkRx(config)

    async def bench(ctx: Any) -> None:
        ctx.set(block.enable, 1)
        due: dict[int, _Due] = {}
        sets: deque[int | None] = deque((None, None))
        protect = False
        cycle = done = seq = 0
        protect = False
        while done < frames or due:
            stream = [IDLE] * 4
            if done < frames:
                stream, expected = _frame(config, factory, faulty, rng)
                done += 1
                due[cycle + len(stream) + 1] = expected
            for pins in stream:
                ctl = _ordered_set(rng, config) if rng.random() < 0.2 else None
                drive(ctx, block.link, pins._replace(
                    ctl_valid=int(ctl is not None), ctl=ctl or rng.getrandbits(CTL_BITS),
                    up=1)._asdict())
                sets.append(ctl)
                _expect_set(ctx, f"cycle {cycle}", block, sets.popleft(), protect, config)
                protect = rng.random() < 0.7
                ctx.set(block.coming_protect, int(protect))
                _expect_frame(ctx, f"cycle {cycle}", block, due.pop(cycle, None), seq)
                protect = rng.random() < 0.7
                ctx.set(block.coming_protect, int(protect))
                cycle += 1
                seq = ctx.get(block.end.seq_coming)
                await ctx.tick()

    run_block(block, bench)


def _frame(config: SwitchConfig, factory: FrameFactory, faulty: FaultyInput,
           rng: random.Random) -> tuple[list[RxPins], _Due]:
    """Pins of a frame with its gaps, and what must be found."""
    size = rng.randint(MIN_FRAME_BYTES, config.max_frame_bytes)
    frame = factory.build(rng, 0, 0, dst=factory_address(factory), size=size)
    words = frame_words(config, frame.data, rng)
    reason, frame_class = 0, "good"
    kind = rng.random()
    if kind < 0.4:
        spoilt, other = faulty.make(frame)
        if spoilt is not None and spoilt.reason in _KINDS and other[-1].eop \
                and all(word.up for word in other):
            frame, words = spoilt, other
            reason = 0 if frame.reason is None else int(frame.reason)
            if reason in (Counter.RX_ERR, Counter.RX_FCS) or len(frame.data) < FCS_BYTES:
                frame_class = "bad"
    elif kind < 0.7:
        fcs = int.from_bytes(frame.data[-FCS_BYTES:], "little") ^ POISON
        words = frame_words(config, frame.data[:-FCS_BYTES] + fcs.to_bytes(FCS_BYTES, "little"),
                            rng)
        reason, frame_class = int(Counter.RX_FCS), "poisoned"
    llr, seq = rng.getrandbits(1), rng.getrandbits(rng.choice((SEQ_BITS, _SEQ_BITS)))
    words = [word._replace(llr=rng.getrandbits(1), seq=rng.getrandbits(SEQ_BITS))
             for word in words]
    words[0] = words[0]._replace(llr=llr, seq=seq)
    if seq >> _SEQ_BITS:
        frame_class = "bad"
    stream = []
    for word in words:
        stream += [IDLE] * (rng.random() < 0.1) + [word]
    return stream, _Due(reason, len(frame.data), llr, seq & (1 << _SEQ_BITS) - 1, frame_class)


def _ordered_set(rng: random.Random, config: SwitchConfig) -> int:
    """A set that is valid with protection or without, or not for one bit, or not at all."""
    if rng.random() < 0.1:
        return rng.getrandbits(CTL_BITS)
    kind = rng.choice(list(Kind))
    value = rng.getrandbits(config.seq_bits if rng.random() < 0.9 else SEQ_BITS)
    data = rng.getrandbits(DATA_BITS) if kind in WITH_DATA else 0
    ctl = encode(OrderedSet(kind, value, data), rng.random() < 0.7)
    return ctl ^ (1 << rng.randrange(CTL_BITS) if rng.random() < 0.3 else 0)


def _expect_set(ctx: Any, where: str, block: LinkRx, ctl: int | None, protect: bool,
                config: SwitchConfig) -> None:
    """The ordered set of two cycles ago."""
    control = block.control
    item = None if ctl is None else decode(ctl, protect, config.seq_bits)
    wanted = dict.fromkeys(CONTROL_MEMBERS.values(), 0)
    wanted["unknown"] = int(ctl is not None and item is None)
    if item is not None:
        wanted[CONTROL_MEMBERS[item.kind]] = 1
        wanted |= {"value": item.value, "data": item.data}
    got = {name: ctx.get(getattr(control, name)) for name in wanted}
    expect(f"{where}: ordered set", got, wanted)


def _expect_frame(ctx: Any, where: str, block: LinkRx, due: _Due | None, seq: int) -> None:
    """``seq``: what ``seq_coming`` was in the cycle before."""
    expect(f"{where}: eligible", ctx.get(block.end.eligible),
           int(due is not None and bool(due.llr)))
    if due is None:
        return
    expect(f"{where}: reason", number(ctx, block.verdict.reason), due.reason)
    if due.reason != Counter.RX_OVERSIZE:
        expect(f"{where}: length", ctx.get(block.verdict.length), due.length)
    expect(f"{where}: seq", seq, due.seq)
    bad, poisoned = ctx.get(block.end.bad), ctx.get(block.end.poisoned)
    expect(f"{where}: class", (bad, poisoned),
           (int(due.frame_class == "bad"), int(due.frame_class == "poisoned")))


def factory_address(factory: FrameFactory) -> int:
    """Any destination: this block does not look at it."""
    return 0x0200_0000_0000 | factory.config.ports - 1
