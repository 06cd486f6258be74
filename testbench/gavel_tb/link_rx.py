# SPDX-License-Identifier: Apache-2.0
"""Bench of LinkRx: verdict and length of frames whose fault is known."""

from __future__ import annotations

from typing import Any

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.pins import IDLE
from gavel_model.register_map import Counter
from gavel_rtl.link_rx import LinkRx
from gavel_tb.block_sim import drive, expect, number, run_block
from gavel_tb.faulty_input import FaultyInput
from gavel_tb.frames import FrameFactory, frame_words
from gavel_tb.stimulus import derived_random

_KINDS = (None, Counter.RX_ERR, Counter.RX_UNDERSIZE, Counter.RX_OVERSIZE, Counter.RX_FCS)


def check(config: SwitchConfig, seed: int, frames: int = 150) -> None:
    """Good frames, and such with an error, a bad FCS, or a bad length, gaps at random.

    Raises
    ------
    CheckError
        At the first verdict or length that is wrong.
    """
    rng = derived_random(seed, "link_rx")
    factory = FrameFactory(config)
    faulty = FaultyInput(config, factory, rng)
    block = LinkRx(config)

    async def bench(ctx: Any) -> None:
        ctx.set(block.enable, 1)
        due: dict[int, tuple[int, int]] = {}
        cycle = done = 0
        while done < frames or due:
            stream = [IDLE] * 4
            if done < frames:
                size = rng.randint(MIN_FRAME_BYTES, config.max_frame_bytes)
                frame = factory.build(rng, 0, 0, dst=factory_address(factory), size=size)
                words = frame_words(config, frame.data, rng)
                if rng.random() < 0.5:
                    spoilt, other = faulty.make(frame)
                    if spoilt is not None and spoilt.reason in _KINDS and other[-1].eop \
                            and all(word.up for word in other):
                        frame, words = spoilt, other
                done += 1
                stream = []
                for word in words:
                    stream += [IDLE] * (rng.random() < 0.1) + [word]
                # The verdict is out two cycles after the last word was on the pins.
                end = cycle + len(stream) - 1
                due[end + 2] = (0 if frame.reason is None else int(frame.reason), len(frame.data))
            for pins in stream:
                drive(ctx, block.link, pins._asdict())
                if cycle in due:
                    reason, length = due.pop(cycle)
                    expect(f"cycle {cycle}: reason", number(ctx, block.verdict.reason), reason)
                    if reason != Counter.RX_OVERSIZE:
                        expect(f"cycle {cycle}: length", ctx.get(block.verdict.length), length)
                cycle += 1
                await ctx.tick()

    run_block(block, bench)


def factory_address(factory: FrameFactory) -> int:
    """Any destination: this block does not look at it."""
    return 0x0200_0000_0000 | factory.config.ports - 1
