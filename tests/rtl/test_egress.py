# SPDX-License-Identifier: Apache-2.0
"""Egress edits against zlib's CRC, for every length and profile."""

import random
import zlib
from dataclasses import replace

import pytest

from gavel_model.loader import load_config
from gavel_model.profiles import PROFILES
from gavel_model.register_map import Counter
from gavel_rtl.egress import Egress
from gavel_tb.block_sim import run_block


def drive(ctx, interface, members):
    for name, value in members.items():
        ctx.set(getattr(interface, name), value)


def with_fcs(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(4, "little")


def get_field(body: bytes, field) -> int:
    number = int.from_bytes(body, "big")
    return number >> 8 * len(body) - field.offset - field.width & (1 << field.width) - 1


def set_field(body: bytes, field, value: int) -> bytes:
    shift = 8 * len(body) - field.offset - field.width
    number = int.from_bytes(body, "big") & ~((1 << field.width) - 1 << shift)
    return (number | value << shift).to_bytes(len(body), "big")


def edited(body: bytes, profile, mark: bool) -> tuple[bytes, bool]:
    marked = False
    if profile.ecn is not None and mark and get_field(body, profile.ecn) in (1, 2):
        body, marked = set_field(body, profile.ecn, 3), True
    if profile.ttl is not None:
        body = set_field(body, profile.ttl, get_field(body, profile.ttl) - 1)
    return body, marked


@pytest.mark.parametrize(("width", "stages"), [(64, 0), (64, 1), (128, 0), (256, 0), (512, 0),
                                               (512, 1)])
def test_egress_edits_and_keeps_the_fcs(width, stages):
    config = replace(load_config("tiny"), data_width=width, max_frame_bytes=256,
                     egress_stages=stages)
    dut = Egress(config)
    rng = random.Random(width)
    lanes = width // 8

    async def bench(ctx):
        frames = words_sent = marks = 0
        for length in [*range(64, 201), *range(64, 201)]:
            number = rng.randrange(len(PROFILES))
            profile, mark = PROFILES[number], rng.random() < 0.7
            body = rng.randbytes(length - 4)
            if profile.ttl is not None:
                body = set_field(body, profile.ttl, rng.randrange(2, 16))
            broken = rng.random() < 0.2
            frame = with_fcs(body)
            want, marked = edited(body, profile, mark)
            expected = with_fcs(want)
            if broken:  # an error of the buffer stays visible in the FCS
                frame = frame[:-1] + bytes([frame[-1] ^ 0x10])
                expected = expected[:-1] + bytes([expected[-1] ^ 0x10])
            words = [frame[n:n + lanes] for n in range(0, length, lanes)]
            got = b""
            for n, word in enumerate(words):
                while rng.random() < 0.2:
                    drive(ctx, dut.i_word, {"valid": 0, "sop": 0, "eop": 0, "next_eop": 0,
                                         "empty": 0, "profile": 0, "mark": 0, "poisoned": 0,
                                            "data": 0})
                    assert ctx.get(dut.o_word.valid) == 0
                    assert stages or ctx.get(dut.o_word.data) == 0
                    assert ctx.get(dut.o_word.poisoned) == 0
                    assert ctx.get(dut.events.count) == 0
                    assert ctx.get(dut.events.tx_bytes) == 0
                    await ctx.tick()
                last = n == len(words) - 1
                drive(ctx, dut.i_word, {
                    "valid": 1, "sop": n == 0, "eop": last, "next_eop": n == len(words) - 2,
                    "empty": -length % lanes, "profile": number, "mark": mark, "poisoned": broken,
                    "data": int.from_bytes(word, "little")})
                empty = -length % lanes if last else 0
                assert ctx.get(dut.o_word.valid) == 1
                assert ctx.get(dut.o_word.sop) == (n == 0)
                assert ctx.get(dut.o_word.eop) == last
                assert ctx.get(dut.o_word.next_eop) == (n == len(words) - 2)
                assert ctx.get(dut.o_word.empty) == empty
                assert ctx.get(dut.o_word.poisoned) == broken
                assert ctx.get(dut.events.tx_bytes) == lanes - empty
                assert ctx.get(dut.events.count) == (
                    last << Counter.TX_FRAMES | (last and marked) << Counter.TX_ECN_MARKED)
                for late in range(2):
                    # Behind registers the data of a word show in the next cycle.
                    if late == stages:
                        got += ctx.get(dut.o_word.data).to_bytes(lanes, "little")
                    if not late:
                        await ctx.tick()
                words_sent += 1
            assert got == expected.ljust(len(words) * lanes, b"\0"), (length, profile.name)
            frames += 1
            marks += marked
        assert frames == 274
        assert marks > 30

    run_block(dut, bench)
