# SPDX-License-Identifier: Apache-2.0
"""Bench of Parser: fields of frames of every profile, good and malformed."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.profiles import PROFILES
from gavel_model.register_map import Counter
from gavel_rtl.parser import Parser
from gavel_tb.block_sim import NO_WORD, drive, expect, number, run_block, word_members
from gavel_tb.faulty_input import FaultyInput
from gavel_tb.frames import FrameFactory
from gavel_tb.stimulus import derived_random

_KINDS = (None, Counter.RX_HEADER, Counter.RX_TTL, Counter.RX_MAC_CONTROL)
_SIZE = 64


def check(config: SwitchConfig, seed: int, frames: int = 300) -> None:
    """Destination, VC and verdict one cycle after the last word.

    Raises
    ------
    CheckError
        At the first field that is wrong.
    """
    rng = derived_random(seed, "parser")
    factory = FrameFactory(config)
    faulty = FaultyInput(config, factory, rng)
    block = Parser(config)

    async def bench(ctx: Any) -> None:
        for _ in range(frames):
            profile_number = rng.randrange(len(PROFILES))
            profile = PROFILES[profile_number]
            traffic_class = rng.randrange(1 << profile.traffic_class.width)
            dst = factory.address(profile, rng.getrandbits(16))
            frame = factory.build(rng, 0, profile_number, dst=dst, size=_SIZE,
                                  traffic_class=traffic_class)
            spoilt, words = faulty.make(frame)
            whole = spoilt is not None and words[-1].eop and all(word.up for word in words)
            if spoilt is not None and whole and spoilt.reason in _KINDS:
                frame = spoilt
            vc_map = rng.getrandbits(32)
            drive(ctx, block.settings, {"enable": 1, "profile": profile_number, "vc_map": vc_map,
                                        "esun_ethertype": config.esun_ethertype})
            for members in word_members(frame.data, config.word_bytes):
                drive(ctx, block.word, members)
                await ctx.tick()
            drive(ctx, block.word, NO_WORD)
            reason = 0 if frame.reason is None else int(frame.reason)
            expect("reason", number(ctx, block.fields.reason), reason)
            if not reason:
                vc = min(vc_map >> (4 * traffic_class) & 0xF, config.vcs - 1)
                expect("dst", ctx.get(block.fields.dst), frame.dst)
                expect("is_address", ctx.get(block.fields.is_address), profile.dst.width == 48)
                expect("vc", ctx.get(block.fields.vc), vc)
                expect("profile", ctx.get(block.fields.profile), profile_number)

    run_block(block, bench)
