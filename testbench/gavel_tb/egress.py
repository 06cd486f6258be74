# SPDX-License-Identifier: Apache-2.0
"""Bench of Egress: edited frames against zlib's CRC."""

from __future__ import annotations

from typing import Any

from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.frame import append_fcs, join_words, read_field, write_field
from gavel_model.profiles import PROFILES
from gavel_rtl.egress import Egress
from gavel_tb.block_sim import drive, expect, run_block, word_members
from gavel_tb.frames import FrameFactory, SentFrame
from gavel_tb.stimulus import derived_random

_CONGESTION = 3


def check(config: SwitchConfig, seed: int, frames: int = 200) -> None:
    """Frames of every profile, marked or not, with gaps; an FCS that was wrong stays wrong by the
    same bits.

    Raises
    ------
    CheckError
        At the first frame that is not as it must be.
    """
    rng = derived_random(seed, "egress")
    factory = FrameFactory(config)
    block = Egress(config)

    async def bench(ctx: Any) -> None:
        for _ in range(frames):
            number = rng.randrange(len(PROFILES))
            dst = factory.address(PROFILES[number], rng.getrandbits(16))
            size = rng.randint(MIN_FRAME_BYTES, min(config.max_frame_bytes, 200))
            frame = factory.build(rng, 0, number, dst=dst, size=size)
            mark = rng.getrandbits(1)
            error = rng.getrandbits(32) if rng.random() < 0.2 else 0
            data = _with_error(frame.data, error)
            words = word_members(data, config.word_bytes)
            empty = -size % config.word_bytes
            out = []
            for n, members in enumerate(words):
                while rng.random() < 0.1:
                    drive(ctx, block.i_word, dict.fromkeys(
                        (*members, "next_eop", "empty", "profile", "mark", "poisoned"), 0))
                    await ctx.tick()
                drive(ctx, block.i_word, {**members, "empty": empty, "profile": number,
                                          "mark": mark, "poisoned": int(error != 0),
                                          "next_eop": int(n == len(words) - 2)})
                out.append(ctx.get(block.o_word.data))
                last = n == len(words) - 1
                expect("next_eop", ctx.get(block.o_word.next_eop), int(n == len(words) - 2))
                expect("poisoned", ctx.get(block.o_word.poisoned), int(error != 0))
                expect("empty", ctx.get(block.o_word.empty), empty if last else 0)
                await ctx.tick()
            got = join_words(out, config.word_bytes)[:size]
            expect(f"frame of {size} bytes, profile {number}", got,
                   _with_error(_edited(frame, mark), error))

    run_block(block, bench)


def _with_error(data: bytes, error: int) -> bytes:
    fcs = int.from_bytes(data[-FCS_BYTES:], "little") ^ error
    return data[:-FCS_BYTES] + fcs.to_bytes(FCS_BYTES, "little")


def _edited(frame: SentFrame, mark: int) -> bytes:
    body, profile = frame.data[:-FCS_BYTES], frame.profile
    if mark and profile.ecn is not None and read_field(body, profile.ecn) in (1, 2):
        body = write_field(body, profile.ecn, _CONGESTION)
    if profile.ttl is not None:
        body = write_field(body, profile.ttl, read_field(body, profile.ttl) - 1)
    return append_fcs(body)
