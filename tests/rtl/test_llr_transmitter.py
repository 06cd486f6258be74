# SPDX-License-Identifier: Apache-2.0
"""LlrTransmitter: what the specification promises in cycles, at every width. Against the model,
with a peer that does what it likes, it runs in tests/sim/test_blocks.py."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.register_map import Counter
from gavel_rtl.llr_transmitter import LlrTransmitter
from gavel_rtl.retry_state import TransmitterState

NO_SET = {"ack": 0, "nack": 0, "init": 0, "init_echo": 0, "unknown": 0, "value": 0,
          "data": 0, "coming": 0, "coming_next": 0, "coming_ack": 0, "coming_nack": 0}
NO_WORD = {"valid": 0, "sop": 0, "eop": 0, "next_eop": 0, "empty": 0, "poisoned": 0, "data": 0}
SETTINGS = {"remote": 1, "reinit": 1, "replay_count": 255, "window_frames": 11,
            "init_seq": 13, "init_data": 7}
LONGEST = 192


def config_of(width: int, launch_stages: int = 0) -> SwitchConfig:
    return SwitchConfig(ports=2, data_width=width, vcs=1, buffer_cells=32, max_frame_bytes=LONGEST,
                        replay_frames=11, replay_cells=19, seq_bits=5, islip_iterations=1,
                        launch_stages=launch_stages)


class Link:
    """Drives the transmitter, and notes what it launches."""

    def __init__(self, ctx: Any, dut: LlrTransmitter, config: SwitchConfig) -> None:
        self.ctx, self.dut, self.config = ctx, dut, config
        self.cycle = 0
        self.words: list[dict[str, int]] = []
        self.launched: list[tuple[int, int, int]] = []
        """(cycle, seq or -1 if it is no numbered first word, data)"""
        self.counted: dict[int, int] = {}
        self.control: dict[str, int] = {}
        ctx.set(dut.up, 1)
        ctx.set(dut.free, 1)
        for name, value in (SETTINGS | {"window_cells": config.replay_cells}).items():
            ctx.set(getattr(dut.settings, name), value)
        for name in ("init_data", "remote", "reinit", "replay_count"):
            ctx.set(getattr(dut.settings.coming, name), SETTINGS[name])

    def put(self, words: int, tag: int) -> None:
        for n in range(words):
            self.words.append({"valid": 1, "sop": int(n == 0), "eop": int(n == words - 1),
                               "next_eop": int(n == words - 2), "empty": 0, "poisoned": 0,
                               "data": tag << 8 | n})

    async def step(self, **control: int) -> None:
        ctx, dut = self.ctx, self.dut
        """One cycle; ``control`` is what `LlrTransmitter` sees in the one after it."""
        control, self.control = self.control, control
        control |= {f"coming_{name}" if name != "value" else "coming": self.control[name]
                    for name in ("value", "ack", "nack") if name in self.control}
        word = self.words.pop(0) if self.words else NO_WORD
        for interface, members in ((dut.control, NO_SET | control), (dut.i_word, word)):
            for name, value in members.items():
                ctx.set(getattr(interface, name), value)
        # A match for each frame, or the counts would not come out; when does not matter here.
        ctx.set(dut.matched, word["sop"])
        if ctx.get(dut.o_word.valid):
            seq = ctx.get(dut.o_word.seq) if ctx.get(dut.o_word.llr) else -1
            self.launched.append((self.cycle, seq, ctx.get(dut.o_word.data)))
        events = ctx.get(dut.count)
        for counter in Counter:
            self.counted[counter] = self.counted.get(counter, 0) + (events >> counter & 1)
        self.cycle += 1
        await ctx.tick()

    async def establish(self) -> None:
        """INIT and its echo."""
        # Until then LLR is off.
        await self.step()
        await self.step()
        assert self.ctx.get(self.dut.state) == TransmitterState.INIT
        assert self.ctx.get(self.dut.init.request)
        assert (self.ctx.get(self.dut.init.seq), self.ctx.get(self.dut.init.data)) == (13, 7)
        await self.step(init_echo=1, value=13, data=6)
        await self.step(init_echo=1, value=12, data=7)
        await self.step()
        assert self.ctx.get(self.dut.state) == TransmitterState.INIT
        await self.step(init_echo=1, value=13, data=7)
        await self.step()
        # Nothing begins before the INIT that may stand on the pins has left.
        self.ctx.set(self.dut.init_waiting, 1)
        for _ in range(3):
            await self.step()
        assert self.ctx.get(self.dut.state) == TransmitterState.INIT
        assert not self.ctx.get(self.dut.init.request)
        self.ctx.set(self.dut.init_waiting, 0)
        await self.step()
        assert self.ctx.get(self.dut.state) == TransmitterState.ADVANCE


def shortest(config: SwitchConfig) -> int:
    return -(-64 // config.word_bytes)


WIDTHS = pytest.mark.parametrize(("width", "launch_stages"), [
    (64, 0), (128, 0), (256, 0), (512, 0), (64, 1), (512, 1)])


@WIDTHS
def test_frames_follow_each_other_without_a_gap_while_acks_come(
    simulate, width: int, launch_stages: int
) -> None:
    config = config_of(width, launch_stages)
    dut = LlrTransmitter(config)

    async def bench(ctx, sync) -> None:
        link = Link(ctx, dut, config)
        await link.establish()
        frames, words = 60, shortest(config)
        for tag in range(frames):
            link.put(words, tag)
        first = link.cycle + 2 + launch_stages
        acknowledged = 0
        for _ in range(frames * words + 20):
            numbered = sum(seq >= 0 for _, seq, _ in link.launched)
            control = {}
            # The frame before the one that is under way is acknowledged in each cycle.
            if numbered >= 2:
                acknowledged = numbered - 2
                control = {"ack": 1, "value": 13 + acknowledged & 31}
            await link.step(**control)
        assert [cycle for cycle, _, _ in link.launched] == list(
            range(first, first + frames * words))
        starts = [(seq, data >> 8) for _, seq, data in link.launched if data & 0xFF == 0]
        assert starts == [(13 + tag & 31, tag) for tag in range(frames)]
        assert link.counted[Counter.LLR_TX_OK] == frames
        assert link.counted[Counter.LLR_RX_ACK_NACK_SEQ_ERROR] == 0

    simulate(dut, bench)


@WIDTHS
def test_a_replay_begins_after_four_cycles_and_has_no_gaps(
    simulate, width: int, launch_stages: int
) -> None:
    config = config_of(width, launch_stages)
    dut = LlrTransmitter(config)

    async def bench(ctx, sync) -> None:
        link = Link(ctx, dut, config)
        await link.establish()
        lengths = [shortest(config), shortest(config) + 1, config.max_frame_words,
                   shortest(config), shortest(config)]
        for round_number in range(12):
            sent = len(link.launched)
            base = 13 + round_number * len(lengths)
            for n, words in enumerate(lengths):
                link.put(words, round_number * 16 + n)
            while link.words:
                await link.step()
            for _ in range(4):
                await link.step()
            once = [(seq, data) for _, seq, data in link.launched[sent:]]
            assert len(once) == sum(lengths)
            # The first frame has arrived, all others are to be sent again.
            await link.step(nack=1, value=base & 31)
            asked = link.cycle
            for _ in range(sum(lengths) + 8):
                await link.step()
            again = link.launched[sent + len(once):]
            assert [(seq, data) for _, seq, data in again] == once[lengths[0]:]
            first = asked + 4 + launch_stages
            assert [cycle for cycle, _, _ in again] == list(
                range(first, first + sum(lengths[1:])))
            assert ctx.get(dut.state) == TransmitterState.ADVANCE
            await link.step(ack=1, value=base + len(lengths) - 1 & 31)
            for _ in range(3):
                await link.step()
            assert ctx.get(dut.probe) >> 63 == 0  # used
        assert link.counted[Counter.LLR_TX_REPLAY] == 12

    simulate(dut, bench)


@pytest.mark.parametrize("launch_stages", [0, 1])
def test_frames_pass_at_once_while_it_is_off(simulate, launch_stages: int) -> None:
    config = config_of(64, launch_stages)
    dut = LlrTransmitter(config)

    async def bench(ctx, sync) -> None:
        link = Link(ctx, dut, config)
        for settings in (dut.settings, dut.settings.coming):
            ctx.set(settings.remote, 0)
        first = link.cycle + 2 + launch_stages
        for tag in range(30):
            link.put(8, tag)
        for _ in range(250):
            assert not ctx.get(dut.hold)
            await link.step()
        assert [cycle for cycle, _, _ in link.launched] == list(range(first, first + 240))
        assert all(seq == -1 for _, seq, _ in link.launched)
        assert not any(link.counted.values())

    simulate(dut, bench)
