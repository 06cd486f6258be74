# SPDX-License-Identifier: Apache-2.0
"""The main job as its user does it: a trace is made, played through the switch, and reported."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gavel_cli.main import cli
from gavel_model.loader import load_config
from gavel_tb import simulate as simulate_module
from gavel_tb.build_cache import BuildCache
from gavel_tb.faults import ARGUMENT, FAULTS, plant
from gavel_tb.simulate import Prepared

FAULT = next(n for n, fault in enumerate(FAULTS, start=1) if fault.name == "swapped bytes")

Gavel = Callable[..., Result]


@pytest.fixture
def gavel(sim_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Gavel:
    """Runs `gavel` with the given words, with the builds of the other simulations."""
    monkeypatch.setattr(simulate_module, "prepare",
                        partial(simulate_module.prepare, cache=sim_cache))

    def run(*words: object) -> Result:
        arguments = [str(word) for word in words]
        monkeypatch.setattr("sys.argv", ["gavel", *arguments])
        return CliRunner().invoke(cli, arguments, prog_name="gavel")

    return run


@pytest.fixture
def trace(gavel: Gavel, tmp_path: Path) -> Path:
    folder = tmp_path / "trace"
    made = gavel("trace", "all-reduce", "--ranks", 2, "--size", 4096, "-o", folder)
    assert made.exit_code == 0, made.output
    return folder


def test_a_trace_runs_in_lockstep_and_is_reported(
    gavel: Gavel, trace: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page"
    done = gavel("run", trace, "--config", "tiny", "--json", "--report", page)
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["mismatches"] == 0
    assert result["drops"] == 0
    assert result["failure"] is None
    assert result["frames"] > 0
    assert all(cycle > 0 for cycle in result["completion_cycles"])
    text = Path(result["report"]).read_text("utf-8")
    assert Path(result["report"]).parent == page
    assert result["trace_name"] in text


def test_a_fault_of_the_switch_fails_the_job(
    gavel: Gavel, trace: Path, sim_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = plant(BuildCache(sim_cache).design(load_config("tiny")))
    right = Prepared.run

    def wrong(prepared: Prepared, job: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        return right(prepared, {**job, "arguments": [f"+{ARGUMENT}={FAULT}"]}, **more)

    monkeypatch.setattr(Prepared, "run", wrong)
    monkeypatch.setattr(simulate_module, "prepare",
                        partial(simulate_module.prepare, design=design))
    done = gavel("run", trace, "--config", "tiny", "--json")
    assert done.exit_code == 1, done.output
    result = json.loads(done.stdout)
    assert result["mismatches"] == 1
    assert "tx_data" in result["failure"]
    assert "--waves" in result["failure"]
    assert done.stderr.startswith("gavel: error: ")
    assert done.stderr.count("\n") == 1
