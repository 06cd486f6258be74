# SPDX-License-Identifier: Apache-2.0
"""Parser and Lookup against chapters 5 and 6 of the specification, read off byte strings."""

from __future__ import annotations

import random
import zlib
from collections import Counter as Tally
from collections import deque

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.profiles import PROFILES, Field
from gavel_rtl.interfaces import Reason
from gavel_rtl.lookup import Lookup
from gavel_rtl.parser import Parser

MAC_CONTROL = bytes.fromhex("0180c2000001") + bytes(6) + bytes.fromhex("8808")


def config_of(**changes: int) -> SwitchConfig:
    values = {
        "ports": 3, "data_width": 64, "vcs": 3, "buffer_cells": 16, "max_frame_bytes": 256,
        "replay_frames": 8, "replay_cells": 20, "islip_iterations": 1, "id_entries": 16,
        "fdb_sets": 4, "fdb_ways": 2, **changes,
    }
    return SwitchConfig(**values)  # type: ignore[arg-type]  # SwitchConfig checks


def take(header: bytes, field: Field) -> int:
    drawn = "".join(f"{octet:08b}" for octet in header)
    return int(drawn[field.offset:field.offset + field.width], 2)


def put(header: bytes, field: Field, value: int) -> bytes:
    drawn = "".join(f"{octet:08b}" for octet in header)
    drawn = drawn[:field.offset] + f"{value:0{field.width}b}" + drawn[field.offset + field.width:]
    return int(drawn, 2).to_bytes(len(header), "big")


def matched_number(header: bytes, class_from: int) -> int:
    """What ``VC_MATCH`` is compared with: of PCP and DEI (1) or of the DSCP (2)."""
    ethertype = header[12:14].hex()
    tagged = ethertype == "8100"
    if class_from == 1:
        return header[14] >> 4 if tagged else 0
    packet = header[18 if tagged else 14:]
    if tagged:
        ethertype = header[16:18].hex()
    if ethertype == "0800":
        return packet[1] >> 2
    if ethertype == "86dd":
        return (packet[0] & 15) << 2 | packet[1] >> 6
    return 0


def parse(header: bytes, settings: dict[str, int], vcs: int,
          vc_match: list[tuple[int, int]]) -> tuple[Reason, int, bool, int, int]:
    number = settings["profile"] if settings["profile"] < 6 else 0
    row = PROFILES[number]
    ethertype = settings["esun_ethertype"]
    wants = [(m.field, ethertype if m.value is None else m.value) for m in row.match]
    reason = Reason.FILED
    if header[:6] == MAC_CONTROL[:6] and header[12:14] == MAC_CONTROL[12:]:
        reason = Reason.MAC_CONTROL
    elif any(take(header, place) != value for place, value in wants):
        reason = Reason.HEADER
    elif row.ttl is not None and take(header, row.ttl) < 2:
        reason = Reason.TTL
    traffic_class = take(header, row.traffic_class)
    if row.class_when is not None and take(header, row.class_when.field) != row.class_when.value:
        traffic_class = 0
    vc = min(settings["vc_map"] >> 4 * traffic_class & 15, vcs - 1)
    if number == 0 and settings["class_from"] in (1, 2):
        c = matched_number(header, settings["class_from"])
        vc = min((v for v, (mask, value) in enumerate(vc_match) if c & mask == value & mask),
                 default=0)
    return reason, take(header, row.dst), row.dst.width == 48, vc, number


def header_for(rng: random.Random, settings: dict[str, int]) -> bytes:
    """Random bytes that meet the profile's conditions, or all but one of them, that maybe but for
    one bit."""
    if rng.random() < 0.05:
        octets = bytearray(MAC_CONTROL + rng.randbytes(10))
        if rng.random() < 0.3:
            octets[rng.randrange(14)] ^= 1
        return bytes(octets)
    header = rng.randbytes(24)
    row = PROFILES[settings["profile"] if settings["profile"] < 6 else 0]
    spared = rng.randrange(2 * len(row.match))
    for n, match in enumerate(row.match):
        value = settings["esun_ethertype"] if match.value is None else match.value
        if n != spared:
            header = put(header, match.field, value)
        elif rng.random() < 0.5:
            header = put(header, match.field, value ^ 1 << rng.randrange(match.field.width))
    if row.class_when is not None and rng.random() < 0.5:
        header = put(header, row.class_when.field, row.class_when.value or 0)
    if row.name == "ethernet" and rng.random() < 0.6:
        packet = bytes.fromhex(rng.choice(("0800", "86dd", "0801")))
        at = rng.choice((12, 16))
        header = header[:at] + packet + header[at + 2:]
    return header


