# SPDX-License-Identifier: Apache-2.0
"""Bench of a receive side that is wider than XGMII at full load: nothing is lost at the slowest
clock of the switch that docs/width.md allows.

XGMII comes from the model of `XgmiiTx`: frames back to back with the gaps of its deficit idle
count, and a set in each gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from gavel_model.config import SwitchConfig
from gavel_model.frame import append_fcs, split_words
from gavel_model.pins import CTL_BITS, SEQ_BITS, TxPins
from gavel_model.top_options import LEAST_CLOCK, xgmii_config
from gavel_model.xgmii import LANES, Fault, XgmiiWord
from gavel_model.xgmii_tx import XgmiiTx
from gavel_rtl.block import connect, place
from gavel_rtl.rx_crossing import RxCrossing
from gavel_rtl.word_join import WordJoin
from gavel_rtl.xgmii_rx import XgmiiRx
from gavel_tb.block_sim import drive
from gavel_tb.crossing_traffic import Item, Sink, expect_some
from gavel_tb.stimulus import CheckError, derived_random

_PERIOD = 1e-8
_DRAIN = 60


def _pins(frames: Sequence[Item]) -> Iterator[TxPins]:
    """Words of all frames, one behind the other."""
    for _, (llr, seq, data) in frames:
        words = split_words(data, LANES)
        last = len(words) - 1
        for n, word in enumerate(words):
            yield TxPins(valid=1, sop=int(n == 0), eop=int(n == last), data=word,
                         empty=-len(data) % LANES if n == last else 0,
                         llr=llr if n == 0 else 0, seq=seq if n == 0 else 0)


def line(frames: Sequence[Item], rng: Random, sent: list[Item], *, sets: bool,
         ) -> Iterator[XgmiiWord]:
    """XGMII words of frames at full load; ``sent`` gets frames and sets in the order of the line.

    Parameters
    ----------
    frames
        As `gavel_tb.crossing_traffic.Item`.
    rng
        Decides the sets.
    sets
        There is always a set to send: one goes in each gap.
    """
    transmit, words, begun = XgmiiTx(), _pins(frames), iter(frames)
    word, ctl = next(words, None), rng.getrandbits(CTL_BITS)
    while word is not None:
        pins = (word._replace(ctl_valid=1, ctl=ctl) if sets else word)._replace(up=1)
        ready, ctl_ready = transmit.ready(pins, Fault.NONE)
        transmit.step(pins, Fault.NONE, True)
        if sets and ctl_ready:
            sent.append(("set", ctl))
            ctl = rng.getrandbits(CTL_BITS)
        if ready:
            if word.sop:
                sent.append(next(begun))
            word = next(words, None)
        yield transmit.word
    for _ in range(_DRAIN):
        transmit.step(TxPins(up=1), Fault.NONE, True)
        yield transmit.word


def check(config: SwitchConfig, seed: int, sizes: Sequence[int], *, frames: int = 150,
          clock: float | None = None, sets: bool = True) -> None:
    """Everything arrives, in order, and the crossing is never full.

    Parameters
    ----------
    sizes
        Lengths of frames, of which each one has one at random.
    clock
        Clock of the switch, in clocks of the port; the least by default.
    sets
        A set is in each gap.

    Raises
    ------
    CheckError
        If it is not so.
    """
    rng = derived_random(seed, f"wide_load {config.data_width} {sizes}")
    sink, sent = Sink(config), list[Item]()
    items: list[Item] = [("frame", (llr, rng.getrandbits(SEQ_BITS) * llr,
                                    append_fcs(rng.randbytes(rng.choice(sizes) - 4))))
                         for llr in rng.choices((0, 1), k=frames)]
    m = Module()
    m.domains += [ClockDomain("port"), ClockDomain("sync")]
    receive = place(m, "receive", XgmiiRx(xgmii_config(config)), {"sync": "port"})
    join = place(m, "word_join", WordJoin(config), {"sync": "port"})
    crossing = place(m, "rx_crossing", RxCrossing(config, joined=True), {"rx": "port"})
    connect(m, join.i_link, receive.link)
    connect(m, crossing.port, join.o_link)
    lost = 0

    async def send(ctx: Any) -> None:
        nonlocal lost
        ctx.set(receive.protect, 1)
        for word in line(items, rng, sent, sets=sets):
            drive(ctx, receive.xgmii, word._asdict())
            await ctx.tick("port")
            lost += ctx.get(crossing.overflow)

    async def take(ctx: Any) -> None:
        while True:
            sink.step(ctx, crossing.core)
            await ctx.tick("sync")

    least = LEAST_CLOCK[config.data_width // (8 * LANES)]
    simulator = Simulator(m)
    simulator.add_clock(_PERIOD, domain="port")
    simulator.add_clock(_PERIOD / (clock or least), phase=_PERIOD * rng.random(), domain="sync")
    simulator.add_testbench(send)
    simulator.add_testbench(take, background=True)
    simulator.run()
    # What is lost may spoil a frame, and changes none without a mark.
    expect_some(sink.good, sent)
    if lost:
        raise CheckError(f"{lost} words and sets were lost")
    if sink.bad or sink.good != sent:
        raise CheckError(f"{len(sent)} frames and sets were sent, and other {len(sink.good)} have "
                         f"come, {sink.bad} of them bad")
