# SPDX-License-Identifier: Apache-2.0
"""VoqLists alone, with frames that come and go as close to each other as they may."""

from __future__ import annotations

import random
from collections import Counter as Tally
from collections import deque

import pytest

from gavel_model.loader import load_config
from gavel_rtl.voq_lists import VoqLists


@pytest.mark.parametrize("width", [128, 256, 512])
def test_heads_leave_in_order(simulate, width: int) -> None:
    config = load_config("tiny", (f"data_width={width}", "buffer_cells=32"))
    dut = VoqLists(config)
    rng = random.Random(width)
    apart = config.words_per_cell
    seen: Tally[str] = Tally()

    async def bench(ctx, sync) -> None:
        queues: list[deque[int]] = [deque() for _ in range(config.voqs)]
        free = deque(range(config.buffer_cells))
        came = went = -apart
        for cycle in range(1500):
            # Filled and emptied in turn.
            wanted = rng.random() < (0.9, 0.3)[cycle // 100 % 2]
            enqueue = bool(wanted and cycle - came >= apart and free)
            filled = [n for n, queue in enumerate(queues) if queue]
            dequeue = bool(filled and cycle - went >= apart and rng.random() < 0.6)
            ctx.set(dut.enqueue, enqueue)
            ctx.set(dut.dequeue, dequeue)
            left = None
            if dequeue:
                voq = rng.choice(filled)
                ctx.set(dut.dequeue_voq, voq)
                ctx.set(dut.dequeue_output, 1 << voq // config.vcs)
                ctx.set(dut.dequeue_vc, 1 << voq % config.vcs)
            if enqueue:
                n, cell = rng.randrange(config.voqs), free.popleft()
                ctx.set(dut.enqueue_voq, n)
                ctx.set(dut.enqueue_behind, len(queues[n]) > 0)
                ctx.set(dut.enqueue_second, len(queues[n]) == 1)
                ctx.set(dut.frame.cell, cell)
                ctx.set(dut.frame.more, cell % 4)
                seen["a head comes two cycles behind another's end"] += (
                    not queues[n] and cycle - went == 2)
                came = cycle
            if dequeue:
                left = queues[voq].popleft()
                assert ctx.get(dut.head.cell) == left, cycle
                assert ctx.get(dut.head.more) == left % 4, cycle
                seen["followed"] += bool(queues[voq])
                went = cycle
            if enqueue:
                queues[n].append(cell)
            if left is not None:
                free.append(left)
            await ctx.tick()
        assert seen["followed"] > 20
        assert seen["a head comes two cycles behind another's end"], seen

    simulate(dut, bench)
