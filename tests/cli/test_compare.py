# SPDX-License-Identifier: Apache-2.0
"""`gavel compare`: a real run, what it prints, its exit codes, its refusals."""

from __future__ import annotations

import json

import pytest

from gavel_tb.errors import SimulationError
from gavel_tb.simulate import Prepared

RESULT = {"passed": True, "cycles": 100, "cycles_per_second": 5e3, "mismatches": 0, "check": None,
          "report": None, "waves": None, "waves_note": None, "timed_out": False}


@pytest.fixture
def runs(monkeypatch):
    """Takes the simulator's place: gives the results in the list and notes the jobs."""
    jobs, results = [], []

    def run(self, job, *, progress=None, folder=None):
        jobs.append({**job["parameters"], "waves": self.waves})
        given = results.pop(0) if results else {}
        if isinstance(given, Exception):
            raise given
        return {**RESULT, **given}

    monkeypatch.setattr(Prepared, "run", run)
    return jobs, results


def test_model_and_rtl_are_equal(gavel):
    result = gavel("compare", "-c", "tiny", "--cycles", 200, "--seed", 5, "--json")
    assert result.exit_code == 0, result.output
    value = json.loads(result.stdout)
    assert value["passed"] is True
    assert value["mismatches"] == 0
    assert value["cycles"] >= 200
    assert [(run["seed"], run["pattern"]) for run in value["runs"]] == [(5, "uniform")]


def test_every_pattern_with_every_seed(gavel, runs):
    jobs, _ = runs
    result = gavel("compare", "-c", "tiny", "--pattern", "all", "--seed", 1, "--seed", 2)
    assert result.exit_code == 0
    assert len({(job["pattern"], job["seed"]) for job in jobs}) == len(jobs) >= 8
    assert f"{len(jobs)} of {len(jobs)} runs, {100 * len(jobs):,} cycles, 0 mismatches" \
        in result.stdout


def test_options_reach_the_job(gavel, runs):
    jobs, _ = runs
    result = gavel("compare", "-c", "tiny", "--cycles", 50, "--load", 0.5, "--size", 65,
                   "--gaps", 0.1, "--backpressure", "random", "--faults", 0.2, "--profile",
                   "esun", "--registers", "--resets", 2, "--waves")
    assert result.exit_code == 0, result.output
    assert jobs == [{
        "seed": 1, "cycles": 50, "pattern": "uniform", "load": 0.5, "size": "65", "gaps": 0.1,
        "backpressure": "random", "faults": 0.2, "profile": "esun", "registers": True,
        "resets": 2, "waves": True}]


def test_the_first_mismatch_stops_with_its_report_and_exit_code_1(gavel, runs):
    jobs, results = runs
    results += [{}, {"passed": False, "mismatches": 1, "report": "cycle 31: p0.free_cells"}]
    result = gavel("compare", "-c", "tiny", "--seed", 1, "--seed", 2, "--seed", 3)
    assert result.exit_code == 1
    assert len(jobs) == 2
    assert "cycle 31: p0.free_cells" in result.stdout
    assert "2 of 3 runs" in result.stdout
    assert result.stderr == "gavel: error: uniform, seed 2: model and RTL differ\n"


@pytest.mark.parametrize(("given", "line"), [
    ({"check": "End-to-end check failed: a frame twice\nSeed: 1", "report": "x"},
     "End-to-end check failed: a frame twice"),
    ({"timed_out": True, "report": "not finished"}, "the switch did not drain in 100 cycles"),
])
def test_other_failures_exit_1(gavel, runs, given, line):
    runs[1].append({"passed": False, **given})
    result = gavel("compare", "-c", "tiny", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["passed"] is False
    assert result.stderr == f"gavel: error: uniform, seed 1: {line}\n"


def test_waves_print_their_path_and_the_note(gavel, runs):
    runs[1].append({"waves": "/somewhere/dump.vcd", "waves_note": "waves are VCD: ..."})
    result = gavel("compare", "-c", "tiny", "--waves")
    assert "waves: /somewhere/dump.vcd\n" in result.stdout
    assert "waves are VCD" in result.stdout


def test_a_simulator_that_fails_exits_3(gavel, runs):
    runs[1].append(SimulationError("Verilator build failed"))
    result = gavel("compare", "-c", "tiny")
    assert result.exit_code == 3
    assert result.stderr == "gavel: error: Verilator build failed\n"


@pytest.mark.parametrize(("words", "line"), [
    (("--load", "1.5"), "--load = 1.5: must be above 0 and at most 1"),
    (("--size", "63"), "--size = 63: must be in 64...256 bytes"),
    (("--size", "huge"), "--size = 'huge': must be a number of bytes or one of "),
    (("--gaps", "1"), "--gaps = 1.0: must be in 0...1, 1 excluded"),
    (("--pattern", "tornado"), "Invalid value for '--pattern'"),
    (("--backpressure", "much"), "Invalid value for '--backpressure'"),
    (("--profile", "zz"), "Invalid value for '--profile': 'zz' is not one of 'mixed', 'ethernet'"),
    (("--cycles", "0"), "Invalid value for '--cycles'"),
    (("-P", "ports=65"), "ports = 65: must be in 2...64"),
])
def test_refusals_run_nothing(gavel, runs, words, line):
    result = gavel("compare", "-c", "tiny", *words)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"gavel: error: {line}")
    assert result.stderr.count("\n") == 1
    assert runs[0] == []
