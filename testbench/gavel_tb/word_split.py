# SPDX-License-Identifier: Apache-2.0
"""Bench of WordSplit: RTL against the model in every cycle, items and answers at random."""

from __future__ import annotations

from random import Random
from typing import Any

from amaranth.hdl import ResetInserter, Signal

from gavel_model.config import SwitchConfig
from gavel_model.pins import CTL_BITS, SEQ_BITS, TxPins
from gavel_model.word_split import WordSplit as Model
from gavel_model.xgmii import LANES
from gavel_rtl.word_split import WordSplit
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.stimulus import CheckError, derived_random

_RESET = 0.002
_ERROR = 0.03
_LOADS = (0.1, 0.5, 1.0, 1.0)
_READY = (0.2, 0.9, 1.0, 1.0)
_SETS = (0.0, 0.1, 0.5)
_PHASE = 30
"""Cycles in which the shares stay."""

_WITH_WORD = ("sop", "eop", "err", "data")


class PinSource:
    """Random transmit pins, words of frames that may have gaps, and sets at any time; both hold
    until they are taken.

    Parameters
    ----------
    config
        W.
    rng
        Decides everything.
    """

    def __init__(self, config: SwitchConfig, rng: Random) -> None:
        self._config, self._rng = config, rng
        self._word = TxPins()
        self._ctl: int | None = None
        self._left = self._cycle = self._ends = 0
        self._load = self._sets = 0.0

    def step(self, ready: bool, ctl_ready: bool) -> TxPins:
        """Pins of the next cycle, after one with these two pins."""
        rng = self._rng
        if self._cycle % _PHASE == 0:
            self._load, self._sets = rng.choice(_LOADS), rng.choice(_SETS)
        self._cycle += 1
        if ready:
            self._word = TxPins()
        if ctl_ready:
            self._ctl = None
        if not self._word.valid and rng.random() < self._load:
            self._word = self._next_word()
        if self._ctl is None and rng.random() < self._sets:
            self._ctl = rng.getrandbits(CTL_BITS)
        return self._word._replace(ctl_valid=int(self._ctl is not None), ctl=self._ctl or 0,
                                   up=int(rng.random() < 0.9))

    def _next_word(self) -> TxPins:
        rng, config = self._rng, self._config
        sop = int(not self._left)
        if sop:
            self._left = rng.randrange(1, 5)
        self._left -= 1
        eop = int(not self._left)
        # In turn, so that each number of slices comes.
        self._ends = (self._ends + LANES * eop) % config.word_bytes
        llr = sop & rng.getrandbits(1)
        return TxPins(valid=1, sop=sop, eop=eop, err=int(rng.random() < _ERROR), llr=llr,
                      seq=rng.getrandbits(SEQ_BITS) if llr else 0,
                      empty=self._ends + rng.randrange(LANES) if eop else 0,
                      data=rng.getrandbits(config.data_width))


def check(config: SwitchConfig, seed: int, cycles: int = 2000) -> None:
    """The narrow pins and both answers are those of the model; what has no meaning is not looked
    at.

    Raises
    ------
    CheckError
        At the first difference, or if a word of some number of slices has not come.
    """
    rng = derived_random(seed, "word_split", config.data_width)
    source = PinSource(config, rng)
    block, model, reset = WordSplit(config), Model(config), Signal()
    ends: set[int] = set()

    async def bench(ctx: Any) -> None:
        ready, share = (False, False), 1.0
        for cycle in range(cycles):
            if cycle % _PHASE == 0:
                share = rng.choice(_READY)
            pins = source.step(*ready)
            takes = (rng.random() < share, rng.random() < share)
            drive(ctx, block.i_link, pins._asdict())
            drive(ctx, block.o_link, {"ready": takes[0], "ctl_ready": takes[1]})
            ready = model.ready(pins)
            got = (bool(ctx.get(block.i_link.ready)), bool(ctx.get(block.i_link.ctl_ready)))
            expect(f"cycle {cycle}: ready, ctl_ready", got, ready)
            for name, value in _meant(model.pins).items():
                expect(f"cycle {cycle}: {name}", ctx.get(getattr(block.o_link, name)), value)
            expect(f"cycle {cycle}: up", ctx.get(block.o_link.up), pins.up)
            if pins.valid and pins.eop and not pins.err:
                ends.add(pins.empty // LANES)
            resets = rng.random() < _RESET
            ctx.set(reset, resets)
            if resets:
                model.reset()
            else:
                model.step(pins, *takes)
            await ctx.tick()

    run_block(ResetInserter(reset)(block), bench)
    if len(ends) < config.word_bytes // LANES:
        raise CheckError(f"only these numbers of slices were missing: {sorted(ends)}")


def _meant(pins: TxPins) -> dict[str, int]:
    """The pins that mean something."""
    names = ["valid", "ctl_valid"]
    if pins.valid:
        names += _WITH_WORD
        names += ["empty"] * pins.eop + ["llr", "seq"] * pins.sop
    if pins.ctl_valid:
        names += ["sop", "eop", "err", "ctl"]
    return {name: value for name, value in pins._asdict().items() if name in names}
