# SPDX-License-Identifier: Apache-2.0
"""Credits for line rate beside the formula of docs/flow_control.md, Sizes, on the golden model."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from gavel_model.config import DATA_WIDTHS, MIN_FRAME_BYTES
from gavel_tb.credit_loop import (
    CreditLoopJob,
    credit_config,
    credits_for_line_rate,
    measure_credits,
    rate_on_model,
)

LONGEST = 1518


def some(*dimensions: Any) -> list[Any]:
    """All combinations of some lists of values. The short run has each combination of all but the
    last list once, with the values of the last one in turn."""
    *_, last = dimensions
    return [pytest.param(*(values[n] for values, n in zip(dimensions, place, strict=True)),
                         marks=[] if sum(place) % len(last) == 0 else [pytest.mark.long])
            for place in product(*(range(len(values)) for values in dimensions))]


@pytest.mark.parametrize(("data_width", "frame_bytes", "delay"), some(
    DATA_WIDTHS, [64, 65, 1024], [0, 20]))
def test_the_formula_is_enough_and_close(data_width: int, frame_bytes: int, delay: int) -> None:
    job = CreditLoopJob(frame_bytes=frame_bytes, delay=delay, cycles=2000)
    found = measure_credits(data_width, LONGEST, job)
    assert found["rate"] == 1.0
    config = credit_config(data_width, frame_bytes, delay, LONGEST)
    slack = found["formula"] - found["measured"]
    assert 0 <= slack < 2 * config.max_frame_cells
    if frame_bytes == MIN_FRAME_BYTES:
        assert slack <= 8


@pytest.mark.parametrize(("data_width", "kind", "delay"), some(
    DATA_WIDTHS, [(True, False), (False, True), (True, True)], [0, 3, 100]), ids=str)
def test_line_rate_with_the_formula(
    data_width: int, kind: tuple[bool, bool], delay: int
) -> None:
    total, llr = kind
    config = credit_config(data_width, MIN_FRAME_BYTES, delay, LONGEST)
    job = CreditLoopJob(delay=delay, total=total, llr=llr)
    enough = credits_for_line_rate(config, MIN_FRAME_BYTES, job.loop, total=total)
    assert rate_on_model(config, replace(job, credits=enough, cycles=2000)) == 1.0


@pytest.mark.parametrize(("switch", "total", "stages_of_read_and_egress"), some(
    [(64, 64, 1), (128, 65, 1), (256, 64, 1), (512, 64, 1), (512, 192, 1), (512, 1024, 1),
     (64, 64, 2), (128, 64, 2), (128, 65, 2)],
    [False, True], [(0, 0), (0, 1), (2, 1)]), ids=str)
def test_line_rate_with_registers_around_the_scheduler(
    switch: tuple[int, int, int], total: bool, stages_of_read_and_egress: tuple[int, int]
) -> None:
    data_width, frame_bytes, gate_stages = switch
    read_stages, egress_stages = stages_of_read_and_egress
    job = CreditLoopJob(frame_bytes=frame_bytes, delay=20, total=total, cycles=2000)
    stages = {"receive_stages": 1, "gate_stages": gate_stages, "read_stages": read_stages,
              "egress_stages": egress_stages, "launch_stages": read_stages // 2,
              "match_stages": int(data_width <= 128)}
    config = credit_config(data_width, frame_bytes, job.delay, LONGEST, **stages)
    enough = credits_for_line_rate(config, frame_bytes, job.loop, total=total)
    assert rate_on_model(config, replace(job, credits=enough)) == 1.0


@pytest.mark.parametrize(("data_width", "stages"), [
    (512, {"gate_stages": 1}), (512, {"egress_stages": 1}), (512, {"launch_stages": 1}),
    (512, {"receive_stages": 1}),
    (512, {"read_stages": 1}), (512, {"read_stages": 2}), (128, {"match_stages": 1}),
    (64, {"gate_stages": 2}), (128, {"gate_stages": 2, "match_stages": 1})], ids=str)
def test_with_pipeline_options_the_formula_is_close(
    data_width: int, stages: dict[str, int]
) -> None:
    job = CreditLoopJob(delay=20, cycles=2000)
    config = credit_config(data_width, MIN_FRAME_BYTES, job.delay, LONGEST, **stages)
    enough = credits_for_line_rate(config, MIN_FRAME_BYTES, job.loop)
    assert rate_on_model(config, replace(job, credits=enough - 10)) < 1.0


def test_with_a_longest_frame_alone_one_frame_is_under_way_at_a_time() -> None:
    config = credit_config(64, 64, 100, 64)
    job = CreditLoopJob(delay=100, credits=1, cycles=2000)
    assert 0 < rate_on_model(config, job) <= 8 / (job.loop + 8)


def test_less_than_a_longest_frame_is_refused() -> None:
    config = credit_config(64, 64, 0, LONGEST)
    with pytest.raises(ValueError, match="credits = 23: must be at least 24, a longest frame"):
        rate_on_model(config, CreditLoopJob(credits=23))
