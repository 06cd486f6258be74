# SPDX-License-Identifier: Apache-2.0
"""Bench of Scheduler: RTL against the model, all its inputs at random."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.late_scheduler import LateScheduler
from gavel_model.probes import probe_points
from gavel_model.scheduler import Scheduler as Model
from gavel_rtl.scheduler import Scheduler
from gavel_tb.block_sim import expect, run_block
from gavel_tb.stimulus import derived_random

_MORE_WORDS = 5
_PHASE = 100
_BLOCK = "scheduler."


def check(config: SwitchConfig, seed: int, cycles: int = 1000) -> None:
    """Matches and pointers are those of the model in every cycle, with permits, weights, strict
    VCs and claims of outputs at random.

    Raises
    ------
    CheckError
        At the first difference.
    """
    rng = derived_random(seed, "scheduler")
    ports, vcs = config.ports, config.vcs
    shortest = config.words_per_cell
    # Words that are left of a transfer when its end is told.
    told = min(shortest, 2)
    allow = [(1 << vcs) - 1] * ports
    allow_next = allow.copy()
    block = Scheduler(config)
    model = (LateScheduler if config.match_stages else Model)(config, allow)
    # Weights and strict VCs of the next cycle.
    configured = [(0, 0)] * ports
    rewrites = 0.0
    frames = [[0] * config.voqs for _ in range(ports)]
    transfers: dict[int, list[int]] = {}
    probes = [point.name.removeprefix(_BLOCK) for point in probe_points(config)
              if point.name.startswith(_BLOCK)]

    def arrive(arriving: list[int | None]) -> None:
        for source, voq in enumerate(arriving):
            if voq is not None:
                frames[source][voq] += 1
                if frames[source][voq] == 1:
                    model.voq_filled(source, *divmod(voq, vcs))

    def permit(ctx: Any, changes: float) -> None:
        ctx.set(block.allow, pack(allow_next))
        for output in range(ports):
            if allow[output] != allow_next[output]:
                allow[output] = allow_next[output]
                model.allow_changed(output)
            # Mostly everything, so that queues move; also nothing at all.
            if rng.random() < changes:
                allow_next[output] = rng.choice(((1 << vcs) - 1, rng.getrandbits(vcs)))
        ctx.set(block.allow_next, pack(allow_next))

    def pack(rows: list[int]) -> int:
        return sum(row << j * vcs for j, row in enumerate(rows))

    def configure(ctx: Any, output: int) -> None:
        """What has been told of this cycle, and what the next one will have."""
        weights, strict = configured[output]
        each = [weights >> 4 * vc & 0xF or 1 for vc in range(vcs)]
        model.serve(output, each if weights else None, strict)
        ctx.set(block.weights[output], weights)
        ctx.set(block.weighted[output], weights != 0)
        ctx.set(block.strict[output], strict)
        if rng.random() < rewrites:
            configured[output] = weights, strict = draw_settings()
        ctx.set(block.weighted_next[output], weights != 0)
        ctx.set(block.strict_next[output], strict)

    def draw_settings() -> tuple[int, int]:
        weights = rng.choice((0, 0, (1 << 4 * vcs) - 1, rng.getrandbits(4 * vcs),
                              sum(rng.randrange(4) << 4 * vc for vc in range(vcs))))
        return weights, rng.choice((0, 0, rng.getrandbits(vcs)))

    async def bench(ctx: Any) -> None:
        nonlocal rewrites
        changes, blocked = 0.0, 0
        before: list[tuple[int, int, int]] = []
        for cycle in range(cycles):
            if cycle % _PHASE == 0:
                limit = rng.choice((0, 1, 2, 5))
                ctx.set(block.bypass_limit, limit)
                model.limit_bypass(limit)
                changes, rewrites = rng.choice((0.1, 1.0)), rng.choice((0.0, 0.02, 0.3))
            for output in range(ports):
                configure(ctx, output)
            claim = sum((rng.random() < 0.1) << j for j in range(ports))
            hold = sum((rng.random() < 0.1) << j for j in range(ports))
            ends = busy_inputs = busy_outputs = 0
            for source, (output, words) in list(transfers.items()):
                transfers[source][1] = words - 1
                ends |= (words == told) << source
                if words == 1:
                    del transfers[source]
                    continue
                busy_inputs |= 1 << source
                busy_outputs |= 1 << output
            arriving = [rng.randrange(config.voqs) if rng.random() < 0.5 else None
                        for _ in range(ports)]
            for source, voq in enumerate(arriving):
                ready = sum((count > 0) << voq for voq, count in enumerate(frames[source]))
                ctx.set(block.voq_ready[source], ready)
                ctx.set(block.voq_next[source], ready if voq is None else ready | 1 << voq)
            ctx.set(block.ends, ends)
            ctx.set(block.hold, hold)
            ctx.set(block.claim, claim)
            permit(ctx, changes)
            where = f"cycle {cycle}"
            for name in probes:
                expect(f"{where}: {name}", ctx.get(getattr(block, name)),
                       getattr(model, f"{name}_packed"))
            everything = (1 << ports) - 1
            idle = everything & ~(busy_outputs | hold)
            expect(f"{where}: idle", ctx.get(block.idle), idle)
            blocked, blocked_before = hold | claim, blocked
            matches = model.step(everything & ~busy_inputs, everything & ~busy_outputs & ~(
                blocked_before if config.match_stages else blocked))
            wanted = {source: 1 << output for source, output, _ in matches}
            got = {source: ctx.get(match.output)
                   for source, match in enumerate(block.match) if ctx.get(match.valid)}
            expect(f"{where}: matches", got, wanted)
            expect(f"{where}: VCs of the matches before", {
                source: ctx.get(block.match[source].vc) for source, *_ in before},
                {source: 1 << vc for source, _, vc in before})
            expect(f"{where}: vc_before", {
                output: vc for output, vcs_of in enumerate(block.vc_before)
                if (vc := ctx.get(vcs_of))}, {output: 1 << vc for _, output, vc in before})
            before = matches
            expect(f"{where}: matched", ctx.get(block.matched),
                   sum(1 << output for _, output, _ in matches))
            expect(f"{where}: matched_vc", {
                output: vc for output, vcs_of in enumerate(block.matched_vc)
                if (vc := ctx.get(vcs_of))}, {output: 1 << vc for _, output, vc in matches})
            for source, output, vc in matches:
                voq = output * vcs + vc
                frames[source][voq] -= 1
                if not frames[source][voq]:
                    model.voq_emptied(source, output, vc)
                transfers[source] = [output, shortest + rng.randint(0, _MORE_WORDS)]
            arrive(arriving)
            await ctx.tick()

    run_block(block, bench)
