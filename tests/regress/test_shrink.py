# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gavel_model.egress import Egress
from gavel_model.loader import load_config
from gavel_tb.regress import shrink as module
from gavel_tb.regress.replay import runner_for
from gavel_tb.regress.shrink import shrink
from gavel_tb.regress.tests_of import Run

FULL = {"cycles": 4000, "pattern": "bursty", "faults": 0.2, "backpressure": "random",
        "registers": True, "gaps": 0.1, "resets": 2, "load": 0.7, "profile": "mixed"}


@pytest.fixture
def run() -> Run:
    return Run("item", "run", "pod", load_config("pod"), "traffic", FULL)


def fails_when(condition, at: int = 900):
    """A failure in cycle ``at`` of every run that is long enough and meets a condition."""
    tried: list[Run] = []

    def fails(run: Run) -> int | None:
        tried.append(run)
        parameters = {**module.PLAIN["traffic"], "size": "mixed", **run.parameters}
        return at if parameters["cycles"] > at - 50 and condition(parameters, run) else None

    return fails, tried


def test_only_what_the_failure_needs_is_left(run):
    fails, tried = fails_when(lambda p, r: p["registers"] and p["gaps"] and r.config.ports >= 4)
    small = shrink(run, 1, fails, 900)
    assert small.complete
    assert small.run.config.ports == 4
    parameters = small.run.parameters
    assert parameters["cycles"] == 851
    changed = {name for name, value in parameters.items() if value != module.PLAIN["traffic"][name]}
    assert changed == {"cycles", "registers", "gaps", "load"}
    assert small.tried == len(tried) <= module.MOST_RUNS


def test_it_is_the_same_each_time(run):
    results = [shrink(run, 1, fails_when(lambda p, r: p["faults"])[0], 900) for _ in range(2)]
    assert results[0] == results[1]


def test_the_number_of_runs_is_bounded_and_the_best_is_kept(run):
    fails, tried = fails_when(lambda p, r: p["registers"])
    small = shrink(run, 1, fails, 900, most_runs=4)
    assert len(tried) == small.tried == 4
    assert not small.complete
    assert small.run.parameters["cycles"] < FULL["cycles"]
    assert fails(small.run) == 900


def test_a_failure_that_does_not_come_again_stays_as_it_was(run):
    small = shrink(run, 1, lambda _: None, 900)
    assert small.run == run
    assert small.complete


def test_a_scenario_is_as_small_as_it_can_be(run):
    scenario = replace(run, kind="behaviour", parameters={"name": "wrap"})
    assert shrink(scenario, 1, lambda _: 5, 900).tried == 0


def test_what_cannot_be_run_is_not_tried(run):
    """Requests need credits."""
    job = replace(run, kind="llr", config=load_config("tiny"), parameters={
        "frames": 40, "credits": True, "requests": True, "size": "min", "bit_errors": 1e-5})
    tried: list[Run] = []

    def fails(run: Run) -> int | None:
        tried.append(run)
        return 100 if run.parameters["requests"] else None

    small = shrink(job, 1, fails, 100)
    assert small.run.parameters["credits"]
    assert not small.run.parameters["bit_errors"]
    assert all(run.parameters["credits"] or not run.parameters["requests"] for run in tried)


def test_a_fault_planted_in_the_model_shrinks_to_a_few_cycles(monkeypatch):
    """The scoreboard finds it, on the golden model alone."""
    edit = Egress.edit

    def wrong(self, frame, mark):
        outgoing = edit(self, frame, mark)
        if frame.length > 128:
            word = outgoing.words[1]
            outgoing.words[1] = word._replace(data=word.data ^ 1)
        return outgoing

    monkeypatch.setattr(Egress, "edit", wrong)
    run = Run("item", "run", "tiny", load_config("tiny"), "traffic", {**FULL, "cycles": 1500})
    fails = runner_for("check", 1, "model", Path())
    cycles = fails(run)
    assert cycles is not None
    small = shrink(run, 1, fails, cycles, most_runs=30)
    assert small.cycles <= cycles
    assert small.run.parameters["cycles"] < 60
    assert not any(small.run.parameters[name] for name in ("registers", "faults", "gaps", "resets"))
    assert small.run.parameters["pattern"] == "uniform"
    assert fails(small.run) == small.cycles
