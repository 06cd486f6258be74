# SPDX-License-Identifier: Apache-2.0
"""Exit codes of `gavel run` when a check or a tool fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gavel_cli import run as run_command
from gavel_cli import run_engines
from gavel_cli.main import cli
from gavel_model.config import SwitchConfig
from gavel_model.switch import Switch
from gavel_tb import simulate as simulate_module
from gavel_tb.build_cache import BuildCache, Design
from gavel_tb.effort import SHORT
from gavel_tb.errors import SimulationError
from gavel_tb.simulate import Prepared
from gavel_tb.workload.chakra import save_trace
from gavel_tb.workload.generate import collective_node
from gavel_tb.workload.ideal_switch import play
from gavel_tb.workload.player import Player


@pytest.fixture
def trace(tmp_path: Path) -> str:
    save_trace(collective_node("all-to-all", 8, 4000), tmp_path)
    return str(tmp_path)


def no_design(config: SwitchConfig, **_more: object) -> Prepared:
    """A switch that is not generated, for a run that is not simulated."""
    return Prepared(config, Design("", {"probes": {}}), BuildCache(Path()), SHORT, waves=False)


def gavel(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_a_lost_frame_is_a_failed_check(trace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def lossy(config: SwitchConfig, player: Player, *_: object) -> Switch:
        play(player, lambda count, target, frame: None if count == 9 else (target, frame))
        return Switch(config)

    monkeypatch.setattr(run_engines, "play_on_model", lossy)
    result = gavel("run", trace, "--model", "--json")
    assert result.exit_code == 1
    assert "no frame has arrived" in result.stderr
    figures = json.loads(result.stdout)
    assert figures["drops"] == 1 and "no frame has arrived" in figures["failure"]


def test_a_mismatch_is_a_failed_check_with_the_command_to_repeat(
    trace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differing(_prepared: object, job: dict[str, Any], **_more: object) -> dict[str, Any]:
        return {"mismatches": 1, "report": f"cycle 7\nrepeat: {job['repeat']}", "cycles": 7,
                "figures": {}, "cycles_per_second": 1.0, "waves": None, "waves_note": None}

    monkeypatch.setattr(simulate_module, "prepare", no_design)
    monkeypatch.setattr(Prepared, "run", differing)
    monkeypatch.setattr("sys.argv", ["gavel", "run", trace])
    result = gavel("run", trace, "--report", str(tmp_path / "page"))
    assert result.exit_code == 1
    assert f"cycle 7\nrepeat: gavel run {trace} --waves\n" in result.stdout
    assert result.stderr == "gavel: error: all-to-all_8: model and RTL differ\n"
    assert not (tmp_path / "page").exists()


def test_a_simulator_that_fails_is_a_tool_error(
    trace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_more: object) -> dict[str, Any]:
        raise SimulationError("verilator is missing: install it")

    monkeypatch.setattr(simulate_module, "prepare", broken)
    result = gavel("run", trace)
    assert result.exit_code == 3
    assert result.stderr.strip() == "gavel: error: verilator is missing: install it"


@pytest.mark.parametrize(("folder", "what"), [
    ("file/page", "file: Not a directory"), ("page", "report.html: Is a directory"),
])
def test_a_page_that_cannot_be_written_is_refused_before_the_run(
    trace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, what: str
) -> None:
    def never(*_arguments: object) -> None:
        raise AssertionError("it ran")

    monkeypatch.setattr(run_engines, "play_on_model", never)
    (tmp_path / "file").touch()
    (tmp_path / "page" / "report.html").mkdir(parents=True)
    result = gavel("run", trace, "--model", "--report", str(tmp_path / folder))
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1 and what in result.stderr
    assert result.stdout == ""


def test_a_page_that_is_lost_leaves_the_figures(
    trace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device", "page")

    monkeypatch.setattr(run_command, "write_together", full)
    result = gavel("run", trace, "--model", "--json", "--report", str(tmp_path / "page"))
    assert result.exit_code == 2
    assert json.loads(result.stdout)["failure"] is None
    assert result.stderr == "gavel: error: page: No space left on device\n"
