# SPDX-License-Identifier: Apache-2.0
"""FrameWriter with a buffer that is all but full: which frames find room."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from tests.rtl.test_ingress_buffer import config_of

from gavel_model.register_map import Counter
from gavel_rtl.frame_writer import FrameWriter


def words_of(count: int, gaps: set[int]) -> Iterator[dict[str, int]]:
    """Words of a frame, one in each cycle, with an idle cycle in front of those in ``gaps``."""
    for number in range(count):
        if number in gaps:
            yield {"valid": 0, "sop": 0, "eop": 0}
        yield {"valid": 1, "sop": int(number == 0), "eop": int(number == count - 1)}


@pytest.mark.parametrize("width", [64, 128, 256])
@pytest.mark.parametrize("more", [1, 2])
def test_a_word_finds_the_cell_that_came_back_before_it(simulate, width: int, more: int) -> None:
    """One cell is free for a frame of one cell and ``more`` words, the first of which finds another
    one only if it came back in an earlier cycle, however near and whatever gap is between."""
    config = config_of(data_width=width)
    in_cell = config.words_per_cell
    count = in_cell + more
    dut = FrameWriter(config)

    async def cycle(ctx, word: dict[str, int], length: int, free: bool = False) -> int:
        for name, value in word.items():
            ctx.set(getattr(dut.word, name), value)
        ctx.set(dut.verdict.length, length)
        ctx.set(dut.route.hit, 1)
        # The first cell of all is of a frame that was filed.
        ctx.set(dut.free, free)
        counted = ctx.get(dut.count)
        await ctx.tick()
        return counted

    async def bench(ctx, sync) -> None:
        seen = set()
        gaps = [set(numbers) for numbers in ((), (count - 1,), (count - 2,),
                                             (count - 2, count - 1), (in_cell,))]
        for gap, back in product(gaps, range(in_cell - 1, count + 4)):
            ctx.set(sync.rst, 1)
            await cycle(ctx, {"valid": 0, "sop": 0, "eop": 0}, 0)
            ctx.set(sync.rst, 0)
            for _ in range(config.buffer_cells - 1):
                for word in words_of(in_cell, set()):
                    await cycle(ctx, word, 64)
            assert ctx.get(dut.free_cells) == 1
            words = list(words_of(count, gap))
            at = [n for n, word in enumerate(words) if word["valid"]]
            for n, word in enumerate(words):
                counted = await cycle(ctx, word, count * width // 8, n == back)
            finds = back < at[in_cell]
            seen.add(finds)
            assert counted == 1 << (Counter.RX_FRAMES if finds else Counter.RX_NO_BUFFER), (
                f"gaps {gap}, a cell back in cycle {back}")
        assert seen == {False, True}

    simulate(dut, bench)
