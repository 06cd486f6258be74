# SPDX-License-Identifier: Apache-2.0
"""CRC algebra against zlib, arbitration against lists."""

from __future__ import annotations

import random
import zlib
from itertools import product

import pytest
from amaranth.hdl import Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_rtl.lib import crc, ring
from gavel_rtl.lib.crc8 import crc8
from gavel_rtl.lib.one_hot import encode, select
from gavel_rtl.lib.round_robin import first, pick, pick_preferred, pointer_after


class CrcStep(wiring.Component):
    def __init__(self, width: int) -> None:
        super().__init__({"state": In(32), "word": In(width), "result": Out(32)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.result.eq(crc.crc32_step(self.state, self.word))
        return m


@pytest.mark.parametrize("width", [8, 64, 128, 256, 512])
def test_crc_step_agrees_with_zlib(simulate, width: int) -> None:
    dut = CrcStep(width)
    rng = random.Random(width)

    async def bench(ctx, sync) -> None:
        octets = rng.randbytes(width // 8 * 5)
        state = crc.INITIAL
        for at in range(0, len(octets), width // 8):
            ctx.set(dut.state, state)
            ctx.set(dut.word, int.from_bytes(octets[at:at + width // 8], "little"))
            state = ctx.get(dut.result)
        assert state ^ crc.INITIAL == zlib.crc32(octets)

    simulate(dut, bench)


@pytest.mark.parametrize("zeros", [0, 1, 7, 63])
def test_residue_after_padding(zeros: int) -> None:
    frame = random.Random(zeros).randbytes(90)
    sent = frame + zlib.crc32(frame).to_bytes(4, "little") + bytes(zeros)
    assert zlib.crc32(sent) ^ crc.INITIAL == crc.residue(zeros)


@pytest.mark.parametrize("zeros", [0, 1, 7, 63])
def test_residue_of_a_masked_fcs(zeros: int) -> None:
    frame = random.Random(zeros).randbytes(90)
    fcs = zlib.crc32(frame) ^ 0xAAAAAAAA
    sent = frame + fcs.to_bytes(4, "little") + bytes(zeros)
    assert zlib.crc32(sent) ^ crc.INITIAL == crc.residue(zeros, 0xAAAAAAAA)


def test_residue_is_the_published_one() -> None:
    reflected = int(f"{crc.residue():032b}"[::-1], 2)
    assert reflected == 0xC704DD7B  # IEEE 802.3, 3.2.9, as given for a receiver's check


class Crc8(wiring.Component):
    def __init__(self, octets: int) -> None:
        super().__init__({"message": In(8 * octets), "result": Out(8)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.result.eq(crc8(self.message))
        return m


def crc8_bit_by_bit(octets: bytes) -> int:
    value = 0
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value << 1 ^ (0x107 if value & 0x80 else 0)
    return value


@pytest.mark.parametrize("octets", [1, 3, 6, 9])
def test_crc8(simulate, octets: int) -> None:
    dut = Crc8(octets)
    rng = random.Random(octets)
    assert crc8_bit_by_bit(b"123456789") == 0xF4  # the check value of this CRC

    async def bench(ctx, sync) -> None:
        messages = [b"123456789"[:octets], *(rng.randbytes(octets) for _ in range(50))]
        for message in messages:
            ctx.set(dut.message, int.from_bytes(message, "little"))
            assert ctx.get(dut.result) == crc8_bit_by_bit(message)

    simulate(dut, bench)


class Ring(wiring.Component):
    def __init__(self, depth: int) -> None:
        self.depth = depth
        bits = ring.pointer_bits(depth)
        super().__init__({"later": In(bits), "earlier": In(bits), "following": Out(bits),
                          "distance": Out(bits)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.following.eq(ring.following(self.later, self.depth)),
            self.distance.eq(ring.distance(self.later, self.earlier, self.depth)),
        ]
        return m


@pytest.mark.parametrize("depth", [2, 5, 7, 8, 12])
def test_ring(simulate, depth: int) -> None:
    dut = Ring(depth)

    def pointer(place: int) -> int:
        return place % depth | (place // depth & 1) << ring.index_bits(depth)

    async def bench(ctx, sync) -> None:
        for earlier in range(2 * depth):
            for apart in range(depth + 1):
                ctx.set(dut.earlier, pointer(earlier))
                ctx.set(dut.later, pointer(earlier + apart))
                assert ctx.get(dut.distance) == apart
                assert ctx.get(dut.following) == pointer(earlier + apart + 1)

    simulate(dut, bench)


class Choices(wiring.Component):
    def __init__(self, width: int) -> None:
        super().__init__({
            "request": In(width), "mask": In(width), "first": Out(width), "pick": Out(width),
            "preferred": In(width), "of_preferred": Out(width),
            "after": Out(width), "number": Out(4), "selected": Out(8),
        })

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.first.eq(first(self.request)),
            self.pick.eq(pick(self.request, self.mask)),
            self.of_preferred.eq(pick_preferred(self.request, self.mask, self.preferred)),
            self.after.eq(pointer_after(self.pick)),
            self.number.eq(encode(self.pick, 4)),
            self.selected.eq(select([(bit, Const(3 * n + 1, 8))
                                     for n, bit in enumerate(self.pick)])),
        ]
        return m


@pytest.mark.parametrize("width", [1, 2, 3, 8])
def test_round_robin(simulate, width: int) -> None:
    dut = Choices(width)

    async def bench(ctx, sync) -> None:
        for request in range(1 << width):
            for pointer in range(width):
                mask = (1 << width) - (1 << pointer) if pointer else 0
                wants = [n for n in range(width) if request >> n & 1]
                winner = min((n for n in wants if n >= pointer), default=min(wants, default=None))
                ctx.set(dut.request, request)
                ctx.set(dut.mask, mask)
                assert ctx.get(dut.first) == (1 << wants[0] if wants else 0)
                assert ctx.get(dut.pick) == (0 if winner is None else 1 << winner)
                if winner is not None:
                    behind = (winner + 1) % width
                    assert ctx.get(dut.after) == ((1 << width) - (1 << behind) if behind else 0)
                    assert ctx.get(dut.number) == winner
                    assert ctx.get(dut.selected) == 3 * winner + 1

    simulate(dut, bench)


@pytest.mark.parametrize("width", [1, 3, 4, 5])
def test_round_robin_of_the_preferred(simulate, width: int) -> None:
    dut = Choices(width)

    async def bench(ctx, sync) -> None:
        for request, preferred, pointer in product(range(1 << width), range(1 << width),
                                                   range(width)):
            wants = request & preferred or request
            order = [*range(pointer, width), *range(pointer)]
            ctx.set(dut.request, request)
            ctx.set(dut.preferred, preferred)
            ctx.set(dut.mask, (1 << width) - (1 << pointer) if pointer else 0)
            assert ctx.get(dut.of_preferred) == next(
                (1 << n for n in order if wants >> n & 1), 0)

    simulate(dut, bench)
