# SPDX-License-Identifier: Apache-2.0
"""LinkTx: two registers that hold what is not taken."""

import random

import pytest

from gavel_model.loader import load_config
from gavel_rtl.link_tx import LinkTx
from gavel_tb.block_sim import run_block

WORD = {"valid": 1, "sop": 1, "eop": 1, "empty": 3, "llr": 1, "seq": 20, "data": 64}
"""Members and their widths."""

NOTHING = dict.fromkeys(WORD, 0)


@pytest.mark.parametrize("ready_known", [False, True])
@pytest.mark.parametrize("launch_stages", [0, 1])
@pytest.mark.parametrize("ready_share", [0.1, 0.5, 1.0])
def test_link_tx_is_two_registers(ready_share, launch_stages, ready_known):
    dut = LinkTx(load_config("tiny", [f"launch_stages={launch_stages}"]), ready_known=ready_known)
    rng = random.Random(ready_share)

    async def bench(ctx):
        word, ctl, ready_next = NOTHING, 0, 1
        for cycle in range(1000):
            enable = rng.getrandbits(1)
            ready = ready_next
            ready_next, ctl_ready = (int(rng.random() < ready_share) for _ in range(2))
            if ready_known:
                ctx.set(dut.ready_next, ready_next)
            ctx.set(dut.enable, enable)
            ctx.set(dut.link.ready, ready)
            ctx.set(dut.link.ctl_ready, ctl_ready)
            assert ctx.get(dut.link.up) == enable
            assert {name: ctx.get(getattr(dut.link, name)) for name in WORD} == word, cycle
            assert ctx.get(dut.link.ctl_valid) == (ctl != 0), cycle
            assert ctx.get(dut.link.ctl) == ctl, cycle
            assert ctx.get(dut.link.err) == 0
            free = not word["valid"] or ready
            ctl_free = not ctl or ctl_ready
            assert ctx.get(dut.word_free) == free, cycle
            assert ctx.get(dut.ctl_free) == ctl_free, cycle
            given = dict(NOTHING)
            if rng.random() < 0.7:
                given = {name: rng.getrandbits(width) for name, width in WORD.items()}
                given["valid"] = 1
            shown = dict(given)
            if launch_stages and not given["valid"]:
                # What comes from memory comes without a word, too.
                shown |= {name: rng.getrandbits(WORD[name]) for name in ("empty", "data")}
            load = rng.getrandbits(56) | 1 if rng.random() < 0.3 else 0
            for name, value in shown.items():
                ctx.set(getattr(dut.word, name), value)
            ctx.set(dut.ctl_load, load != 0)
            ctx.set(dut.ctl, load)
            word = given if free else word
            ctl = load if ctl_free else ctl
            await ctx.tick()

    run_block(dut, bench)
