# SPDX-License-Identifier: Apache-2.0
"""Bench of XgmiiRx: RTL against the model in every cycle, words at random."""

from __future__ import annotations

from itertools import islice
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.xgmii_rx import XgmiiRx as Model
from gavel_rtl.xgmii_rx import XgmiiRx
from gavel_tb.block_sim import drive, expect, number, run_block
from gavel_tb.stimulus import derived_random
from gavel_tb.xgmii_words import WordSource


def check(config: SwitchConfig, seed: int, cycles: int = 4000) -> None:
    """Receive pins and link fault are those of the model.

    Raises
    ------
    CheckError
        At the first difference.
    """
    source = WordSource(derived_random(seed, "xgmii_rx"))
    block, model = XgmiiRx(config), Model()

    async def bench(ctx: Any) -> None:
        for cycle, (word, protect) in enumerate(islice(source.words(), cycles)):
            drive(ctx, block.xgmii, word._asdict())
            ctx.set(block.protect, protect)
            for name, value in model.pins._asdict().items():
                expect(f"cycle {cycle}: {name}", ctx.get(getattr(block.link, name)), value)
            expect(f"cycle {cycle}: fault", number(ctx, block.fault), int(model.fault))
            model.step(word, protect)
            await ctx.tick()

    run_block(block, bench)
