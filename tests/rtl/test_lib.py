# SPDX-License-Identifier: Apache-2.0
"""CRC algebra against zlib, arbitration against lists."""

from __future__ import annotations

import random
import zlib

import pytest
from amaranth.hdl import Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_rtl.lib import crc
from gavel_rtl.lib.one_hot import encode, select
from gavel_rtl.lib.round_robin import first, pick, pointer_after


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


def test_residue_is_the_published_one() -> None:
    reflected = int(f"{crc.residue():032b}"[::-1], 2)
    assert reflected == 0xC704DD7B  # IEEE 802.3, 3.2.9, as given for a receiver's check


class Choices(wiring.Component):
    def __init__(self, width: int) -> None:
        super().__init__({
            "request": In(width), "mask": In(width), "first": Out(width), "pick": Out(width),
            "after": Out(width), "number": Out(4), "selected": Out(8),
        })

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.first.eq(first(self.request)),
            self.pick.eq(pick(self.request, self.mask)),
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
