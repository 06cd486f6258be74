# SPDX-License-Identifier: Apache-2.0
"""Bench of AxiStreamTx: RTL against the model in every cycle, pins at random."""

from __future__ import annotations

from random import Random
from typing import Any

from gavel_model.axi_stream_tx import AxiStreamTx
from gavel_model.config import SwitchConfig
from gavel_model.frame import append_fcs, split_words
from gavel_model.pins import TxPins
from gavel_rtl import axi_stream_tx
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.stimulus import derived_random

_BAD = 0.05
_ERROR = 0.01
_CLOSING = 0.01
_OPENING = 0.1
_MISSING = 0.02
_SHARES = (0.3, 0.8, 1.0)
_PHASE = 100
"""Cycles in which the sink is as eager as it is."""


class PinSource:
    """Random transmit pins: frames whose words hold until they are taken, good and bad ones, and,
    rarely, a gap in one.

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
        self._words: list[TxPins] = []
        self._gap = 0
        self._up = 1

    def step(self, ready: bool) -> TxPins:
        """Pins of the next cycle, after one with this pin."""
        rng = self._rng
        if self._words and ready and not self._gap:
            self._words.pop(0)
        self._gap = max(0, self._gap - 1)
        if not self._words and not self._gap:
            self._words = self._frame()
            self._gap = 0 if rng.random() < 0.7 else rng.randrange(1, 6)
        elif rng.random() < _MISSING:
            self._gap = rng.randrange(1, 4)
        self._up ^= int(rng.random() < (_CLOSING if self._up else _OPENING))
        pins = self._words[0] if self._words and not self._gap else TxPins()
        return pins._replace(up=self._up)

    def _frame(self) -> list[TxPins]:
        rng, lanes = self._rng, self._lanes
        data = append_fcs(rng.randbytes(rng.randrange(0, 4 * lanes)))
        if rng.random() < _BAD:
            data = rng.randbytes(len(data))
        words = split_words(data, lanes)
        last = len(words) - 1
        return [TxPins(valid=1, sop=int(n == 0), eop=int(n == last), data=word,
                       err=int(rng.random() < _ERROR),
                       empty=-len(data) % lanes if n == last else 0)
                for n, word in enumerate(words)]


def check(config: SwitchConfig, seed: int, *, strip: bool, cycles: int = 1500) -> None:
    """The stream, ``ready`` and the event are those of the model.

    Raises
    ------
    CheckError
        At the first difference.
    """
    rng = derived_random(seed, "axi_stream_tx", int(strip))
    source = PinSource(config, rng)
    block = axi_stream_tx.AxiStreamTx(config, strip=strip)
    model = AxiStreamTx(config, strip=strip)

    async def bench(ctx: Any) -> None:
        ready, share, up = False, 1.0, 1
        for cycle in range(cycles):
            if cycle % _PHASE == 0:
                share = rng.choice(_SHARES)
            pins, tready = source.step(ready), int(rng.random() < share)
            up ^= int(rng.random() < (_CLOSING if up else _OPENING))
            drive(ctx, block.link, pins._asdict())
            ctx.set(block.axis.tready, tready)
            ctx.set(block.link_up, up)
            ready = model.ready(pins, tready, up)
            expect(f"cycle {cycle}: ready", bool(ctx.get(block.link.ready)), ready)
            for name, value in model.word._asdict().items():
                expect(f"cycle {cycle}: {name}", ctx.get(getattr(block.axis, name)), value)
            expect(f"cycle {cycle}: discarded", bool(ctx.get(block.discarded)), model.discarded)
            model.step(pins, tready, up)
            await ctx.tick()

    run_block(block, bench)