def aimed_at(rng: random.Random, header: bytes, vcs: int) -> list[tuple[int, int]]:
    """Masks and values of ``VC_MATCH``, of which some fit the frame, or fit it but for one bit."""
    numbers = (matched_number(header, 1), matched_number(header, 2), rng.getrandbits(6))
    return [(rng.choice((0x3F, 0x3F, rng.getrandbits(6))),
             rng.choice(numbers) ^ (rng.random() < 0.5) << rng.randrange(6))
            for _ in range(vcs)]


DSCP_HEADERS = {
    "v4": ("0800 45b8", 46), "v6": ("86dd 6b80", 46), "tagged v4": ("8100 e001 0800 45b8", 46),
    "tagged v6": ("8100 e001 86dd 6b80", 46), "other": ("0806 45b8", 0),
    "tagged twice": ("8100 e001 8100 e001 0800 45b8", 0),
}


@pytest.mark.parametrize("name", DSCP_HEADERS)
def test_dscp_of_known_headers(name: str) -> None:
    """The slow reading above against headers written by hand: DSCP 46 is expedited forwarding."""
    text, number = DSCP_HEADERS[name]
    assert matched_number((bytes(12) + bytes.fromhex(text) + bytes(8))[:24], 2) == number


SHORT = {(64, 1), (64, 8), (128, 3), (256, 8), (512, 1), (512, 3)}
"""Widths and VCs of the short run. Headers end in the first word, or in a later one, with each."""


@pytest.mark.parametrize(("width", "vcs"), [
    pytest.param(width, vcs, marks=[] if (width, vcs) in SHORT else [pytest.mark.long])
    for width in (64, 128, 256, 512) for vcs in (1, 3, 8)])
def test_fields_of_every_profile(simulate, width: int, vcs: int) -> None:
    config = config_of(data_width=width, vcs=vcs)
    dut = Parser(config)
    rng = random.Random(width + vcs)
    step = config.word_bytes

    async def bench(ctx, sync) -> None:
        seen: Tally[str] = Tally()
        for _ in range(700):
            settings = {
                "profile": rng.choice((0, 1, rng.randrange(8))), "vc_map": rng.getrandbits(32),
                "esun_ethertype": rng.getrandbits(16), "class_from": rng.randrange(4),
            }
            header = header_for(rng, settings)
            vc_match = aimed_at(rng, header, vcs)
            frame = header + rng.randbytes(step * 3)
            words = [frame[at:at + step] for at in range(0, len(frame) - step, step)]
            if rng.random() < 0.2:
                # Part of a frame that is aborted by the next one's start.
                words.insert(0, rng.randbytes(step))
                starts = {0, 1}
            else:
                starts = {0}
            for n, octets in enumerate(words):
                while rng.random() < 0.1:
                    ctx.set(dut.word.valid, 0)
                    ctx.set(dut.word.sop, rng.getrandbits(1))
                    ctx.set(dut.word.data, rng.getrandbits(width))
                    await ctx.tick()
                ctx.set(dut.word.valid, 1)
                ctx.set(dut.word.sop, n in starts)
                ctx.set(dut.word.data, int.from_bytes(octets, "little"))
                await ctx.tick()
            for name, value in settings.items():
                ctx.set(getattr(dut.settings, name), value)
            used = settings["profile"] if settings["profile"] < len(PROFILES) else 0
            ctx.set(dut.settings.profile_is, 1 << used)
            for setting, (mask, value) in zip(dut.settings.vc_match, vc_match, strict=True):
                ctx.set(setting, mask << 8 | value)
            reason, dst, is_address, vc, number = parse(header, settings, vcs, vc_match)
            assert ctx.get(dut.fields.reason) == reason
            assert ctx.get(dut.fields.profile) == number
            assert ctx.get(dut.fields.vc) == vc
            assert ctx.get(dut.fields.dst) == dst
            assert ctx.get(dut.fields.is_address) == is_address
            seen[reason.name] += 1
            if number == 0 and (vc > 0 or vcs == 1):
                seen[f"class_from {settings['class_from']}"] += 1
        others = [f"class_from {class_from}" for class_from in range(4)]
        for name in ("FILED", "MAC_CONTROL", "HEADER", "TTL", *others):
            assert seen[name], seen

    simulate(dut, bench)


