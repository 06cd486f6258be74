# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from gavel_model.register_map import Counter
from gavel_tb.llr_traffic import LlrTrafficJob
from gavel_tb.random_pins import RandomPins
from gavel_tb.soak import MIXES, mixes_for

CYCLES = 2000
ODD = {"max_frame_bytes": 200, "replay_frames": 7, "replay_cells": 22, "buffer_cells": 24,
       "seq_bits": 4, "replay_timer": 0, "pcs_lost_timer": 300, "data_age_timer": 0,
       "ctl_spacing": 400, "ctl_min_spacing": 64, "cf_max_spacing": 2000, "cc_period": 300,
       "bypass_limit": 2}
"""Small windows and short times, so that everything wraps and runs out soon."""

NEVER = {Counter.RX_HEADER, Counter.LLR_TX_POISONED}
"""Counters that random pins reach only now and then."""


@pytest.mark.parametrize("mix", MIXES)
def test_link_partners(mix, shapes, replay, seed):
    config = shapes["3x128" if len(mix) % 2 else "tiny"]
    options = {name: value for name, value in MIXES[mix].items() if name != "frames"}
    assert mix in mixes_for(config.vcs)
    job = LlrTrafficJob(seed=seed, cycles=CYCLES, **options)
    assert replay(config, job, CYCLES).totals()[Counter.LLR_RX_OK]


@pytest.mark.parametrize("shape", ["5x256", "4x512"])
def test_link_partners_at_other_widths(shape, shapes, replay, seed):
    job = LlrTrafficJob(seed=seed, cycles=CYCLES, size="min", credits=True, word_errors=5e-3,
                        set_drops=0.05, word_drops=2e-3, stalls=True)
    counters = replay(shapes[shape], job, CYCLES).totals()
    assert counters[Counter.LLR_TX_REPLAY]
    assert counters[Counter.CBFC_RX_CF_UPDATE]


@pytest.fixture(scope="module")
def reached():
    """Counters that random pins have reached, by configuration."""
    return set()


SHAPES = {"2x64": (2, 64, 2, 2), "3x128": (3, 128, 3, 4), "4x256": (4, 256, 5, 3),
          "3x512": (3, 512, 8, 1)}


@pytest.mark.parametrize("shape", SHAPES)
def test_random_pins(shape, make_config, compared, seed):
    both = compared(make_config(*SHAPES[shape], **ODD))
    pins = RandomPins(both.config, seed)
    totals = 0 * both.totals()
    for _ in range(8):
        before = both.totals()
        both.run(lambda _: pins.step(both.plain), 500)
        totals += abs(both.totals() - before)
    missed = {counter for counter in Counter if not totals[counter]}
    assert missed <= NEVER, f"{shape} is to reach every counter"
