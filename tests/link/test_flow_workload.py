# SPDX-License-Identifier: Apache-2.0
"""Workloads over links with credits, with slow ranks, on the golden model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.register_map import COUNTERS, Counter
from gavel_tb.workload.chakra import save_trace
from gavel_tb.workload.errors import WorkloadError
from gavel_tb.workload.generate import collective_node
from gavel_tb.workload.job import WorkloadJob
from gavel_tb.workload.measure import measure_run
from gavel_tb.workload.on_link import LinkedPlayer
from gavel_tb.workload.on_model import play_on_model


def pod(**changes: object) -> SwitchConfig:
    return load_config("pod", ["ports=3", *(f"{name}={value}" for name, value in changes.items())])


@pytest.fixture
def trace(tmp_path: Path) -> str:
    """Each of three ranks sends a part to each other one."""
    save_trace(collective_node("all-to-all", 3, 6000), tmp_path)
    return str(tmp_path)


def play(config: SwitchConfig, **options: Any) -> dict[str, Any]:
    job = WorkloadJob(**options)
    stimulus = job.stimulus(job.player(config))
    assert isinstance(stimulus, LinkedPlayer)
    switch = play_on_model(config, stimulus)
    assert stimulus.player.failure is None
    counters = [[port.counters[n] for n in range(COUNTERS)] for port in switch.ports]
    assert not any(counted[Counter.RX_LOSSLESS_DROP] for counted in counters)
    assert sum(counted[Counter.CBFC_RX_CF_UPDATE] for counted in counters) > 10
    return measure_run(stimulus, job.clock_mhz, counters)


@pytest.mark.parametrize("total", [False, True])
@pytest.mark.parametrize("ber", [None, 2e-5])
def test_credits(trace, total, ber):
    figures = play(pod(), trace=trace, credits=True, total_credits=total, ber=ber)
    assert (figures["errors_injected"] > 0) == (ber is not None)


def test_a_slow_rank_takes_as_long_as_it_reads(trace):
    fast = max(play(pod(), trace=trace, credits=True)["completion_cycles"])
    slow = play(pod(), trace=trace, credits=True, slow="1", slow_rate=0.1)["completion_cycles"]
    assert slow[1] > 4000 * 10 / 8 > 2 * fast


@pytest.mark.parametrize(("changes", "options", "message"), [
    ({}, {"slow": "1"}, "slow = '1': needs credits"),
    ({}, {"credits": True, "slow": "3"}, "slow = '3': must be numbers in 0...2"),
    ({}, {"credits": True, "slow_rate": 2.0}, "slow_rate = 2.0: must be above 0 and at most 1"),
    ({"buffer_cells": 144, "vcs": 8}, {"credits": True, "mtu": 2000},
     "buffer_cells = 144: must be at least"),
])
def test_refusals(trace, changes, options, message):
    job = WorkloadJob(trace=trace, **options)
    with pytest.raises(WorkloadError) as caught:
        job.stimulus(job.player(pod(**changes)))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