SHAPES = {
    "two_ways": {},
    "three_ways": {"fdb_ways": 3, "fdb_sets": 8},
    "one_entry": {"fdb_ways": 1, "fdb_sets": 1},
    "four_ways": {"fdb_ways": 4, "fdb_sets": 2, "id_entries": 64, "ports": 33},
    "largest_id_table": {"id_entries": 65536},
    "a_register_more": {"ingress_stages": 2, "fdb_ways": 3},
    "two_registers_more": {"ingress_stages": 2, "receive_stages": 1},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_lookup(simulate, shape: str) -> None:
    config = config_of(**SHAPES[shape])
    dut = Lookup(config)
    rng = random.Random(shape)

    def expected(direct: list[int | None], ways: list[tuple[int, int] | None], dst: int,
                 is_address: bool) -> int | None:
        if is_address:
            first = zlib.crc32(dst.to_bytes(6, "big")) % config.fdb_sets * config.fdb_ways
            for entry in ways[first:first + config.fdb_ways]:
                if entry is not None and entry[0] == dst:
                    return entry[1]
            if dst >> 16 != 0x02000000:
                return None
            dst &= 0xFFFF
        return direct[dst] if dst < config.id_entries else None

    async def bench(ctx, sync) -> None:
        reset = [n if n < config.ports else None for n in range(config.id_entries)]
        direct: list[int | None] = list(reset)
        ways: list[tuple[int, int] | None] = [None] * config.fdb_entries
        pool = [rng.getrandbits(48) for _ in range(12)] + [0x02000000 << 16 | 3]
        answers: deque[int | None] = deque([None] * max(1, config.store_stages))
        hits = 0
        walk = 64 + config.ports
        for cycle in range(2 * walk + 1500):
            # Before the tables are ready: rubbish, then a walk like that of the registers.
            filling = cycle < 2 * walk
            rubbish = cycle < walk
            write_direct = filling or rng.random() < 0.3
            write_hash = filling or rng.random() < 0.3
            index = cycle % min(config.id_entries, 64) if filling else rng.randrange(
                min(config.id_entries, 64))
            entry = cycle % config.fdb_entries if filling else rng.randrange(config.fdb_entries)
            port = rng.randrange(config.ports)
            valid = rng.getrandbits(1)
            if filling and not rubbish:
                valid, port = int(index < config.ports), index % config.ports
                write_hash = not valid
                entry = (cycle - config.ports) % config.fdb_entries
            address = rng.choice(pool)
            # A set that takes every address often.
            if not filling and rng.random() < 0.7:
                bucket = zlib.crc32(address.to_bytes(6, "big")) % config.fdb_sets
                entry = bucket * config.fdb_ways + rng.randrange(config.fdb_ways)
            ctx.set(dut.write.ready, not filling)
            ctx.set(dut.write.route_we, write_direct)
            ctx.set(dut.write.route_index, index)
            ctx.set(dut.write.fdb_we, write_hash)
            ctx.set(dut.write.fdb_index, entry)
            ctx.set(dut.write.fdb_address, address)
            ctx.set(dut.write.entry_valid, valid)
            ctx.set(dut.write.entry_port, port)

            is_address = rng.random() < 0.6
            kind = rng.random()
            if is_address and kind < 0.6:
                dst = rng.choice(pool)
            elif is_address:
                dst = 0x02000000 << 16 | rng.randrange(config.id_entries + 3) & 0xFFFF
                if kind > 0.95:
                    dst ^= 1 << rng.randrange(16, 48)
            elif kind < 0.8:
                dst = rng.choice([index, rng.randrange(min(64, config.id_entries))])
            else:
                dst = rng.getrandbits(rng.choice([16, 32]))
            ctx.set(dut.fields.dst, dst)
            ctx.set(dut.fields.is_address, is_address)
            # Bytes that happen to be an address of the table do not count with an ID.
            octets = (dst if is_address else rng.choice(pool)).to_bytes(6, "big")
            ctx.set(dut.fields.address, int.from_bytes(octets, "big"))
            ctx.set(dut.fields.hash, zlib.crc32(octets) % config.fdb_sets)

            answer = answers.popleft()
            assert ctx.get(dut.route.hit) == (answer is not None), cycle
            if answer is not None:
                assert ctx.get(dut.route.port) == answer, cycle
                hits += 1
            answers.append(
                expected(reset, [None] * config.fdb_entries, dst, is_address) if filling
                else expected(direct, ways, dst, is_address))
            if write_direct and not filling:
                direct[index] = port if valid else None
            if write_hash and not filling:
                ways[entry] = (address, port) if valid else None
            await ctx.tick()
        assert hits > 100

    simulate(dut, bench)
