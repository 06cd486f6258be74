# SPDX-License-Identifier: Apache-2.0
"""A `TrafficMix` as numbers that compiled code reads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gavel_model.config import SwitchConfig
from gavel_tb.stimulus import derived_random
from gavel_tb.sweep.options import TrafficMix
from gavel_tb.sweep.random64 import threshold_of

TO_ANY, TO_FIXED, TO_HOT, IN_TURN = range(4)
"""How a frame's output is chosen: drawn, always the input's own, a share to it, in turn."""

SLOTS, MEMORYLESS, BURSTS = range(3)
"""How frames arrive."""

Numbers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


class SourceRules(NamedTuple):
    """``choice`` and ``arrivals`` as above; ``fixed`` (P) outputs; thresholds of
    `gavel_tb.sweep.random64.happens`: of ``hot``, of an arrival (in a slot, or in a cycle), of the
    end and the begin of a burst; ``least``, ``largest`` and ``up_to``: lengths of each kind of
    frame in bytes, and the threshold of this kind and those before."""

    choice: int
    arrivals: int
    fixed: Numbers
    hot: np.uint64
    arrival: np.uint64
    burst_ends: np.uint64
    burst_begins: np.uint64
    least: Numbers
    largest: Numbers
    up_to: Words
    word_bytes: int
    vcs: int


def source_rules(config: SwitchConfig, mix: TrafficMix, seed: int) -> SourceRules:
    """The rules of a mix on a switch.

    Raises
    ------
    ValueError
        As `TrafficMix.check`.
    """
    mix.check(config)
    lengths = mix.lengths(config)
    shares = np.cumsum([share for share, _, _ in lengths])
    arrivals = MEMORYLESS if mix.arrivals == "geometric" else SLOTS
    arrival = mix.load if arrivals == SLOTS else mix.load / mix.mean_words(config)
    if mix.pattern == "bursty":
        arrivals = BURSTS
    return SourceRules(
        _choice(mix.pattern), arrivals, np.array(_fixed(config, mix, seed), np.int64),
        threshold_of(mix.hot), threshold_of(arrival), threshold_of(1 / mix.burst),
        # A pause of mean m slots, 0 included, ends in each slot with probability 1 / (1 + m).
        threshold_of(1 / (1 + mix.burst * (1 - mix.load) / mix.load)),
        np.array([least for _, least, _ in lengths], np.int64),
        np.array([largest for _, _, largest in lengths], np.int64),
        np.array([threshold_of(min(1.0, share)) for share in (*shares[:-1], 1.0)], np.uint64),
        config.word_bytes, config.vcs,
    )


def _choice(pattern: str) -> int:
    return {"uniform": TO_ANY, "bursty": TO_ANY, "hotspot": TO_HOT, "all-to-all": IN_TURN}.get(
        pattern, TO_FIXED)


def _fixed(config: SwitchConfig, mix: TrafficMix, seed: int) -> list[int]:
    """The output of each input, where there is one."""
    ports = config.ports
    rng = derived_random(seed, "outputs")
    if mix.pattern == "permutation":
        return rng.sample(range(ports), ports)
    if mix.pattern == "tornado":
        return [(port - (-ports // 2) - 1) % ports for port in range(ports)]
    return [rng.randrange(ports)] * ports
