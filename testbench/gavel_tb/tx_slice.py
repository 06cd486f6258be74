# SPDX-License-Identifier: Apache-2.0
"""Bench of TxSlice: RTL against the model in every cycle, and what goes through it in order."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.pins import TxPins
from gavel_model.tx_slice import TxSlice as Model
from gavel_model.xgmii import Fault
from gavel_model.xgmii_tx import XgmiiTx
from gavel_rtl.tx_slice import TxSlice
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.stimulus import CheckError, derived_random
from gavel_tb.xgmii_tx import PinSource, known_of

_CLOSING = 0.01
_OPENING = 0.1
_PHASE = 200
"""Cycles in which whoever takes words and sets keeps its way."""

Ready = tuple[bool, bool]


class Order:
    """What was taken and not given yet, with what must not overtake it.

    Frames and sets have numbers in the order in which they were taken: a set and a first word of
    one cycle in this order.
    """

    def __init__(self) -> None:
        self._words: list[tuple[int, TxPins]] = []
        self._sets: list[tuple[int, int]] = []
        self._number = 0
        self.both = 0
        """Cycles in which a set waited behind a frame under way and a first word behind that."""

    def take(self, pins: TxPins, ready: Ready) -> None:
        """From the pins."""
        if pins.ctl_valid and ready[1]:
            self._number += 1
            self._sets.append((self._number, pins.ctl))
        if pins.valid and ready[0]:
            self._number += pins.sop
            self._words.append((self._number, pins))
        self.both += bool(self._sets) and any(
            pins.sop and number > self._sets[0][0] for number, pins in self._words)

    def give(self, link: TxPins, ready: Ready) -> None:
        """To XGMII.

        Raises
        ------
        CheckError
            If it is not what must go next.
        """
        if link.ctl_valid and ready[1]:
            number, ctl = self._sets.pop(0)
            expect("set", link.ctl, ctl)
            firsts = [of for of, pins in self._words if pins.sop]
            if firsts and firsts[0] < number:
                raise CheckError("a set has overtaken a frame")
        if link.valid and ready[0]:
            number, pins = self._words.pop(0)
            expect("word", link._replace(up=0, ctl_valid=0, ctl=0),
                   pins._replace(up=0, ctl_valid=0, ctl=0))
            if link.sop and self._sets and self._sets[0][0] < number:
                raise CheckError("a frame has overtaken a set")


class Taker:
    """Whoever takes words and sets: XgmiiTx, which is closed now and then, or chance."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._xgmii = XgmiiTx()
        self._fault = Fault.NONE
        self._ways = self._phases()

    def _phases(self) -> Iterator[float | None]:
        while True:
            way = self._rng.choice((None, None, 0.1, 0.5, 0.9))
            yield from (way for _ in range(_PHASE))

    def step(self, link: TxPins) -> Ready:
        """``ready`` and ``ctl_ready`` of the cycle in which link is this."""
        rng, way = self._rng, next(self._ways)
        if way is not None:
            return rng.random() < way, rng.random() < way
        ready = self._xgmii.ready(link, self._fault)
        self._xgmii.step(link, self._fault, True)
        if rng.random() < (_CLOSING if self._fault is Fault.NONE else _OPENING):
            self._fault = rng.choice(tuple(Fault))
        return ready


def expect_link(ctx: Any, cycle: int, block: Any, wanted: TxPins) -> None:
    """Link is that of the model; what means nothing may be anything."""
    names = ["valid", "sop", "ctl_valid", "up"]
    names += ["eop", "err", "empty", "llr", "seq", "data"] * wanted.valid
    names += ["ctl"] * wanted.ctl_valid
    for name in names:
        expect(f"cycle {cycle}: {name}", ctx.get(getattr(block.link, name)), getattr(wanted, name))
    known = known_of(wanted)
    for name in known if wanted.valid else ("good",):
        expect(f"cycle {cycle}: {name}", ctx.get(getattr(block.known, name)), known[name])


def check(config: SwitchConfig, seed: int, cycles: int = 6000) -> None:
    """What both sides see is what the model says; everything that is taken is given, in the order
    that docs/xgmii.md promises.

    Raises
    ------
    CheckError
        At the first difference, or if sets and frames never met.
    """
    rng = derived_random(seed, "tx_slice")
    source, taker = PinSource(rng), Taker(rng)
    block, model, order = TxSlice(config), Model(), Order()

    async def bench(ctx: Any) -> None:
        ready = (False, False)
        for cycle in range(cycles):
            pins = source.step(*ready)
            link = model.link(pins.up)
            given = taker.step(link)
            drive(ctx, block.pins, pins._asdict())
            drive(ctx, block.link, dict(zip(("ready", "ctl_ready"), given, strict=True)))
            ready = (model.ready, model.ctl_ready)
            got = (bool(ctx.get(block.pins.ready)), bool(ctx.get(block.pins.ctl_ready)))
            expect(f"cycle {cycle}: ready, ctl_ready", got, ready)
            expect_link(ctx, cycle, block, link)
            order.give(link, given)
            order.take(pins, ready)
            model.step(pins, ready=given[0], ctl_ready=given[1])
            expect(f"cycle {cycle}: ready_next", bool(ctx.get(block.ready_next)), model.ready)
            await ctx.tick()

    run_block(block, bench)
    if not order.both:
        raise CheckError("no set stood before a frame")
