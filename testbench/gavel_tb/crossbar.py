# SPDX-License-Identifier: Apache-2.0
"""Bench of Crossbar: every word comes out where it was sent, one cycle later."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_rtl.crossbar import Crossbar
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.stimulus import derived_random


def check(config: SwitchConfig, seed: int, cycles: int = 200) -> None:
    """Random partial permutations of random words.

    Raises
    ------
    CheckError
        At the first word that is wrong, missing, or where none was sent.
    """
    rng = derived_random(seed, "crossbar")
    block = Crossbar(config)
    widths = {"valid": 1, "sop": 1, "eop": 1, "next_eop": 1, "empty": config.empty_bits,
              "profile": 3, "mark": 1, "poisoned": 1, "data": config.data_width}

    async def bench(ctx: Any) -> None:
        wanted: dict[int, dict[str, int]] = {}
        for cycle in range(cycles):
            for output in range(config.ports):
                word = wanted.get(output, dict.fromkeys(widths, 0))
                got = {name: ctx.get(getattr(block.o_word[output], name)) for name in widths}
                expect(f"cycle {cycle}, output {output}", got, word)
            outputs = list(range(config.ports))
            rng.shuffle(outputs)
            wanted = {}
            for source, output in enumerate(outputs):
                if rng.random() < 0.3:
                    ctx.set(block.connect[source], 0)
                    drive(ctx, block.i_word[source], dict.fromkeys(widths, 0))
                    continue
                word = {name: rng.getrandbits(width) for name, width in widths.items()}
                word["valid"] = 1
                wanted[output] = word
                ctx.set(block.connect[source], 1 << output)
                drive(ctx, block.i_word[source], word)
            await ctx.tick()

    run_block(block, bench)
