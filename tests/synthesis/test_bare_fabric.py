# SPDX-License-Identifier: Apache-2.0
"""What is measured as the bare fabric switches frames."""

from __future__ import annotations

from typing import Any

from gavel_model.loader import load_config
from gavel_tb.block_sim import drive, run_block, word_members
from gavel_tb.synthesis.bare_fabric import BareFabric

_FRAME = bytes(range(1, 69))


def _sent_to(good: int, hold: int) -> list[dict[int, list[int]]]:
    """For each output the words that leave it, by cycle, with their marks of first and last."""
    config = load_config("tiny", ("ports=3", "data_width=64", "ingress_stages=2", "gate_stages=1"))
    dut = BareFabric(config)
    left: list[dict[int, list[int]]] = [{} for _ in range(config.ports)]

    async def bench(ctx: Any) -> None:
        words = word_members(_FRAME, config.word_bytes)
        for cycle in range(len(words) + 20):
            word = words[cycle] if cycle < len(words) else dict.fromkeys(words[0], 0)
            drive(ctx, dut.word[0], word)
            drive(ctx, dut, {"good": good, "hold": hold})
            ctx.set(dut.length[0], len(_FRAME))
            ctx.set(dut.empty[0], -len(_FRAME) % config.word_bytes)
            ctx.set(dut.output[0], 2)
            for output, of_output in enumerate(left):
                if ctx.get(dut.valid) >> output & 1:
                    of_output[cycle] = [ctx.get(dut.data[output]), ctx.get(dut.sop) >> output & 1,
                                        ctx.get(dut.eop) >> output & 1,
                                        ctx.get(dut.unused[output])]
            await ctx.tick()

    run_block(dut, bench)
    return left


def test_a_frame_leaves_by_its_output() -> None:
    words = [int.from_bytes(_FRAME[at:at + 8], "little") for at in range(0, len(_FRAME), 8)]
    left = _sent_to(good=0b001, hold=0b011)
    # Filed in cycle 8, matched in 9, read in 10, in the crossbar's register in 12.
    assert left == [{}, {}, {12 + n: [word, int(n == 0), int(n == 8), 4]
                             for n, word in enumerate(words)}]


def test_a_bad_frame_and_one_on_hold_stay() -> None:
    assert _sent_to(good=0b110, hold=0) == [{}, {}, {}]
    assert _sent_to(good=0b001, hold=0b100) == [{}, {}, {}]
