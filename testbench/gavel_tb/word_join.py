# SPDX-License-Identifier: Apache-2.0
"""Bench of WordJoin: RTL against the model in every cycle, words and sets at random."""

from __future__ import annotations

from random import Random
from typing import Any

from amaranth.hdl import ResetInserter, Signal

from gavel_model.config import SwitchConfig
from gavel_model.pins import CTL_BITS, SEQ_BITS, RxPins
from gavel_model.top_options import XGMII_BITS
from gavel_model.word_join import WordJoin as Model
from gavel_model.xgmii import LANES
from gavel_rtl.word_join import WordJoin
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.stimulus import CheckError, derived_random

_RESET = 0.002
_STRANGE = 0.01
_SETS = (0.1, 0.0, 0.05, 0.7)
_GAPS = (0.0, 0.0, 0.2)
_ALWAYS = ("valid", "ctl_valid", "ctl", "up", "data")
_WITH_WORD = ("sop", "eop", "err", "empty")
_WITH_SOP = ("llr", "seq")
_PHASE = 30
"""Cycles in which the shares of sets and of gaps within frames stay."""


class PinSource:
    """Random receive pins as `XgmiiRx` shows them, with gaps within frames and, rarely, a frame
    that begins within another.

    Parameters
    ----------
    slices
        N.
    rng
        Decides everything.
    """

    def __init__(self, slices: int, rng: Random) -> None:
        self._rng, self._slices = rng, slices
        self._left = self._idle = self._cycle = 0
        self._first = True
        self._sets = self._gaps = 0.0

    def reset(self) -> None:
        """No frame is open."""
        self._left = 0

    def step(self) -> RxPins:
        """Pins of the next cycle."""
        rng = self._rng
        if self._cycle % _PHASE == 0:
            self._sets, self._gaps = _SETS[self._cycle // _PHASE % len(_SETS)], rng.choice(_GAPS)
        self._cycle += 1
        is_set = int(rng.random() < self._sets)
        pins = RxPins(ctl_valid=is_set, ctl=rng.getrandbits(CTL_BITS) if is_set else 0,
                      up=int(rng.random() < 0.9), data=rng.getrandbits(XGMII_BITS))
        if not self._left:
            if self._idle:
                self._idle -= 1
                return pins
            self._left = rng.randrange(1, 3 * self._slices + 2)
            self._first = True
            self._idle = rng.choice((0, 1, 2, 3, 8 * self._slices))
        if rng.random() < self._gaps:
            return pins
        sop = int(self._first or rng.random() < _STRANGE)
        llr = sop & rng.getrandbits(1)
        self._first = False
        self._left -= 1
        eop = int(not self._left)
        return pins._replace(
            valid=1, sop=sop, eop=eop, err=int(rng.random() < _STRANGE), llr=llr,
            seq=rng.getrandbits(SEQ_BITS) if llr else 0, empty=rng.randrange(LANES) if eop else 0)


def check(config: SwitchConfig, seed: int, cycles: int = 2000) -> None:
    """The wide pins are those of the model, and what has no meaning is not looked at.

    Raises
    ------
    CheckError
        At the first difference, or if no set went with a word, or none alone.
    """
    rng = derived_random(seed, "word_join", config.data_width)
    source = PinSource(config.data_width // XGMII_BITS, rng)
    block, model, reset = WordJoin(config), Model(config), Signal()
    seen: set[tuple[int, int]] = set()

    async def bench(ctx: Any) -> None:
        for cycle in range(cycles):
            pins = source.step()
            drive(ctx, block.i_link, pins._asdict())
            wanted = model.pins
            names = _ALWAYS + _WITH_WORD * wanted.valid + _WITH_SOP * (wanted.valid & wanted.sop)
            for name in names:
                expect(f"cycle {cycle}: {name}", ctx.get(getattr(block.o_link, name)),
                       getattr(wanted, name))
            seen.add((wanted.valid, wanted.ctl_valid))
            resets = rng.random() < _RESET
            ctx.set(reset, resets)
            if resets:
                source.reset()
                model.reset()
            else:
                model.step(pins)
            await ctx.tick()

    run_block(ResetInserter(reset)(block), bench)
    if len(seen) < 4:
        raise CheckError(f"of words and sets only {sorted(seen)} was seen")
