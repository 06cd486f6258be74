# SPDX-License-Identifier: Apache-2.0
"""Bench of HeadOrder: RTL against the model, filled and emptied at all rates."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.head_order import HeadOrder as Model
from gavel_rtl.head_order import HeadOrder
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.stimulus import CheckError, derived_random

_PHASE = 60
_RATES = ((1.0, 0.3), (1.0, 1.0), (0.3, 1.0), (0.5, 0.5), (0.0, 1.0), (1.0, 0.0))


def check(config: SwitchConfig, seed: int, cycles: int = 1200) -> None:
    """The head is that of the model in every cycle, from empty to full and over the ring's end.

    Raises
    ------
    CheckError
        At the first difference, or if the ring was never full, or emptied while one was filed.
    """
    rng = derived_random(seed, "head_order")
    block, model = HeadOrder(config), Model()
    full = passed = 0

    async def bench(ctx: Any) -> None:
        nonlocal full, passed
        frames = 0
        filing = taking = 0.0
        for cycle in range(cycles):
            if cycle % _PHASE == 0:
                filing, taking = _RATES[cycle // _PHASE % len(_RATES)]
            voq, head = rng.randrange(config.voqs), model.head
            taken = head is not None and rng.random() < taking
            filed = frames < config.buffer_cells and rng.random() < filing
            drive(ctx, block, {"filed": int(filed), "filed_voq": voq, "taken": int(taken)})
            expect(f"cycle {cycle}: head", bin(ctx.get(block.head)),
                   bin(0 if head is None else 1 << head))
            if taken and head is not None:
                model.take(head)
            if filed:
                model.file(voq)
            passed += taken and filed and frames == 1
            frames += filed - taken
            full += frames == config.buffer_cells
            await ctx.tick()

    run_block(block, bench)
    if not full or not passed:
        raise CheckError(f"never seen: full {full}, passed through {passed}")
