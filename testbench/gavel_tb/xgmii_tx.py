# SPDX-License-Identifier: Apache-2.0
"""Bench of XgmiiTx: RTL against the model in every cycle, pins at random."""

from __future__ import annotations

from random import Random
from typing import Any

from gavel_model import preamble
from gavel_model.config import SwitchConfig
from gavel_model.pins import CTL_BITS, SEQ_BITS, TxPins
from gavel_model.tx_slice import TxSlice
from gavel_model.xgmii import LANES, Fault
from gavel_model.xgmii_tx import XgmiiTx as Model
from gavel_rtl.xgmii_tx import XgmiiTx
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.stimulus import derived_random

_SHORT_WORDS = 6
_MISSING = 0.01
_CLOSING = 0.01
_OPENING = 0.1
_CHECK = 4
"""Byte of a preamble."""


class PinSource:
    """Random transmit pins: frames whose words hold until they are taken, sets, and, rarely,
    words that are missing, too many or marked with ``err``.

    Parameters
    ----------
    rng
        Decides everything.
    trimmed
        Unused lanes of a last word are 0, as the switch has them.
    """

    def __init__(self, rng: Random, *, trimmed: bool = False) -> None:
        self._rng = rng
        self._trimmed = trimmed
        self._words: list[TxPins] = []
        self._ctl: int | None = None
        self._gap = 0
        self._load = 1.0
        self._up = self.up_next = 1
        """``up`` of the next cycle."""

    def step(self, ready: bool, ctl_ready: bool) -> TxPins:
        """Pins of the next cycle, after one with these two pins."""
        rng = self._rng
        if self._words and ready and not self._gap:
            self._words.pop(0)
        if ctl_ready:
            self._ctl = None
        if rng.random() < 0.01:
            self._load = rng.choice((0.0, 0.05, 0.5, 1.0))
        if self._ctl is None and rng.random() < rng.choice((0.02, self._load)):
            self._ctl = rng.getrandbits(CTL_BITS)
        self._gap = max(0, self._gap - 1)
        if not self._words and not self._gap:
            self._words = self._frame()
            self._gap = 0 if rng.random() < 0.7 else rng.randrange(1, 6)
        elif rng.random() < _MISSING:
            self._gap = rng.randrange(1, 4)
        self._up = self.up_next
        self.up_next ^= int(rng.random() < (_CLOSING if self._up else _OPENING))
        pins = self._words[0] if self._words and not self._gap else TxPins()
        return pins._replace(up=self._up, ctl_valid=int(self._ctl is not None), ctl=self._ctl or 0)

    def _frame(self) -> list[TxPins]:
        rng = self._rng
        last = rng.randrange(_SHORT_WORDS)
        llr = rng.getrandbits(1)
        words = [
            TxPins(valid=1, sop=int(n == 0), eop=int(n == last), data=rng.getrandbits(8 * LANES),
                   err=int(rng.random() < 0.02), empty=rng.randrange(LANES) if n == last else 0,
                   llr=llr if n == 0 else 0, seq=rng.getrandbits(SEQ_BITS) if n == 0 else 0)
            for n in range(last + 1)
        ]
        if self._trimmed:
            words[-1] = words[-1]._replace(
                data=words[-1].data & (1 << 8 * (LANES - words[-1].empty)) - 1)
        spoil = rng.random()
        if spoil < 0.03:
            words.pop()
        elif spoil < 0.06:
            words.pop(0)
        return words


def known_of(word: TxPins) -> dict[str, int]:
    """What `TxSlice` knows of the word that it shows."""
    used = LANES - word.empty if word.eop else LANES
    return {"good": int(word.valid and not word.err), "kept": (1 << used) - 1,
            "check": preamble.encode(word.seq, True)[_CHECK]}


def _left_over(rng: Random) -> dict[str, int]:
    """Members that mean nothing without a word."""
    return {"eop": rng.getrandbits(1), "err": rng.getrandbits(1), "empty": rng.randrange(LANES),
            "llr": 1, "seq": rng.getrandbits(SEQ_BITS), "data": rng.getrandbits(8 * LANES)}


def check(config: SwitchConfig, seed: int, cycles: int = 6000, *, ahead: bool = False,
          sliced: bool = False) -> None:
    """XGMII, ready pins and events are those of the model; ``ahead`` and ``sliced`` as of
    `XgmiiTx`. With ``sliced`` the pins are those of a `TxSlice`.

    Raises
    ------
    CheckError
        At the first difference.
    """
    rng = derived_random(seed, "xgmii_tx")
    source = PinSource(rng, trimmed=sliced)
    block, model = XgmiiTx(config, ahead=ahead, sliced=sliced), Model()
    tx_slice = TxSlice() if sliced else None

    async def bench(ctx: Any) -> None:
        fault = fault_next = Fault.NONE
        protect = True
        ready = (False, False)
        for cycle in range(cycles):
            pins = source.step(*ready)
            fault = fault_next
            if rng.random() < (_CLOSING if fault is Fault.NONE else _OPENING):
                fault_next = rng.choice(tuple(Fault))
            protect ^= rng.random() < 0.02
            if tx_slice:
                given, ready = pins, (tx_slice.ready, tx_slice.ctl_ready)
                pins = tx_slice.link(given.up)
                drive(ctx, block.known, known_of(pins))
            drive(ctx, block.link, pins._asdict())
            if tx_slice and not pins.valid:
                drive(ctx, block.link, _left_over(rng))
            ctx.set(block.fault, fault)
            ctx.set(block.protect, protect)
            if ahead:
                ctx.set(block.closed_next, not source.up_next or fault_next is not Fault.NONE)
            wanted = model.ready(pins, fault)
            got = (bool(ctx.get(block.link.ready)), bool(ctx.get(block.link.ctl_ready)))
            expect(f"cycle {cycle}: ready, ctl_ready", got, wanted)
            for name, value in model.word._asdict().items():
                expect(f"cycle {cycle}: {name}", ctx.get(getattr(block.xgmii, name)), value)
            for name in ("aborted", "discarded"):
                expect(f"cycle {cycle}: {name}", bool(ctx.get(getattr(block, name))),
                       getattr(model, name))
            model.step(pins, fault, protect)
            if tx_slice:
                tx_slice.step(given, *wanted)
            else:
                ready = wanted
            await ctx.tick()

    run_block(block, bench)
