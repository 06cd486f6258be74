# SPDX-License-Identifier: Apache-2.0
"""Bench of Scheduler: RTL against the model, all its inputs at random."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.scheduler import Scheduler as Model
from gavel_rtl.scheduler import Scheduler
from gavel_tb.block_sim import expect, run_block
from gavel_tb.stimulus import derived_random

_LONGEST = 6


def check(config: SwitchConfig, seed: int, cycles: int = 600) -> None:
    """Matches and pointers are those of the model in every cycle.

    Raises
    ------
    CheckError
        At the first difference.
    """
    rng = derived_random(seed, "scheduler")
    ports, vcs = config.ports, config.vcs
    allow = [(1 << vcs) - 1] * ports
    block, model = Scheduler(config), Model(config, allow)
    frames = [[0] * config.voqs for _ in range(ports)]
    transfers: dict[int, list[int]] = {}

    def arrive() -> None:
        for source in range(ports):
            if rng.random() < 0.5:
                voq = rng.randrange(config.voqs)
                frames[source][voq] += 1
                if frames[source][voq] == 1:
                    model.voq_filled(source, *divmod(voq, vcs))

    def permit() -> None:
        # Mostly everything, so that queues move; also nothing at all.
        for output in range(ports):
            if rng.random() < 0.1:
                allow[output] = rng.choice(((1 << vcs) - 1, rng.getrandbits(vcs)))
                model.allow_changed(output)

    async def bench(ctx: Any) -> None:
        limit = rng.choice((0, 1, 2, 5))
        ctx.set(block.bypass_limit, limit)
        model.bypass_limit = limit
        for cycle in range(cycles):
            hold = sum((rng.random() < 0.1) << j for j in range(ports))
            done = busy_inputs = busy_outputs = 0
            for source, (output, words) in list(transfers.items()):
                transfers[source][1] = words - 1
                if words == 1:
                    done |= 1 << source
                    del transfers[source]
                    continue
                busy_inputs |= 1 << source
                busy_outputs |= 1 << output
            for source in range(ports):
                ready = sum((count > 0) << voq for voq, count in enumerate(frames[source]))
                ctx.set(block.voq_ready[source], ready)
            ctx.set(block.done, done)
            ctx.set(block.hold, hold)
            permit()
            ctx.set(block.allow, sum(row << j * vcs for j, row in enumerate(allow)))
            where = f"cycle {cycle}"
            for name in ("grant", "accept", "vc", "catch_up"):
                expect(f"{where}: {name}", ctx.get(getattr(block, name)),
                       getattr(model, f"{name}_packed"))
            everything = (1 << ports) - 1
            matches = model.step(everything & ~busy_inputs, everything & ~busy_outputs & ~hold)
            wanted = {source: (1 << output, 1 << vc) for source, output, vc in matches}
            got = {
                source: (ctx.get(match.output), ctx.get(match.vc))
                for source, match in enumerate(block.match) if ctx.get(match.valid)
            }
            expect(f"{where}: matches", got, wanted)
            expect(f"{where}: matched", ctx.get(block.matched),
                   sum(1 << output for _, output, _ in matches))
            for source, output, vc in matches:
                voq = output * vcs + vc
                frames[source][voq] -= 1
                if not frames[source][voq]:
                    model.voq_emptied(source, output, vc)
                transfers[source] = [output, rng.randint(1, _LONGEST)]
            arrive()
            await ctx.tick()

    run_block(block, bench)
