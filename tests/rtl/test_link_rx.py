# SPDX-License-Identifier: Apache-2.0
"""LinkRx, cycle by cycle, against chapter 4 of the specification over zlib."""

from __future__ import annotations

import random
import zlib
from collections import Counter as Tally
from collections import deque
from dataclasses import dataclass, field

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.register_map import Counter
from gavel_rtl.interfaces import Reason
from gavel_rtl.link_rx import LinkRx


def config_of(width: int, longest: int, receive_stages: int = 0) -> SwitchConfig:
    return SwitchConfig(ports=2, data_width=width, vcs=1, buffer_cells=32,
                        max_frame_bytes=longest, replay_frames=4, replay_cells=32, seq_bits=7,
                        islip_iterations=1, receive_stages=receive_stages)


@dataclass
class Frame:
    words: int = 0
    error: bool = False
    llr: int = 0
    seq: int = 0
    octets: bytearray = field(default_factory=bytearray)


@dataclass
class Expected:
    """In t+1, and in r the verdict."""

    valid: int = 0
    sop: int = 0
    eop: int = 0
    abort: int = 0
    stray: int = 0
    ctl_os: int = 0
    empty: int = 0
    data: int = 0
    verdict: tuple[Reason, int] | None = None
    frame_class: str = ""
    frame: Frame | None = None
    up: int = 1


class Framing:
    def __init__(self, config: SwitchConfig) -> None:
        self.config = config
        self.frame: Frame | None = None

    def cycle(self, pins: dict[str, int], enable: int) -> Expected:
        up = pins["up"] & enable
        expected = Expected(ctl_os=pins["ctl_valid"] & up, up=up)
        if not up:
            expected.abort = int(self.frame is not None)
            self.frame = None
            return expected
        if not pins["valid"]:
            return expected
        if pins["sop"]:
            expected.abort = int(self.frame is not None)
            self.frame = Frame(llr=pins["llr"], seq=pins["seq"])
        elif self.frame is None:
            expected.stray = 1
            return expected
        frame = self.frame
        lanes = self.config.word_bytes - (pins["empty"] if pins["eop"] else 0)
        octets = pins["data"].to_bytes(self.config.word_bytes, "little")[:lanes]
        frame.words += 1
        frame.octets += octets
        frame.error |= bool(pins["err"])
        expected.valid, expected.sop, expected.eop = 1, pins["sop"], pins["eop"]
        expected.data = int.from_bytes(octets, "little")
        if pins["eop"]:
            expected.empty = pins["empty"]
            expected.verdict = self.verdict(frame), len(frame.octets)
            expected.frame_class = self.frame_class(frame)
            expected.frame = frame
            self.frame = None
        return expected

    def verdict(self, frame: Frame) -> Reason:
        if frame.error:
            return Reason.ERR
        if len(frame.octets) < 64:
            return Reason.UNDERSIZE
        if len(frame.octets) > self.config.max_frame_bytes:
            return Reason.OVERSIZE
        return Reason.FCS if self.fcs_error(frame) else Reason.FILED

    @staticmethod
    def fcs_error(frame: Frame) -> int:
        if len(frame.octets) < 4:
            return -1
        body, fcs = frame.octets[:-4], frame.octets[-4:]
        return zlib.crc32(body) ^ int.from_bytes(fcs, "little")

    def frame_class(self, frame: Frame) -> str:
        error = self.fcs_error(frame)
        if frame.error or frame.seq >> self.config.seq_bits or error not in (0, 0xAAAAAAAA):
            return "bad"
        return "poisoned" if error else "good"


def words_of(config: SwitchConfig, rng: random.Random) -> list[dict[str, int]]:
    """A frame as pin words: usually good, otherwise with one fault."""
    length = rng.choice([64, 65, rng.randint(4, 63), rng.randint(64, config.max_frame_bytes),
                         config.max_frame_bytes, config.max_frame_bytes + 1,
                         rng.randint(64, 3 * config.max_frame_bytes)])
    body = rng.randbytes(length - 4)
    octets = bytearray(body + zlib.crc32(body).to_bytes(4, "little"))
    kind = rng.random()
    if kind < 0.2:
        octets[-4:] = bytes(octet ^ 0xAA for octet in octets[-4:])
    elif kind < 0.4:
        octets[rng.randrange(length)] ^= 1 << rng.randrange(8)
    step = config.word_bytes
    words = []
    llr, seq = rng.getrandbits(1), rng.getrandbits(20 if rng.random() < 0.2 else 7)
    bad = rng.randrange(len(octets)) if rng.random() < 0.1 else -1
    for at in range(0, length, step):
        part = octets[at:at + step]
        empty = step - len(part)
        garbage = rng.randbytes(empty)
        last = at + step >= length
        words.append({
            "valid": 1, "sop": int(at == 0), "eop": int(last),
            "empty": empty if last else rng.randrange(step), "err": int(at <= bad < at + step),
            "data": int.from_bytes(part + garbage, "little"),
            "llr": rng.getrandbits(1) if at else llr, "seq": rng.getrandbits(20) if at else seq,
        })
    return words


