# SPDX-License-Identifier: Apache-2.0
"""Points of one link or of a collective as work units, as `gavel_tb.sweep.points`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from gavel_model.loader import load_config
from gavel_tb.credit_loop import (
    CreditLoopJob,
    credit_config,
    credits_for_line_rate,
    rate_on_model,
)
from gavel_tb.goodput import GoodputJob, goodput_config, measure_on_model
from gavel_tb.stimulus import CheckError
from gavel_tb.sweep.points import Row
from gavel_tb.theory.collectives import least_cycles
from gavel_tb.theory.credit_rate import least_credit_rate, most_credit_rate
from gavel_tb.workload.generate import KINDS, collective_steps
from gavel_tb.workload.measure import measure
from gavel_tb.workload.on_model import play_on_model
from gavel_tb.workload.player import Player
from gavel_tb.workload.program import Options, compile_trace

GOODPUT_POINT = "gavel_tb.sweep.link_points:goodput_point"
CREDITS_POINT = "gavel_tb.sweep.link_points:credits_point"
COLLECTIVES_POINT = "gavel_tb.sweep.link_points:collectives_point"

_CLOCK_MHZ = 1000.0


def goodput_point(*, data_width: int, frame_bytes: int, job: Mapping[str, Any]) -> Row:
    """A `GoodputJob` beside the bound of go-back-N."""
    made = GoodputJob(**job)
    config = goodput_config(data_width, frame_bytes, made.delay)
    figures = measure_on_model(config, made)
    theory = {"goodput": figures.pop("bound")}
    figures.pop("share_of_bound")
    return {"parameters": {**asdict(config), "frame_bytes": frame_bytes, **made.parameters()},
            "figures": figures, "theory": theory}


def credits_point(
    *, data_width: int, frame_bytes: int, longest_bytes: int, share: float, job: Mapping[str, Any]
) -> Row:
    """A `CreditLoopJob` with a share of the credits that line rate takes by the formula, but at
    least those for a longest frame and one frame more."""
    made = CreditLoopJob(frame_bytes=frame_bytes, **job)
    config = credit_config(data_width, frame_bytes, made.delay, longest_bytes)
    enough = credits_for_line_rate(config, frame_bytes, made.loop)
    limit = config.max_frame_cells + max(1, round(share * (enough - config.max_frame_cells)))
    made = replace(made, credits=limit)
    return {"parameters": {**asdict(config), "share": share, **made.parameters()},
            "figures": {"rate": rate_on_model(config, made)},
            "theory": {"rate": least_credit_rate(config, frame_bytes, made.loop, limit),
                       "rate_most": most_credit_rate(config, frame_bytes, made.loop, limit)}}


def collectives_point(*, ranks: int, kind: str, size: int, seed: int) -> Row:
    """A ring or direct collective, played on the preset ``pod`` with as many ports as ranks."""
    config = load_config("pod", [f"ports={ranks}"])
    algorithm = "direct" if kind == "all-to-all" else "ring"
    trace = collective_steps(kind, ranks, size, algorithm=algorithm)
    player = Player(config, compile_trace(trace, Options(clock_mhz=_CLOCK_MHZ)), seed=seed)
    play_on_model(config, player)
    if player.failure is not None:
        raise CheckError(player.failure)
    result = measure(player, _CLOCK_MHZ)
    frames, word = player.frames, config.word_bytes
    # What headers and unused bytes of last words leave of the longest frames.
    payload = frames.mtu / (-(-frames.frame_bytes(frames.mtu) // word) * word)
    completion = max(cycle + 1 for cycle in result["completion_cycles"])
    least = least_cycles(KINDS[kind], ranks, size, word) / payload
    return {
        "parameters": {**asdict(config), "ranks": ranks, "kind": kind, "algorithm": algorithm,
                       "size": size, "seed": seed},
        "figures": {"bus_share": result["bus_bandwidth_share"], "completion_cycles": completion,
                    "latency_p50": result["latency_p50"], "latency_p99": result["latency_p99"]},
        "theory": {"bus_share": payload, "completion_cycles": least},
    }
