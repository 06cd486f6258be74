# SPDX-License-Identifier: Apache-2.0
"""Bench of LinkTx: RTL against the model's registers, words, sets and ready pins at random."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.link_tx import LinkTx as Model
from gavel_model.pins import CTL_BITS, SEQ_BITS, TxPins
from gavel_rtl.link_tx import LinkTx
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.stimulus import derived_random

_MEMBERS = ("valid", "sop", "eop", "empty", "llr", "seq", "data")


def check(config: SwitchConfig, seed: int, cycles: int = 2000) -> None:
    """Pins are those of the model in every cycle, and hold what is not taken.

    Raises
    ------
    CheckError
        At the first difference.
    """
    rng = derived_random(seed, "link_tx")
    block, model = LinkTx(config), Model()

    async def bench(ctx: Any) -> None:
        for cycle in range(cycles):
            share = 0.3 if cycle // 100 % 2 else 0.9
            ready, ctl_ready, enable = (int(rng.random() < share) for _ in range(3))
            drive(ctx, block.link, {"ready": ready, "ctl_ready": ctl_ready})
            ctx.set(block.enable, enable)
            pins = model.pins()._replace(up=enable)
            got = {name: ctx.get(getattr(block.link, name)) for name in pins._fields}
            expect(f"cycle {cycle}: pins", got, pins._asdict())
            free = model.word is None or bool(ready)
            ctl_free = model.ctl is None or bool(ctl_ready)
            expect(f"cycle {cycle}: word_free", ctx.get(block.word_free), int(free))
            expect(f"cycle {cycle}: ctl_free", ctx.get(block.ctl_free), int(ctl_free))
            word = None
            if rng.random() < 0.8:
                sop, eop = rng.getrandbits(1), rng.getrandbits(1)
                llr = sop & rng.getrandbits(1)
                word = TxPins(valid=1, sop=sop, eop=eop, up=1, llr=llr,
                              seq=rng.getrandbits(SEQ_BITS) if llr else 0,
                              empty=rng.getrandbits(config.empty_bits) if eop else 0,
                              data=rng.getrandbits(config.data_width))
            ctl = rng.getrandbits(CTL_BITS) if rng.random() < 0.3 else None
            shown = word or TxPins()
            drive(ctx, block.word, {name: getattr(shown, name) for name in _MEMBERS})
            drive(ctx, block, {"ctl_load": int(ctl is not None), "ctl": ctl or 0})
            if free:
                model.word = word
            if ctl_free:
                model.ctl = ctl
            await ctx.tick()

    run_block(block, bench)
