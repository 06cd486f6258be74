# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

import pytest

from gavel_model.profiles import PROFILE_NAMES
from gavel_model.register_map import Counter
from gavel_tb.traffic import TrafficJob

SHORT = {8: 600, 16: 300, 64: 100}
"""Cycles by number of ports, where they are many."""


def test_every_shape_with_faults_and_registers(config, replay, seed):
    cycles = SHORT.get(config.ports, 900)
    job = TrafficJob(seed=seed, cycles=cycles, load=1.0, faults=0.2, gaps=0.1, profile="mixed",
                     registers=True, resets=1, backpressure="bursts")
    both = replay(config, job, cycles + 200)
    assert both.plain.cycle > cycles


@pytest.mark.parametrize("pattern", ["uniform", "permutation", "incast", "converge", "bursty"])
def test_every_pattern(pattern, small_config, replay, seed):
    size = "min" if pattern == "incast" else "mixed"
    job = TrafficJob(seed=seed, cycles=500, pattern=pattern, load=1.0, size=size)
    assert replay(small_config, job, 1500).totals()[Counter.TX_FRAMES]


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_every_profile_with_marks(profile, small_config, replay, seed):
    config = replace(small_config, ecn_threshold=1, profile=profile)
    job = TrafficJob(seed=seed, cycles=300, pattern="converge", load=1.0, faults=0.1)
    counters = replay(config, job, 900).totals()
    assert counters[Counter.TX_FRAMES]
    assert bool(counters[Counter.TX_ECN_MARKED]) == (profile != "ethernet")


@pytest.mark.parametrize("backpressure", ["random", "alternate", "bursts"])
def test_every_backpressure(backpressure, small_config, replay, seed):
    job = TrafficJob(seed=seed, cycles=500, load=0.9, backpressure=backpressure, registers=True)
    assert replay(small_config, job, 1500).totals()[Counter.TX_FRAMES]


def test_resets_in_the_middle(small_config, replay, seed):
    job = TrafficJob(seed=seed, cycles=600, load=1.0, resets=6, registers=True, faults=0.1)
    replay(small_config, job, 800)


def test_longest_frames(replay, config, seed):
    cycles = 2 * config.max_frame_words + 100
    job = TrafficJob(seed=seed, cycles=cycles, size="max", load=1.0)
    if config.ports <= 8:
        assert replay(config, job, cycles + 100).totals()[Counter.RX_FRAMES]


def test_one_queue_per_input(small_config, replay, seed):
    config = replace(small_config, queueing="fifo")
    job = TrafficJob(seed=seed, cycles=500, load=1.0, faults=0.1, backpressure="random", resets=1)
    assert replay(config, job, 1000).totals()[Counter.TX_FRAMES]
