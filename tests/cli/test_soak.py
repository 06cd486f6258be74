# SPDX-License-Identifier: Apache-2.0
"""`gavel soak`: totals, JSON, the first failure, limits, refusals."""

from __future__ import annotations

import json

import pytest

from gavel_cli import soak
from gavel_tb.soak import MIXES


class Prepared:
    """A switch that is not simulated; run number ``fails`` fails."""

    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.jobs: list[dict] = []

    def run(self, job):
        self.jobs.append(job["parameters"])
        passed = len(self.jobs) != self.fails
        figures = {"frames": job["parameters"]["frames"], "partner_replays": 2,
                   "switch_replays": 3, "errors_injected": {"data": 7, "down": 1}}
        return {"passed": passed, "mismatches": int(not passed), "report": "cycle 9: differs",
                "cycles": 1000, "figures": figures if passed else {}}


@pytest.fixture
def switch(monkeypatch):
    """Takes the simulation's place."""
    made = Prepared()
    monkeypatch.setattr(soak, "prepare", lambda *_arguments, **_more: made)
    return made


def test_runs_take_turns_until_the_frames_are_checked(gavel, switch):
    result = gavel("soak", "-c", "tiny", "--frames", "1500000", "--jobs", "1", "--seed", "4")
    assert result.exit_code == 0, result.output
    assert len(switch.jobs) > len(MIXES)
    assert [job["seed"] for job in switch.jobs] == list(range(4, 4 + len(switch.jobs)))
    frames = sum(job["frames"] for job in switch.jobs)
    assert frames >= 1_500_000 > frames - switch.jobs[-1]["frames"]
    errors, replays = 8 * len(switch.jobs), 5 * len(switch.jobs)
    assert (f"tiny: {frames:,} frames checked in {len(switch.jobs)} runs" in result.stdout
            and f"{errors:,} errors injected" in result.stdout
            and f"{replays:,} replays, nothing lost" in result.stdout)


def test_json_has_one_object_per_switch(gavel, switch):
    result = gavel("soak", "-c", "tiny", "-c", "pod", "--frames", "1", "--json")
    value = json.loads(result.stdout)
    assert list(value) == ["tiny", "pod"]
    assert value["pod"]["runs"] == 1 and value["pod"]["errors_injected"] == 8
    assert value["pod"]["errors_by_kind"] == {"data": 7, "down": 1}


def test_the_first_failure_ends_it(gavel, switch):
    switch.fails = 3
    result = gavel("soak", "-c", "tiny", "--jobs", "1")
    assert result.exit_code == 1
    assert len(switch.jobs) == 3
    assert "cycle 9: differs" in result.stdout
    mix = list(MIXES)[2]
    assert result.stderr == f"gavel: error: tiny, {mix}, seed 3: model and RTL differ\n"


def test_what_has_passed_is_told_when_it_is_interrupted(gavel, switch, monkeypatch):
    def interrupted(_running, **_more):
        raise KeyboardInterrupt

    waited = soak.wait
    calls = []

    def wait(running, **more):
        calls.append(running)
        return waited(running, **more) if len(calls) < 3 else interrupted(running)

    monkeypatch.setattr(soak, "wait", wait)
    result = gavel("soak", "-c", "tiny", "--jobs", "1")
    assert result.exit_code == 130
    assert "frames checked in 2 runs" in result.stdout


def test_the_time_ends_it_after_one_run_at_least(gavel, switch):
    result = gavel("soak", "-c", "tiny", "--minutes", "1e-9", "--jobs", "1")
    assert result.exit_code == 0 and len(switch.jobs) == 1


@pytest.mark.parametrize(("words", "what"), [
    (("-c", "tiny", "-P", "max_frame_bytes=1000", "-P", "replay_cells=80"),
     "buffer_cells = 16: must be at least 32"),
    (("--frames", "0"), "0 is not in the range"),
    (("-c", "podd"), "config = 'podd': must be a TOML file or one of tiny"),
])
def test_what_cannot_be_run_is_refused(gavel, words, what):
    result = gavel("soak", *words)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith("gavel: error: ") and what in result.stderr
    assert result.stderr.count("\n") == 1


def test_one_real_run(gavel, monkeypatch, sim_cache):
    from gavel_tb.effort import SHORT
    from gavel_tb.simulate import prepare

    monkeypatch.setattr("gavel_tb.soak.MIXED_FRAMES", 200)
    monkeypatch.setattr(soak, "LONG", SHORT)
    monkeypatch.setattr(soak, "prepare",
                        lambda switch, effort: prepare(switch, cache=sim_cache, effort=effort))
    result = gavel("soak", "-c", "tiny", "--frames", "1")
    assert result.exit_code == 0, result.output
    assert "nothing lost" in result.stdout
