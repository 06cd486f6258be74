# SPDX-License-Identifier: Apache-2.0
"""Bench of Parser: fields of frames of every profile, good and malformed, and every way to find a
VC."""

from __future__ import annotations

import random
import zlib
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.mac_control import MAC_CONTROL_ADDRESS, MAC_CONTROL_ETHERTYPE
from gavel_model.parser import Parser as Model
from gavel_model.profiles import DSCP_PLACES, HEADER_BYTES, PCP_DEI, PROFILES, TAG_BITS, TAGGED
from gavel_model.received_frame import ReceivedFrame
from gavel_model.register_map import CLASS_FROM_SHIFT, ClassFrom, Counter, VcMatch
from gavel_rtl.parser import Parser
from gavel_tb.block_sim import NO_WORD, drive, expect, number, run_block, word_members
from gavel_tb.faulty_input import FaultyInput
from gavel_tb.frames import FrameFactory
from gavel_tb.stimulus import derived_random

_KINDS = (None, Counter.RX_HEADER, Counter.RX_TTL, Counter.RX_MAC_CONTROL)
_SIZE = 64
_ADDRESSES_BYTES = 12
_TAG_BYTES = TAG_BITS // 8
_ETHERNET_NUMBERS = (0, 6, 7)
"""Values of ``PROFILE`` that mean Ethernet."""


def check(config: SwitchConfig, seed: int, frames: int = 300) -> None:
    """Destination, VC and verdict one cycle after the last word.

    Raises
    ------
    CheckError
        At the first field that is wrong.
    """
    _check_profiles(config, seed, frames)
    _check_classes(config, seed, frames)


def _check_profiles(config: SwitchConfig, seed: int, frames: int) -> None:
    """Frames of every profile, against what they were made of."""
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
            class_from = rng.randrange(4)
            if profile_number in _ETHERNET_NUMBERS:
                # The others are in _check_classes.
                class_from = rng.choice((0, 3))
            drive(ctx, block.settings, {
                "enable": 1, "profile": profile_number, "profile_is": 1 << profile_number,
                "class_from": class_from, "vc_map": vc_map,
                "esun_ethertype": config.esun_ethertype})
            for members in word_members(frame.data, config.word_bytes):
                drive(ctx, block.word, members)
                await ctx.tick()
            drive(ctx, block.word, NO_WORD)
            reason = 0 if frame.reason is None else int(frame.reason)
            if not reason:
                expect("hash", ctx.get(block.fields.hash),
                       zlib.crc32(frame.data[:6]) % config.fdb_sets)
                expect("dst", ctx.get(block.fields.dst), frame.dst)
                expect("is_address", ctx.get(block.fields.is_address), profile.dst.width == 48)
                expect("profile", ctx.get(block.fields.profile), profile_number)
            await _to_verdict(ctx, block, config, rng)
            expect("reason", number(ctx, block.fields.reason), reason)
            if not reason:
                vc = min(vc_map >> (4 * traffic_class) & 0xF, config.vcs - 1)
                expect("vc", ctx.get(block.fields.vc), vc)

    run_block(block, bench)


def _check_classes(config: SwitchConfig, seed: int, frames: int) -> None:
    """Tagged and untagged frames of IPv4, IPv6 and others, with every source of the VC, against the
    model."""
    rng = derived_random(seed, "parser", 1)
    block, model = Parser(config), Model(config)

    async def bench(ctx: Any) -> None:
        for _ in range(frames):
            profile = rng.choice((*_ETHERNET_NUMBERS, rng.randrange(len(PROFILES))))
            class_from = rng.choice((*ClassFrom, ClassFrom.PCP_DEI, ClassFrom.DSCP, 3))
            vc_map = rng.getrandbits(32)
            data = _ethernet(rng)
            vc_match = [_vc_match(rng, data) for _ in range(config.vcs)]
            model.configure(profile | class_from << CLASS_FROM_SHIFT, vc_map, vc_match,
                            config.esun_ethertype)
            drive(ctx, block.settings, {
                "enable": 1, "profile": profile,
                "profile_is": 1 << (0 if profile in _ETHERNET_NUMBERS else profile),
                "class_from": int(class_from), "vc_map": vc_map,
                "esun_ethertype": config.esun_ethertype})
            for element, value in zip(block.settings.vc_match, vc_match, strict=True):
                ctx.set(element, value)
            for members in word_members(data, config.word_bytes):
                drive(ctx, block.word, members)
                await ctx.tick()
            drive(ctx, block.word, NO_WORD)
            frame = ReceivedFrame([], data, _SIZE, 0)
            model.parse(frame)
            where = f"profile {profile}, class_from {class_from}, {data[:HEADER_BYTES].hex()}"
            if not frame.reason:
                expect(f"{where}: profile", ctx.get(block.fields.profile), frame.profile)
                expect(f"{where}: dst", ctx.get(block.fields.dst), frame.destination)
            await _to_verdict(ctx, block, config, rng)
            expect(f"{where}: reason", number(ctx, block.fields.reason), frame.reason)
            if frame.reason in (0, Counter.RX_TTL):
                expect(f"{where}: vc", ctx.get(block.fields.vc), frame.vc)

    run_block(block, bench)


async def _to_verdict(ctx: Any, block: Parser, config: SwitchConfig, rng: random.Random) -> None:
    """Goes on to the cycle of ``reason`` and ``vc``: the next frame begins, and settings change."""
    for _ in range(config.parser_stages):
        drive(ctx, block.word, {"valid": 1, "sop": 1, "eop": 0,
                                "data": rng.getrandbits(config.data_width)})
        await ctx.tick()
        drive(ctx, block.word, NO_WORD)
        drive(ctx, block.settings, {"profile_is": 1 << rng.randrange(len(PROFILES)),
                                    "class_from": rng.randrange(4),
                                    "vc_map": rng.getrandbits(32)})


def _ethernet(rng: random.Random) -> bytes:
    """A frame whose EtherTypes are those that matter, or one bit away from them."""
    matter = [TAGGED.value, MAC_CONTROL_ETHERTYPE, *(match.value for match, _ in DSCP_PLACES)]

    def ethertype() -> bytes:
        value = rng.choice(matter) or 0
        return (value ^ (rng.random() < 0.1) << rng.randrange(16)).to_bytes(2, "big")

    data = bytearray(rng.randbytes(_SIZE))
    if rng.random() < 0.2:
        data[:6] = MAC_CONTROL_ADDRESS.to_bytes(6, "big")
    data[0] &= 0xFE if rng.random() < 0.7 else 0xFF
    first, second = ethertype(), ethertype()
    if rng.random() < 0.4:
        first = (TAGGED.value or 0).to_bytes(2, "big")
    place = _ADDRESSES_BYTES
    data[place:place + 2] = first
    # What it says counts only behind a tag.
    data[place + _TAG_BYTES:place + _TAG_BYTES + 2] = second
    return bytes(data)


def _vc_match(rng: random.Random, data: bytes) -> int:
    """A value of ``VC_MATCH``: masks of every width, and what the frame has in some place."""
    mask = rng.choice((0x3F, 0x3F, 0, rng.getrandbits(6)))
    header = int.from_bytes(data[:HEADER_BYTES], "big")
    fields = [PCP_DEI, *(field for _, field in DSCP_PLACES)]
    places = [field.offset + field.width + moved for field in fields for moved in (0, TAG_BITS)]
    code = rng.choice((rng.getrandbits(6), header >> 8 * HEADER_BYTES - rng.choice(places)))
    return mask << VcMatch.MASK | (code & rng.choice((0x3F, 0x0F))) << VcMatch.VALUE
