# SPDX-License-Identifier: Apache-2.0
"""Table 2 of telemetry in the RTL: against the model, and every bin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gavel_model.loader import load_config
from gavel_rtl.latency_histogram import LatencyHistogram
from gavel_tb.block_sim import run_block
from gavel_tb.formal.design import Design
from gavel_tb.latency_histogram import check


@pytest.mark.parametrize(("ports", "vcs"), [(4, 1), (2, 2), (3, 3), (5, 8)])
def test_against_the_model(seed: int, ports: int, vcs: int) -> None:
    check(replace(load_config("tiny"), ports=ports, vcs=vcs), seed)


def test_every_bin_from_its_first_latency_to_its_last() -> None:
    """Latencies beyond what can be waited for: the memory gets another time of filing."""
    block = LatencyHistogram(load_config("tiny"))
    design = Design(block)
    filed_at = design.fragment.find_subfragment("filed_at")._data
    bins = [(10, 15), *((1 << n, (2 << n) - 1) for n in range(4, 18)),
            (1 << 18, 1 << 31, (1 << 32) - 1)]

    async def bench(ctx: Any) -> None:
        ctx.set(block.read.latency, 1)
        for number, ends in enumerate(bins):
            ctx.set(block.read.entry, number)
            for counted, latency in enumerate(ends, start=1):
                ctx.set(block.seen.filed, 1)
                await ctx.tick()
                ctx.set(block.seen.filed, 0)
                ctx.set(filed_at[0], (ctx.get(filed_at[0]) - (latency - 10)) % (1 << 32))
                ctx.set(block.seen.opened, 1)  # a cycle after filing: 10 cycles, K
                ctx.set(block.freeze, 1)
                await ctx.tick()
                ctx.set(block.seen.opened, 0)
                ctx.set(block.freeze, 0)
                await ctx.tick().repeat(23)
                assert ctx.get(block.value) == counted, (number, latency)

    run_block(design.fragment, bench)
