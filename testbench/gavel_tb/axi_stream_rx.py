# SPDX-License-Identifier: Apache-2.0
"""Bench of AxiStreamRx and FcsAppend: RTL against the model in every cycle, words at random."""

from __future__ import annotations

from random import Random
from typing import Any

from gavel_model.axi_stream_rx import AxiStreamRx, AxiStreamWord
from gavel_model.config import SwitchConfig
from gavel_model.fcs_append import FcsAppend
from gavel_model.pins import RxPins
from gavel_rtl import axi_stream_rx, fcs_append
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.stimulus import CheckError, derived_random

_MALFORMED = 0.02
_BAD = 0.02
_LOADS = (0.3, 0.7, 1.0)
_PHASE = 100
"""Cycles in which the load stays."""


class WordSource:
    """Random words: frames of all lengths, with gaps or without, and malformed words.

    Parameters
    ----------
    config
        W.
    rng
        Decides everything.
    """

    def __init__(self, config: SwitchConfig, rng: Random) -> None:
        self._lanes = config.word_bytes
        self._rng = rng
        self._left = 0
        self._load = 1.0
        self._cycle = 0
        self._full = False

    def step(self) -> AxiStreamWord:
        """The word of the next cycle."""
        rng, lanes = self._rng, self._lanes
        if self._cycle % _PHASE == 0:
            self._load = rng.choice(_LOADS)
            # Last words with all lanes cost a word more, one after the other.
            self._full = rng.random() < 0.3
        self._cycle += 1
        data = rng.getrandbits(8 * lanes)
        if rng.random() >= self._load:
            return AxiStreamWord(0, data, rng.getrandbits(lanes), rng.getrandbits(1),
                                 rng.getrandbits(1))
        if not self._left:
            self._left = lanes * rng.randrange(1, 3) if self._full else rng.randrange(
                1, 4 * lanes + 1)
        used = min(self._left, lanes)
        self._left -= used
        keep = (1 << used) - 1
        if rng.random() < _MALFORMED:
            keep = rng.choice((rng.getrandbits(lanes), (1 << rng.randrange(lanes)) - 1))
        return AxiStreamWord(1, data, keep, int(self._left == 0), int(rng.random() < _BAD))


def expect_link(ctx: Any, cycle: int, link: Any, pins: RxPins) -> None:
    """Receive pins are those of the model; without ``valid`` the data mean nothing."""
    for name, value in pins._asdict().items():
        if name != "data" or pins.valid:
            expect(f"cycle {cycle}: {name}", ctx.get(getattr(link, name)), value)


def check(config: SwitchConfig, seed: int, cycles: int = 1500) -> None:
    """Receive pins and events are those of the model.

    Raises
    ------
    CheckError
        At the first difference, or if nothing was lost or nothing waited.
    """
    rng = derived_random(seed, "axi_stream_rx")
    source = WordSource(config, rng)
    block, model = axi_stream_rx.AxiStreamRx(config), AxiStreamRx(config)

    async def bench(ctx: Any) -> None:
        for cycle in range(cycles):
            word, up = source.step(), int(rng.random() < 0.9)
            drive(ctx, block.axis, word._asdict())
            ctx.set(block.link_up, up)
            expect(f"cycle {cycle}: tready", ctx.get(block.axis.tready), 1)
            expect_link(ctx, cycle, block.link, model.pins)
            model.step(word, up)
            await ctx.tick()

    run_block(block, bench)


def check_append(config: SwitchConfig, seed: int, cycles: int = 3000) -> None:
    """The same of `FcsAppend`, which gets what `AxiStreamRx` shows.

    Raises
    ------
    CheckError
        At the first difference, or if no word was lost.
    """
    source = WordSource(config, derived_random(seed, "fcs_append"))
    block, model, receive = fcs_append.FcsAppend(config), FcsAppend(config), AxiStreamRx(config)
    lost = 0

    async def bench(ctx: Any) -> None:
        nonlocal lost
        for cycle in range(cycles):
            pins = receive.pins
            drive(ctx, block.i_link, pins._asdict())
            expect(f"cycle {cycle}: overflow", ctx.get(block.overflow), int(model.overflow))
            expect_link(ctx, cycle, block.o_link, model.pins(pins.up))
            model.step(pins)
            lost += model.overflow
            receive.step(source.step(), cycle % 2)
            await ctx.tick()

    run_block(block, bench)
    if not lost:
        raise CheckError("no word was lost")
