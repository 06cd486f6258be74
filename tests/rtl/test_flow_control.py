# SPDX-License-Identifier: Apache-2.0
"""Flow control through the whole switch: what the specification promises in cycles."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from gavel_model.loader import load_config
from gavel_model.mac_control import (
    CreditCounts,
    Pause,
    cc_update_frame,
    decode,
    pfc_frame,
)
from gavel_model.ordered_set import (
    CreditUpdate,
    Kind,
    OrderedSet,
    decode_credits,
    encode,
    encode_credits,
)
from gavel_model.register_map import LLR_CONTROL_RESET, Counter, LlrControl, Port, port_address
from gavel_rtl.switch import Switch
from gavel_tb.block_sim import Elaborated

MEMBERS = ("valid", "sop", "eop", "empty", "data")
RX_MEMBERS = (*MEMBERS, "llr", "seq")
NOTHING = dict.fromkeys(RX_MEMBERS, 0)
CONFIGS = {
    "2x64": replace(load_config("tiny"), vcs=2),
    "3x512": replace(load_config("tiny"), ports=3, vcs=3, data_width=512),
}
MATCH_TO_PINS = 6
"""Cycles from a match to the first word on the pins."""


def make_frame(rng: random.Random, length: int, port: int, vc: int) -> bytes:
    """An Ethernet frame to ``port`` with an 802.1Q tag of class ``vc``."""
    body = bytes([2, 0, 0, 0, 0, port]) + rng.randbytes(6) + bytes([0x81, 0x00, vc << 5, 0])
    body += rng.randbytes(length - len(body) - 4)
    return body + zlib.crc32(body).to_bytes(4, "little")


@cache
def elaborated(name: str) -> Elaborated:
    return Elaborated(Switch(CONFIGS[name]))


class Bench:
    """Drives the pins of a switch, and notes what it sends."""

    def __init__(self, name: str) -> None:
        self.config = config = CONFIGS[name]
        self._switch = elaborated(name)
        self.dut = self._switch.component
        self.cycle = 0
        self.frames: list[list[tuple[int, bytes]]] = [[] for _ in range(config.ports)]
        """For each output (cycle of the first word, bytes)."""
        self.sets: list[list[tuple[int, int]]] = [[] for _ in range(config.ports)]
        self._queues: list[list[dict[str, int]]] = [[] for _ in range(config.ports)]
        self._ctl: list[int | None] = [None] * config.ports
        self._write: tuple[int, int] | None = None
        self._read: int | None = None

    def put(self, port: int, frame: bytes, seq: int | None = None) -> None:
        """Queues a frame; ``seq`` is its number if link-level retry looks after it."""
        lanes = self.config.word_bytes
        for n in range(0, len(frame), lanes):
            part = frame[n:n + lanes]
            self._queues[port].append({
                "valid": 1, "sop": int(n == 0), "eop": int(n + lanes >= len(frame)),
                "empty": lanes - len(part), "data": int.from_bytes(part, "little"),
                "llr": int(seq is not None), "seq": seq or 0})

    def send_credits(self, port: int, vc: int, freed: int) -> None:
        self.send_set(port, encode_credits(CreditUpdate(vc, freed, vc, freed), True))

    def send_set(self, port: int, ctl: int) -> None:
        self._ctl[port] = ctl

    async def step(self, ctx: Any) -> None:
        dut = self.dut
        for port in range(self.config.ports):
            word = self._queues[port].pop(0) if self._queues[port] else NOTHING
            for name in RX_MEMBERS:
                ctx.set(getattr(dut, f"p{port}_rx_{name}"), word[name])
            ctl, self._ctl[port] = self._ctl[port], None
            for name, value in (("rx_up", 1), ("tx_ready", 1), ("tx_ctl_ready", 1),
                                ("rx_ctl_valid", ctl is not None), ("rx_ctl", ctl or 0)):
                ctx.set(getattr(dut, f"p{port}_{name}"), value)
            self._note(ctx, port)
        ctx.set(dut.reg_we, self._write is not None)
        ctx.set(dut.reg_re, self._read is not None)
        address, value = self._write or (self._read or 0, 0)
        ctx.set(dut.reg_addr, address)
        ctx.set(dut.reg_wdata, value)
        self._write = self._read = None
        self.cycle += 1
        await ctx.tick()

    def _note(self, ctx: Any, port: int) -> None:
        got = {name: ctx.get(getattr(self.dut, f"p{port}_tx_{name}")) for name in MEMBERS}
        if got["valid"]:
            if got["sop"]:
                self.frames[port].append((self.cycle, b""))
            start, data = self.frames[port][-1]
            lanes = self.config.word_bytes
            data += got["data"].to_bytes(lanes, "little")[:lanes - got["empty"]]
            self.frames[port][-1] = (start, data)
        if ctx.get(getattr(self.dut, f"p{port}_tx_ctl_valid")):
            self.sets[port].append(
                (self.cycle, ctx.get(getattr(self.dut, f"p{port}_tx_ctl"))))

    async def idle(self, ctx: Any, cycles: int) -> None:
        for _ in range(cycles):
            await self.step(ctx)

    async def write(self, ctx: Any, port: int, offset: int, value: int) -> None:
        self._write = (port_address(port, offset), value)
        await self.step(ctx)

    async def read(self, ctx: Any, port: int, offset: int) -> int:
        self._read = port_address(port, offset)
        await self.idle(ctx, self.config.answer_cycles)
        value: int = ctx.get(self.dut.reg_rdata)
        return value

    def run(self, bench: Callable[[Any], Any]) -> None:
        self._switch.run(bench)


@pytest.fixture(params=CONFIGS)
def bench(request) -> Bench:
    return Bench(request.param)


@pytest.mark.parametrize("total", [0, 1])
def test_credits_let_a_frame_be_matched_three_cycles_later(bench: Bench, total: int) -> None:
    rng = random.Random(1)
    longest = bench.config.max_frame_cells

    async def run(ctx: Any) -> None:
        await bench.write(ctx, 1, Port.CBFC_LIMIT, longest)
        await bench.write(ctx, 1, Port.CBFC_TOTAL_LIMIT, longest)
        await bench.write(ctx, 1, Port.CBFC_CONTROL, 1 | total << 16)
        frames = [make_frame(rng, 65, 1, 0) for _ in range(3)]
        for frame in frames:
            bench.put(0, frame)
        await bench.idle(ctx, 60)
        # Two credits are in use: one more frame might be too long.
        assert [frame for _, frame in bench.frames[1]] == frames[:1]
        assert await bench.read(ctx, 1, Port.CBFC_S_CC) == 2
        for number in (1, 2):
            bench.send_credits(1, 0, 2 * number)
            sent = bench.cycle
            await bench.idle(ctx, 40)
            assert len(bench.frames[1]) == number + 1
            assert bench.frames[1][number] == (
                sent + 3 + total + MATCH_TO_PINS, frames[number])
        assert await bench.read(ctx, 1, Port.CBFC_S_CC) == 6
        assert await bench.read(ctx, 1, Port.CBFC_S_CF) == 4
        counters = [await bench.read(ctx, 1, Port.COUNTERS + counter) for counter in (
            Counter.CBFC_RX_CF_UPDATE, Counter.CBFC_RX_CF_ERROR, Counter.LLR_RX_CTL_UNKNOWN)]
        assert counters == [2, 0, 0]

    bench.run(run)


def test_more_is_never_under_way_than_the_limit(bench: Bench) -> None:
    rng = random.Random(2)
    longest = bench.config.max_frame_cells
    limit = 2 * longest

    async def run(ctx: Any) -> None:
        await bench.write(ctx, 1, Port.CBFC_LIMIT, limit)
        await bench.write(ctx, 1, Port.CBFC_CONTROL, 1)
        for port in range(bench.config.ports):
            for _ in range(6):
                bench.put(port, make_frame(rng, 64, 1, 0))
        await bench.idle(ctx, 120)
        # Up to the first frame after which a longest one does not fit.
        assert len(bench.frames[1]) == limit - longest + 1

    bench.run(run)


def test_the_peer_is_told_what_is_free(bench: Bench) -> None:
    rng = random.Random(3)

    async def run(ctx: Any) -> None:
        await bench.write(ctx, 0, Port.CBFC_CF_MIN, 64)
        await bench.write(ctx, 0, Port.CBFC_CONTROL, 0x300)
        await bench.write(ctx, 1, Port.VC_CONTROL, 2 << 8)
        await bench.idle(ctx, 20)
        bench.sets[0].clear()
        bench.put(0, make_frame(rng, 65, 1, 0))
        bench.put(0, make_frame(rng, 130, 1, 1))
        await bench.idle(ctx, 100)
        # VC 1 is stopped at the output.
        assert [decode_credits(ctl, True) for _, ctl in bench.sets[0]] == [
            CreditUpdate(0, 2, 1, 0)]
        assert await bench.read(ctx, 0, Port.CBFC_R_CC + 1) == 3
        assert await bench.read(ctx, 0, Port.CBFC_R_CF + 1) == 0
        assert await bench.read(ctx, 0, Port.VC_CELLS + 1) == 3
        await bench.write(ctx, 1, Port.VC_CONTROL, 0)
        await bench.idle(ctx, 100)
        update = decode_credits(bench.sets[0][-1][1], True)
        assert update is not None
        assert {update.vc: update.freed, update.second_vc: update.second_freed}[1] == 3
        assert await bench.read(ctx, 0, Port.VC_CELLS + 1) == 0
        # A frame was damaged on its way: the peer's count says so, and is told at once.
        bench.put(0, cc_update_frame(7, [2, 5]))
        await bench.idle(ctx, 100)
        assert await bench.read(ctx, 0, Port.CBFC_R_CF + 1) == 5
        assert await bench.read(ctx, 0, Port.COUNTERS + Counter.CBFC_RX_RECOVERED) == 1
        assert len(bench.frames[1]) == 2

    bench.run(run)


def test_cc_update_says_what_was_sent_before_it(bench: Bench) -> None:
    rng = random.Random(4)
    words = 64 // bench.config.word_bytes

    async def run(ctx: Any) -> None:
        await bench.write(ctx, 1, Port.CBFC_LIMIT, 1000)
        await bench.write(ctx, 1, Port.CBFC_CC_PERIOD, 23)
        await bench.write(ctx, 1, Port.CBFC_CONTROL, 1)
        for _ in range(12):
            bench.put(0, make_frame(rng, rng.choice((64, 129)), 1, 0))
        await bench.idle(ctx, 300)
        consumed, told = 0, 0
        for _, frame in bench.frames[1]:
            assert zlib.crc32(frame[:-4]) == int.from_bytes(frame[-4:], "little")
            control = decode(frame) if frame[12:14] == b"\x88\x08" else None
            if control is None:
                consumed += -(-len(frame) // 64)
                continue
            assert isinstance(control, CreditCounts)
            assert control.consumed[0] == consumed
            assert frame[6:12] == bytes([2, 0, 0, 0, 0, 1])
            told += 1
        assert told > 3
        assert consumed == await bench.read(ctx, 1, Port.CBFC_S_CC)
        assert await bench.read(ctx, 1, Port.COUNTERS + Counter.TX_FRAMES) == 12
        starts = [start for start, _ in bench.frames[1]]
        assert all(later - start >= words for start, later in
                   pairwise(starts))

    bench.run(run)


def test_pfc_stops_matches_from_the_fourth_cycle_on(bench: Bench) -> None:
    rng = random.Random(5)
    quantum = 512 // bench.config.data_width
    gap = 64 // bench.config.word_bytes

    async def run(ctx: Any) -> None:
        await bench.write(ctx, 1, Port.PFC_CONTROL, 1)
        frames = [make_frame(rng, 64, 1, 0) for _ in range(40)]
        bench.put(1, pfc_frame(9, 1, [10, *[0] * 7]))
        for _ in range(gap):
            await bench.step(ctx)
        sent = bench.cycle - 1
        for frame in frames:
            bench.put(0, frame)
        await bench.idle(ctx, 40 * gap + 20 * quantum + 60)
        assert [frame for _, frame in bench.frames[1]] == frames
        # The frames wait since the cycle in which the first could have been matched.
        first_possible = sent + gap + 4
        resumed = max(first_possible, sent + 4 + 10 * quantum)
        assert bench.frames[1][0][0] == resumed + MATCH_TO_PINS
        assert await bench.read(ctx, 1, Port.COUNTERS + Counter.PFC_RX) == 1

    bench.run(run)


def test_a_full_vc_pauses_its_peer(bench: Bench) -> None:
    rng = random.Random(6)

    async def run(ctx: Any) -> None:
        await bench.write(ctx, 0, Port.PFC_XOFF, 4)
        await bench.write(ctx, 0, Port.PFC_XON, 1)
        await bench.write(ctx, 0, Port.PFC_CONTROL, 0x100)
        await bench.write(ctx, 1, Port.VC_CONTROL, 1 << 8)
        for _ in range(4):
            bench.put(0, make_frame(rng, 64, 1, 0))
        await bench.idle(ctx, 100)
        await bench.write(ctx, 1, Port.VC_CONTROL, 0)
        await bench.idle(ctx, 100)
        of_vc = [n for n in range(8) if n % bench.config.vcs == 0]
        enabled = sum(1 << n for n in of_vc)
        said = [decode(frame) for _, frame in bench.frames[0]]
        assert said == [
            Pause(enabled, tuple(65535 if n in of_vc else 0 for n in range(8))),
            Pause(enabled, (0,) * 8)]
        assert await bench.read(ctx, 0, Port.COUNTERS + Counter.PFC_TX) == 2

    bench.run(run)


def test_a_poisoned_mac_control_frame_does_nothing() -> None:
    bench = Bench("2x64")

    async def run(ctx: Any) -> None:
        await bench.write(ctx, 1, Port.CBFC_CONTROL, 1 << 8)
        await bench.write(ctx, 1, Port.PFC_CONTROL, 1)
        on = 1 << LlrControl.LOCAL | 1 << LlrControl.FORWARD_POISONED
        await bench.write(ctx, 1, Port.LLR_CONTROL, LLR_CONTROL_RESET | on)
        bench.send_set(1, encode(OrderedSet(Kind.INIT, 5, 0), True))
        await bench.idle(ctx, 6)
        number = 5
        for poison in (0xAAAAAAAA, 0):
            for frame in (cc_update_frame(9, [7]), pfc_frame(9, 1, [9] * 8)):
                fcs = int.from_bytes(frame[-4:], "little") ^ poison
                bench.put(1, frame[:-4] + fcs.to_bytes(4, "little"), number)
                number += 1
            await bench.idle(ctx, 30)
            counters = [await bench.read(ctx, 1, Port.COUNTERS + counter) for counter in (
                Counter.RX_MAC_CONTROL, Counter.CBFC_RX_CC_UPDATE, Counter.PFC_RX)]
            assert counters == ([2, 0, 0] if poison else [4, 1, 1])
            assert await bench.read(ctx, 1, Port.CBFC_R_CC) == (0 if poison else 7)

    bench.run(run)
