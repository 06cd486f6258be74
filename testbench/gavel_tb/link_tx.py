# SPDX-License-Identifier: Apache-2.0
"""Bench of LinkTx: RTL against the model, words and ready at random."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.link_tx import LinkTx as Model
from gavel_model.pins import TxPins
from gavel_rtl.link_tx import LinkTx
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.stimulus import derived_random

_IN_FLIGHT = 3
"""Cycles in which words still come after a hold: what is on its way from the buffer."""


def check(config: SwitchConfig, seed: int, cycles: int = 2000) -> None:
    """Pins and hold are those of the model in every cycle.

    Raises
    ------
    CheckError
        At the first difference.
    """
    rng = derived_random(seed, "link_tx")
    block, model = LinkTx(config), Model()

    async def bench(ctx: Any) -> None:
        holds = [False] * _IN_FLIGHT
        for cycle in range(cycles):
            word = None
            if not holds[0] and rng.random() < 0.8:
                eop = rng.getrandbits(1)
                word = TxPins(valid=1, sop=rng.getrandbits(1), eop=eop,
                              empty=rng.getrandbits(config.empty_bits) if eop else 0,
                              data=rng.getrandbits(config.data_width), up=1)
            shown = word or TxPins()
            drive(ctx, block.word, {name: getattr(shown, name)
                                    for name in ("valid", "sop", "eop", "empty", "data")})
            ready = int(rng.random() < (0.3 if cycle // 100 % 2 else 0.9))
            ctx.set(block.link.ready, ready)
            pins = model.shown or TxPins()
            for name in ("valid", "sop", "eop", "empty", "data"):
                expect(f"cycle {cycle}: {name}", ctx.get(getattr(block.link, name)),
                       getattr(pins, name))
            expect(f"cycle {cycle}: hold", bool(ctx.get(block.hold)), model.hold)
            holds = [*holds[1:], model.hold]
            model.step(word, ready)
            await ctx.tick()

    run_block(block, bench)
