# SPDX-License-Identifier: Apache-2.0
"""Exit codes of `gavel run` when a check or a tool fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gavel_cli import run_engines
from gavel_cli.main import cli
from gavel_tb import simulate as simulate_module
from gavel_tb.errors import SimulationError
from gavel_tb.workload.chakra import save_trace
from gavel_tb.workload.generate import collective_node
from gavel_tb.workload.ideal_switch import play
from gavel_tb.workload.player import Player


@pytest.fixture
def trace(tmp_path: Path) -> str:
    save_trace(collective_node("all-to-all", 8, 4000), tmp_path)
    return str(tmp_path)


def gavel(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_a_lost_frame_is_a_failed_check(trace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def lossy(player: Player, _progress: object) -> None:
        play(player, lambda count, target, frame: None if count == 9 else (target, frame))

    monkeypatch.setattr(run_engines, "play_on_model", lossy)
    result = gavel("run", trace, "--model", "--json")
    assert result.exit_code == 1
    assert "no frame has arrived" in result.stderr
    figures = json.loads(result.stdout)
    assert figures["drops"] == 1 and "no frame has arrived" in figures["failure"]


def test_a_mismatch_is_a_failed_check_with_the_command_to_repeat(
    trace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differing(_config: object, job: dict[str, Any], **_more: object) -> dict[str, Any]:
        return {"mismatches": 1, "report": f"differs; repeat with {job['repeat']}", "cycles": 7,
                "figures": {}, "cycles_per_second": 1.0, "waves": None, "waves_note": None}

    monkeypatch.setattr(simulate_module, "simulate", differing)
    monkeypatch.setattr("sys.argv", ["gavel", "run", trace])
    result = gavel("run", trace, "--report", str(tmp_path / "page"))
    assert result.exit_code == 1
    assert f"differs; repeat with gavel run {trace} --waves" in result.stderr
    assert not (tmp_path / "page").exists()


def test_a_simulator_that_fails_is_a_tool_error(
    trace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_more: object) -> dict[str, Any]:
        raise SimulationError("verilator is missing: install it")

    monkeypatch.setattr(simulate_module, "simulate", broken)
    result = gavel("run", trace)
    assert result.exit_code == 3
    assert result.stderr.strip() == "gavel: error: verilator is missing: install it"
