# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from gavel_model.pins import Inputs
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

@pytest.mark.parametrize("mix", MIXES)
def test_link_partners(mix, shapes, replay, seed):
    config = shapes["3x128" if len(mix) % 2 else "tiny"]
    options = {name: value for name, value in MIXES[mix].items() if name != "frames"}
    assert mix in mixes_for(config.vcs)
    job = LlrTrafficJob(seed=seed, cycles=CYCLES, **options)
    assert replay(config, job, CYCLES).totals()[Counter.LLR_RX_OK]


@pytest.mark.parametrize("shape", ["5x256", "4x512"])
def test_link_partners_at_other_widths(shape, shapes, replay, seed):
    assert_repaired(replay, shapes[shape], "min", False, seed)


@pytest.mark.parametrize("total", [False, True])
@pytest.mark.parametrize(("width", "vcs", "gate_stages", "match_stages"), [
    (64, 4, 1, 1), (128, 1, 1, 0), (256, 2, 1, 0), (512, 4, 1, 0), (64, 2, 2, 0), (128, 3, 2, 1)])
def test_link_partners_with_registers_around_the_scheduler(
    width, vcs, gate_stages, match_stages, total, make_config, replay, seed
):
    config = make_config(3, width, vcs, 2, gate_stages=gate_stages, match_stages=match_stages,
                         read_stages=2 * int(total), launch_stages=int(total))
    assert_repaired(replay, config, "min" if width == 512 else "mixed", total, seed)


def assert_repaired(replay, config, size, total, seed):
    job = LlrTrafficJob(seed=seed, cycles=CYCLES, size=size, credits=True, total_credits=total,
                        word_errors=5e-3, set_drops=0.05, word_drops=2e-3, stalls=True)
    counters = replay(config, job, CYCLES).totals()
    assert counters[Counter.LLR_TX_REPLAY]
    assert counters[Counter.CBFC_RX_CF_UPDATE]


SHAPES = ((2, 64, 2, 2, "voq"), (3, 128, 3, 4, "fifo"), (4, 256, 5, 3, "voq"),
          (3, 512, 8, 1, "voq"))
GATED = ((2, 64, 1, 2, "voq"), (3, 128, 2, 1, "voq"), (2, 256, 4, 2, "fifo"), (3, 512, 2, 1, "voq"),
         (2, 512, 4, 1, "voq"))
REQUESTING = ((2, 64, 1, 2, "voq"), (3, 128, 4, 3, "voq"), (3, 64, 2, 1, "fifo"))


def test_random_pins_in_which_every_counter_moves(make_config, compared, seed):
    assert moved_by_random_pins(make_config, compared, seed, SHAPES) == set(Counter)


def test_random_pins_with_registers_before_the_scheduler_and_around_others(
    make_config, compared, seed
):
    moved = moved_by_random_pins(make_config, compared, seed, GATED, CYCLES, gate_stages=1,
                                 launch_stages=1, control_stages=1, register_stages=1)
    assert moved >= {Counter.CBFC_RX_CF_ERROR, Counter.CBFC_TX_CC_UPDATE, Counter.PFC_RX,
                     Counter.LLR_TX_REPLAY}


def test_random_pins_with_requests_a_cycle_earlier(make_config, compared, seed):
    moved_by_random_pins(make_config, compared, seed, REQUESTING, CYCLES, match_stages=1,
                         receive_stages=1)


def test_random_pins_with_all_registers_around_the_scheduler(make_config, compared, seed):
    moved_by_random_pins(make_config, compared, seed, REQUESTING, CYCLES, gate_stages=2,
                         match_stages=1, read_stages=2, launch_stages=1, control_stages=1)


def test_random_pins_where_macs_show_frames_alone(make_config, compared, seed):
    both = compared(make_config(2, 64, 2, 2, mac="frames", **ODD))
    pins = RandomPins(both.config, seed)
    both.run(lambda _: pins.step(both.plain), CYCLES)
    states = {port.llr_transmitter.state for port in both.plain.ports}
    assert {int(state) for state in states} == {0}


@pytest.mark.long
@pytest.mark.parametrize("number", range(20))
def test_more_random_pins(number, make_config, compared, seed):
    shapes, stages = ((SHAPES, {}), (GATED, {"gate_stages": 1}),
                      (REQUESTING, {"gate_stages": 1 + number // 3 % 2, "match_stages": 1})
                      )[number % 3]
    moved_by_random_pins(make_config, compared, seed + 1 + number, shapes, **stages,
                         receive_stages=number % 2, register_stages=number // 6 % 2,
                         read_stages=number // 7 % 3, control_stages=number // 3 % 2,
                         launch_stages=number // 4 % 2)


def moved_by_random_pins(make_config, compared, seed, shapes, cycles=2 * CYCLES, **options):
    moved = set()
    for *shape, queueing in shapes:
        both = compared(make_config(*shape, queueing=queueing, **ODD, **options))
        pins = RandomPins(both.config, seed)

        def step(_: int, both=both, pins=pins, moved=moved) -> Inputs:
            inputs = pins.step(both.plain)
            if inputs.reset:
                moved.update(both.moved())
            return inputs

        both.run(step, cycles)
        moved.update(both.moved())
    return moved


@pytest.mark.long
@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("shape", ["5x256", "4x512", "pod"])
def test_link_partners_for_longer(mix, shape, shapes, replay, seed):
    options = {name: value for name, value in MIXES[mix].items() if name != "frames"}
    replay(shapes[shape], LlrTrafficJob(seed=seed, cycles=5 * CYCLES, **options), 5 * CYCLES)