@pytest.mark.parametrize(("width", "longest", "stages"), [
    *((width, 150, 0) for width in (64, 128, 256, 512)), (512, 64, 0), (64, 150, 1), (512, 64, 1),
    # Frames of one length only: with 512 bits they are one word, too.
    *(pytest.param(width, 64, 0, marks=pytest.mark.long) for width in (64, 128, 256))])
def test_every_cycle(simulate, width: int, longest: int, stages: int) -> None:
    config = config_of(width, longest, stages)
    dut = LinkRx(config)
    rng = random.Random(width + longest)

    async def bench(ctx, sync) -> None:
        framing = Framing(config)
        queue: list[dict[str, int]] = []
        first, seq = Expected(up=0), 0
        before = deque([Expected()] * stages)
        second = Expected()
        seen: Tally[str] = Tally()
        for cycle in range(4000):
            if cycle == 2000:
                ctx.set(sync.rst, 1)
                await ctx.tick()
                ctx.set(sync.rst, 0)
                framing, first, second = Framing(config), Expected(up=0), Expected()
                before = deque([Expected()] * stages)
            idle = dict.fromkeys(("valid", "sop", "eop", "empty", "err", "data", "llr", "seq"), 0)
            pins = dict(idle)
            chance = rng.random()
            if chance < 0.75:
                if not queue:
                    queue = words_of(config, rng)
                pins.update(queue.pop(0))
                if rng.random() < 0.02:
                    queue = []
            elif chance < 0.8:
                pins.update({"sop": 1, "eop": 1, "err": 1, "empty": 1})
            up = int(rng.random() < 0.99)
            enable = int(rng.random() < 0.99)
            pins.update({"up": up, "ctl_valid": int(rng.random() < 0.1)})
            for name, value in pins.items():
                ctx.set(getattr(dut.link, name), value)
            ctx.set(dut.enable, enable)

            at = f"cycle {cycle}"
            for name in ("valid", "abort"):
                assert ctx.get(getattr(dut.word, name)) == getattr(first, name), f"{at}: {name}"
            assert ctx.get(dut.count) == (first.stray << Counter.RX_STRAY_WORDS
                                          | first.ctl_os << Counter.RX_CTL_OS), at
            assert ctx.get(dut.up) == first.up, at
            for name in ("stray", "ctl_os"):
                seen[name] += getattr(first, name)
            assert ctx.get(dut.end.eligible) == (
                second.frame is not None and second.frame.llr), at
            if second.frame is not None:
                found = second.frame_class
                seen[found] += 1
                assert ctx.get(dut.end.poisoned) == (found == "poisoned"), at
                assert ctx.get(dut.end.bad) == (found == "bad"), at
                assert seq == second.frame.seq & 0x7F, at
            if first.valid:
                for name in ("sop", "eop", "data"):
                    assert ctx.get(getattr(dut.word, name)) == getattr(first, name), f"{at}: {name}"
                assert ctx.get(dut.empty) == first.empty, at
            if second.verdict is not None:
                reason, length = second.verdict
                assert ctx.get(dut.verdict.reason) == reason, at
                seen[reason.name] += 1
                if reason is Reason.FILED:
                    assert ctx.get(dut.verdict.length) == length, at
            before.append(first)
            first, second = framing.cycle(pins, enable), before.popleft()
            seen["abort"] += first.abort
            seq = ctx.get(dut.end.seq_coming)
            await ctx.tick()
        for name in ("FILED", "ERR", "UNDERSIZE", "OVERSIZE", "FCS", "stray", "ctl_os", "abort",
                     "good", "poisoned", "bad"):
            assert seen[name], seen

    simulate(dut, bench)


def test_an_endless_frame_stays_oversize(simulate) -> None:
    config = config_of(64, 64)
    dut = LinkRx(config)

    async def bench(ctx, sync) -> None:
        ctx.set(dut.enable, 1)
        ctx.set(dut.link.up, 1)
        ctx.set(dut.link.valid, 1)
        words = 1100
        for n in range(words):
            ctx.set(dut.link.sop, n == 0)
            ctx.set(dut.link.eop, n == words - 1)
            await ctx.tick()
        ctx.set(dut.link.valid, 0)
        await ctx.tick()
        assert ctx.get(dut.verdict.reason) == Reason.OVERSIZE

    simulate(dut, bench)
