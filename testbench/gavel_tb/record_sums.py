# SPDX-License-Identifier: Apache-2.0
"""Bench of RecordSums: RTL against the model, up to sums that stay at their largest value."""

from __future__ import annotations

import random
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.record_format import PORT, SUMS, pack
from gavel_model.record_sums import RecordSums as Model
from gavel_model.record_sums import Sample
from gavel_rtl.record_sums import CORRECTED_BITS, DROPPED_BITS, UNCORRECTABLE_BITS, RecordSums
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.stimulus import CheckError, derived_random

EVENT_BITS = 12
"""Events of a port."""

_EVENTS = {"corrected": CORRECTED_BITS, "uncorrectable": UNCORRECTABLE_BITS,
           "dropped": DROPPED_BITS}
_PHASE = 100


def random_sample(config: SwitchConfig, rng: random.Random, longest: int) -> Sample:
    """A port in a cycle; amounts below ``longest``, where they are not less by their nature."""
    return Sample(
        rx_bytes=rng.randrange(min(longest, 1 << config.length_bits)),
        tx_bytes=rng.randint(0, min(longest, config.word_bytes)),
        cells=rng.randint(0, min(longest, config.buffer_cells)), blocked=rng.getrandbits(1),
        **{name: rng.randrange(min(longest, 1 << bits)) for name, bits in _EVENTS.items()},
    )


def drive_sample(ctx: Any, interface: Any, sample: Sample, events: int) -> None:
    """Sets what RecordSums looks at in an interface of `gavel_rtl.record_sums.RecordSample`."""
    values = sample._asdict()
    drive(ctx, interface.seen, {name: values.pop(name)
                                for name in ("rx_bytes", "tx_bytes", "cells")})
    drive(ctx, interface, {**values, "events": events})


def check(config: SwitchConfig, seed: int, cycles: int = 5600) -> None:
    """What a record would say is as in the model in every cycle.

    Raises
    ------
    CheckError
        At the first difference, or if no sum came to its end.
    """
    rng = derived_random(seed, "record_sums")
    block, model = RecordSums(config), Model()
    ended: set[str] = set()

    async def bench(ctx: Any) -> None:
        longest, restarts = 1, 0.1
        for cycle in range(cycles):
            if cycle % _PHASE == 0:
                # The last restart leaves time for the narrow sums to come to their end.
                longest = rng.choice((1, 2, 40, 1 << 14)) if cycle < 10 * _PHASE else 1 << 14
                restarts = rng.choice((0.01, 0.1)) if cycle < 10 * _PHASE else 0.0
            sample, events = random_sample(config, rng, longest), rng.getrandbits(EVENT_BITS)
            if cycle >= 10 * _PHASE:
                sample = sample._replace(dropped=(1 << DROPPED_BITS) - 1)
            restart = int(rng.random() < restarts)
            drive_sample(ctx, block.sample, sample, events)
            ctx.set(block.restart, restart)
            fields = model.fields(events)
            expect(f"cycle {cycle}", ctx.get(block.words), pack(PORT, fields))
            ended.update(name for name in SUMS if fields[name] == (1 << PORT[name]) - 1)
            if restart:
                model.reset()
            model.step(sample)
            await ctx.tick()

    run_block(block, bench)
    if "dropped" not in ended:
        raise CheckError("no sum came to its end")
