# SPDX-License-Identifier: Apache-2.0
"""Points as work units: plain data in, a `row` out.

A row has ``parameters`` (what it was measured with: configuration, traffic, seed), ``figures`` and
``theory`` (values by the name of the figure that they stand beside).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_tb.llr_on_model import traffic_on_model
from gavel_tb.llr_traffic import LlrTrafficJob
from gavel_tb.sweep.open_loop import OpenLoopJob, measure_open_loop
from gavel_tb.theory.expected import expected

OPEN_POINT = "gavel_tb.sweep.points:open_point"
LINKED_POINT = "gavel_tb.sweep.points:linked_point"
LINKED_CYCLES = 2_000_000
"""Cycles after which a run with links has failed."""

SHORT_OF_OFFER = 0.03
"""A point with links is saturated if so much of the offer does not arrive, as a share of it: the
offer itself is random and not counted."""

Row = dict[str, dict[str, Any]]


def open_point(
    *, config: Mapping[str, Any], engine: str, job: Mapping[str, Any]
) -> Row:
    """A point without link partners: an `OpenLoopJob` on an engine."""
    switch, traffic = SwitchConfig(**config), OpenLoopJob(**job)
    figures = measure_open_loop(switch, traffic, engine)
    theory = expected(switch, load=traffic.load, pattern=traffic.pattern,
                      arrivals=traffic.arrivals, hot=traffic.hot, size=traffic.size)
    parameters = {**asdict(switch), "engine": engine, **traffic.parameters()}
    return {"parameters": parameters, "figures": figures,
            "theory": {name: item.value for name, item in theory.items()}}


def linked_point(*, config: Mapping[str, Any], job: Mapping[str, Any]) -> Row:
    """A point with link-level retry, errors, delay or credits: an `LlrTrafficJob` on the golden
    model, measured in the second half of its cycles."""
    switch, traffic = SwitchConfig(**config), LlrTrafficJob(**job)
    result = traffic_on_model(switch, traffic, most_cycles=LINKED_CYCLES)
    accepted = sum(result["rate_of_vc"])
    figures = {
        "offered": traffic.load,
        "accepted": accepted,
        "frames": result["frames"],
        "errors_injected": result["errors_injected"],
        "replays": result["partner_replays"] + result["switch_replays"],
        "saturated": accepted < (1 - SHORT_OF_OFFER) * traffic.load,
        "warmup_cycles": traffic.cycles // 2,
        "measured_cycles": traffic.cycles - traffic.cycles // 2,
    }
    parameters = {**asdict(switch), "engine": "model", **traffic.parameters()}
    return {"parameters": parameters, "figures": figures, "theory": {}}
