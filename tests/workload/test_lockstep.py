# SPDX-License-Identifier: Apache-2.0
"""Workloads through the Verilated switch, compared with the model in every cycle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gavel_model.loader import load_config
from gavel_tb.effort import SHORT
from gavel_tb.servers import Servers
from gavel_tb.simulate import prepare
from gavel_tb.workload.chakra import Trace, save_trace
from gavel_tb.workload.generate import collective_node, collective_steps, mixture_of_experts
from gavel_tb.workload.job import WorkloadJob
from gavel_tb.workload.measure import measure_run
from gavel_tb.workload.on_model import play_on_model

WORKLOADS = {
    "ring all-reduce": collective_steps("all-reduce", 8, 20_000, algorithm="ring"),
    "halving-doubling all-reduce": collective_steps(
        "all-reduce", 8, 20_000, algorithm="halving-doubling", compute_us=1
    ),
    "all-to-all": collective_node("all-to-all", 8, 40_000),
    "mixture of experts": mixture_of_experts(8, 6_000, compute_us=1),
}


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(sim_cache: Path, servers: Servers) -> Run:
    """run(job, preset, changes...) -> figures in lockstep, which must be those of the model."""

    def play(job: WorkloadJob, preset: str = "pod", *changes: str) -> dict[str, Any]:
        config = load_config(preset, changes)
        result = prepare(config, cache=sim_cache, effort=SHORT).run(
            {"kind": "workload", "parameters": job.parameters()}, servers=servers)
        assert result["passed"], result["report"]
        assert result["mismatches"] == 0
        figures: dict[str, Any] = result["figures"]
        assert figures["failure"] is None and figures["drops"] == 0
        stimulus = job.stimulus(job.player(config))
        switch = play_on_model(config, stimulus)
        counters = [port.counters.values for port in switch.ports]
        assert measure_run(stimulus, job.clock_mhz, counters) == figures
        return figures

    return play


@pytest.mark.parametrize("name", WORKLOADS)
def test_made_traces(name: str, tmp_path: Path, run: Run) -> None:
    made = WORKLOADS[name]
    save_trace(Trace("made", made.ranks), tmp_path)
    run(WorkloadJob(trace=str(tmp_path), algorithm="direct"))


def test_two_ranks_on_the_smallest_switch(tmp_path: Path, run: Run) -> None:
    save_trace(collective_node("all-reduce", 2, 9000), tmp_path)
    figures = run(WorkloadJob(trace=str(tmp_path)), "tiny")
    assert figures["peak_outstanding_cells"] <= 16


@pytest.mark.parametrize("folder", [
    "all_reduce_8npus_1MB", "all_to_all_8npus_1MB",
    "custom_collectives_custom_ring_allreduce_8npus_1MB",
])
def test_real_traces(folder: str, run: Run, real_traces: Path) -> None:
    figures = run(WorkloadJob(trace=str(real_traces / folder), scale=0.015625))
    # Messages of 2048 bytes are whole frames, and the pattern is a permutation in every step.
    assert figures["latency_max"] == figures["latency_p50"] == load_config("pod").latency_cycles


def test_links_with_errors_lose_nothing(tmp_path: Path, run: Run) -> None:
    save_trace(Trace("made", WORKLOADS["all-to-all"].ranks), tmp_path)
    figures = run(WorkloadJob(trace=str(tmp_path), algorithm="direct", ber=1e-5))
    assert figures["errors_injected"] > 20
    assert figures["link_replays"] and figures["partner_replays"]


def test_links_without_errors_replay_nothing(tmp_path: Path, run: Run) -> None:
    save_trace(collective_node("all-reduce", 2, 9000), tmp_path)
    figures = run(WorkloadJob(trace=str(tmp_path), ber=0.0, delay=3), "tiny")
    assert figures["errors_injected"] == 0
    assert figures["link_replays"] == figures["partner_replays"] == 0


def test_real_trace_over_links_with_errors(run: Run, real_traces: Path) -> None:
    job = WorkloadJob(trace=str(real_traces / "all_to_all_8npus_1MB"), scale=0.03125, ber=1e-5)
    assert run(job)["errors_injected"] > 20
