# SPDX-License-Identifier: Apache-2.0
"""Named studies: measurements that theory has a formula for, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gavel_tb.farm.unit import Unit
from gavel_tb.sweep.chart import WITH_THEORY, Chart
from gavel_tb.sweep.link_points import COLLECTIVES_POINT, CREDITS_POINT, GOODPUT_POINT
from gavel_tb.sweep.plan import SweepPlan

FIFO_PORTS = (2, 3, 4, 5, 6, 7, 8, 16, 32)
DELAY_LOADS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
GOODPUT_DELAYS = (10, 100)
GOODPUT_ERRORS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
CREDITS_DELAYS = (5, 20, 100)
CREDITS_SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
COLLECTIVES = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all")
COLLECTIVE_SIZES = tuple(1 << power for power in range(12, 19))

_WIDE = {"data_width": ["512"], "vcs": ["1"], "buffer_cells": ["4096"]}
"""A 64-byte frame is a word and a cell: the slotted switch of theory, one cycle a slot."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is measured.

    Attributes
    ----------
    seeds, seed
        How many seeds each point has, and the first.
    cycles
        Measured cycles of a point; 0: the study's own.
    engine
        Of points without link partners.
    """

    seeds: int
    seed: int
    cycles: int
    engine: str


@dataclass(frozen=True, kw_only=True)
class Study:
    """A measurement with a name.

    Attributes
    ----------
    title, lead
        Of its page.
    charts
        What the page shows.
    units
        The units at a scale.
    """

    title: str
    lead: str
    charts: Sequence[Chart]
    units: Callable[[Scale], list[Unit]]


def _plan(scale: Scale, cycles: int, config: str, fields: Mapping[str, Sequence[str]],
          axes: Mapping[str, Sequence[Any]]) -> SweepPlan:
    return SweepPlan(config=config, fields=fields, axes=axes, seeds=scale.seeds, seed=scale.seed,
                     cycles=scale.cycles or cycles, engine=scale.engine)


def _fifo(scale: Scale) -> list[Unit]:
    return _plan(scale, 20_000, "rack", {
        "ports": [str(ports) for ports in FIFO_PORTS], "queueing": ["fifo"],
        "islip_iterations": ["1"], **_WIDE}, {"load": [1.0]}).units()


def _delay(scale: Scale) -> list[Unit]:
    return _plan(scale, 30_000, "rack", {
        "ports": ["16"], "islip_iterations": ["1", "2", "3", "4"], **_WIDE},
        {"load": list(DELAY_LOADS)}).units()


def _seeds(scale: Scale) -> range:
    return range(scale.seed, scale.seed + scale.seeds)


def _goodput(scale: Scale) -> list[Unit]:
    return [
        Unit(GOODPUT_POINT, {"data_width": 512, "frame_bytes": 64, "job": {
            "seed": seed, "word_errors": errors, "delay": delay,
            "cycles": scale.cycles or 100_000}})
        for delay in GOODPUT_DELAYS for errors in GOODPUT_ERRORS for seed in _seeds(scale)
    ]


def _credits(scale: Scale) -> list[Unit]:
    # Nothing in this loop is drawn but what frames hold: one seed says all.
    return [
        Unit(CREDITS_POINT, {"data_width": 512, "frame_bytes": 64, "longest_bytes": 64,
                             "share": share, "job": {
                                 "seed": scale.seed, "delay": delay, "cycles": scale.cycles}})
        for delay in CREDITS_DELAYS for share in CREDITS_SHARES
    ]


def _collectives(scale: Scale) -> list[Unit]:
    # A collective has no random traffic either; the seed decides the bytes of its messages.
    return [
        Unit(COLLECTIVES_POINT, {"ranks": 8, "kind": kind, "size": size, "seed": scale.seed})
        for kind in COLLECTIVES for size in COLLECTIVE_SIZES
    ]


STUDIES: dict[str, Study] = {
    "fifo": Study(
        title="One FIFO per input",
        lead="Saturated inputs, uniform destinations, frames of one word: throughput with head-of-"
             "line blocking beside the exact Markov chain of Karol, Hluchyj and Morgan (1987); "
             "above 16 ports beside its limit 2 - sqrt 2",
        charts=[Chart(x="ports", figure="accepted", log_x=True, caption=WITH_THEORY)],
        units=_fifo,
    ),
    "delay": Study(
        title="Delay of iSLIP",
        lead="16 ports, frames of one word, uniform Bernoulli arrivals: mean wait beyond the "
             "constant latency, for one to four iterations, beside a switch with output queues, "
             "which no scheduler can beat",
        charts=[Chart(x="load", figure="wait_mean", series=("islip_iterations",), log_y=True,
                      share=False, caption=WITH_THEORY)],
        units=_delay,
    ),
    "goodput": Study(
        title="Goodput of link-level retry",
        lead="64-byte frames at line rate over a link with errors, beside go-back-N by the same "
             "rules",
        charts=[Chart(x="word_errors", figure="goodput", series=("delay",), log_x=True,
                      caption=WITH_THEORY)],
        units=_goodput,
    ),
    "credits": Study(
        title="Rate for a number of credits",
        lead="64-byte frames to a peer that gives credits back as soon as it may, between two "
             "bounds: all credits go round in the shortest loop, and those not kept for a longest "
             "frame in the longest",
        charts=[Chart(x="credits", figure="rate", series=("delay",), more_theory=("rate_most",),
                      log_x=True, caption=WITH_THEORY)],
        units=_credits,
    ),
    "collectives": Study(
        title="Bus bandwidth of collectives",
        lead="Eight ranks, ring and direct algorithms: bus bandwidth as nccl-tests defines it, as "
             "a share of the line rate, beside what headers leave of it",
        charts=[Chart(x="size", figure="bus_share", series=("kind",), log_x=True,
                      caption=WITH_THEORY)],
        units=_collectives,
    ),
}
