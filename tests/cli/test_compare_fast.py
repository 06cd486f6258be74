# SPDX-License-Identifier: Apache-2.0
"""`gavel compare --fast` and `--at`, with the plain model in the RTL's place; `gavel vectors`."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import numpy as np
import pytest

from gavel_cli.compare_engines import AFTER, BEFORE
from gavel_model.loader import load_config
from gavel_tb.errors import SimulationError
from gavel_tb.plain_switch import PlainSwitch
from gavel_tb.read_out import readable
from gavel_tb.simulate import Prepared
from gavel_tb.stimulus import CheckError

WRONG_CYCLE = 150
RESULT = {"passed": True, "cycles": 100, "cycles_per_second": 5e3, "mismatches": 0, "check": None,
          "report": None, "waves": "dump.vcd", "waves_note": None, "timed_out": False}


class Wrong(PlainSwitch):
    """Has a wrong pin in one cycle."""

    def run(self, inputs: Any, outputs: Any) -> None:
        super().run(inputs, outputs)
        outputs.tx.seq[WRONG_CYCLE, 1] ^= np.uint32(1)


@pytest.fixture
def rtl(monkeypatch):
    """rtl(class) takes the library's place."""
    return lambda kind: monkeypatch.setattr("gavel_cli.compare.NativeSwitch",
                                            lambda config, *, effort: kind(config))


@pytest.fixture
def lockstep(monkeypatch):
    """Takes the simulator's place: gives the result and notes the jobs."""
    jobs: list[dict[str, Any]] = []
    given: dict[str, Any] = {}

    def run(self, job, *, progress=None, folder=None):
        jobs.append({**job, "waves": self.waves})
        return {**RESULT, **given}

    monkeypatch.setattr(Prepared, "run", run)
    return jobs, given


def test_equal_runs_of_several_seeds(gavel, rtl):
    rtl(PlainSwitch)
    result = gavel("compare", "--fast", "-c", "tiny", "--cycles", 100, "--seed", 1, "--seed", 2)
    assert result.exit_code == 0, result.output
    assert len(re.findall(r"uniform +seed [12] .* cycles/s  RTL .* alone, .* x its time  equal\n",
                          result.stdout)) == 2
    assert "2 of 2 runs" in result.stdout


def test_json_has_the_speeds_and_figures(gavel, rtl):
    rtl(PlainSwitch)
    result = gavel("compare", "--fast", "-c", "tiny", "--cycles", 600, "--ber", 0, "--credits",
                   "--size", "min", "--json")
    assert result.exit_code == 0, result.output
    (run,) = json.loads(result.stdout)["runs"]
    assert run["figures"]["frames"] > 0
    assert run["figures"]["cf_updates"] > 0
    for name in ("rtl_seconds", "model_seconds", "rtl_cycles_per_second", "cycles_per_second",
                 "wall_over_rtl"):
        assert run[name] > 0


@pytest.mark.parametrize("links", [(), ("--ber", "0.0001", "--credits", "--slow", "1",
                                        "--size", "min")])
def test_a_difference_comes_with_the_command_that_looks_at_it(gavel, rtl, lockstep, links):
    rtl(Wrong)
    result = gavel("compare", "--fast", "-c", "tiny", "--cycles", 100, "--seed", 3, *links)
    assert result.exit_code == 1
    assert result.stderr == "gavel: error: uniform, seed 3: model and RTL differ\n"
    assert f"RTL and model differ in cycle {WRONG_CYCLE}\n" in result.stdout
    assert "seen at pins of port 1 (LinkTx)\n  signal  p1_tx_seq\n" in result.stdout
    (command,) = re.findall(r"^Repeat with waves: (gavel .*)$", result.stdout, re.MULTILINE)
    assert command.endswith(f"--at {WRONG_CYCLE}")
    jobs, given = lockstep
    given |= {"passed": False, "timed_out": True, "report": "not finished"}
    again = gavel(*shlex.split(command)[1:])
    assert again.exit_code == 0, again.output
    assert "waves: dump.vcd\n" in again.stdout
    (job,) = jobs
    assert (job["kind"], job["waves"], job["read_out"]) == ("llr" if links else "traffic", True,
                                                            True)
    assert job["max_cycles"] == WRONG_CYCLE + AFTER
    assert job["waves_from"] == max(0, WRONG_CYCLE - BEFORE)
    assert job["parameters"]["seed"] == 3
    assert job["parameters"]["cycles"] == 100
    if links:
        chosen = {name: job["parameters"][name]
                  for name in ("bit_errors", "credits", "slow_ports", "size")}
        assert chosen == {"bit_errors": 1e-4, "credits": True, "slow_ports": "1", "size": "min"}


def test_at_tells_a_difference(gavel, lockstep):
    lockstep[1].update(passed=False, mismatches=1, report="cycle 40: p0.free_cells")
    result = gavel("compare", "-c", "tiny", "--at", 50)
    assert result.exit_code == 1
    assert "cycle 40: p0.free_cells" in result.stdout


@pytest.mark.parametrize("hook", ["observe", "finish"])
def test_a_check_that_fails_exits_1(gavel, rtl, monkeypatch, hook):
    def fail(*_):
        raise CheckError("a frame twice")

    rtl(PlainSwitch)
    monkeypatch.setattr(f"gavel_tb.scoreboard.Scoreboard.{hook}", fail)
    result = gavel("compare", "--fast", "-c", "tiny", "--cycles", 100, "--json")
    assert result.exit_code == 1
    (run,) = json.loads(result.stdout)["runs"]
    assert run["mismatches"] == 0
    assert "a frame twice" in run["check"]
    assert re.search(r"^Repeat with waves: gavel compare .* --at \d+$", run["report"], re.MULTILINE)


def test_a_build_that_fails_exits_3(gavel, rtl):
    def fail(_):
        raise SimulationError("Verilator build failed")

    rtl(fail)
    result = gavel("compare", "--fast", "-c", "tiny")
    assert result.exit_code == 3
    assert result.stderr == "gavel: error: Verilator build failed\n"


@pytest.mark.parametrize(("words", "line"), [
    (("--fast", "--waves"), "--fast: has no probe points and no waves; leave out --waves and"),
    (("--fast", "--at", "5"), "--fast: has no probe points and no waves"),
    (("--at", "5", "--seed", "1", "--seed", "2"), "--at: is for one seed and one pattern, not for"),
    (("--at", "-1"), "Invalid value for '--at'"),
    (("--fast", "--ber", "1e-5", "--faults", "0.1"), "--faults = 0.1: is for traffic without li"),
    (("--credits", "--registers"), "--registers = True: is for traffic without links"),
    (("--stalls",), "--stalls = True: is for traffic over links; add --ber 0, --credits or --pfc"),
    (("--link-delay", "7"), "--link-delay = 7: is for traffic over links"),
    (("--ber", "2"), "--ber = 2.0: must be"),
    (("--ber", "0", "--slow", "1"), "--slow = '1': needs credits or pfc"),
    (("--credits", "--slow", "9"), "--slow = '9': must be numbers in 0...1"),
    (("--fast", "--load", "1.5"), "--load = 1.5: must be above 0 and at most 1"),
])
def test_refusals_run_nothing(gavel, rtl, lockstep, words, line):
    rtl(None)
    result = gavel("compare", "-c", "tiny", *words)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"gavel: error: {line}")
    assert result.stderr.count("\n") == 1
    assert lockstep[0] == []


def test_vectors_writes_all_files(gavel, tmp_path):
    result = gavel("vectors", tmp_path / "out", "-c", "tiny", "--cycles", 100, "--seed", 4,
                   "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["cycles"] == told["cycles"] > 100
    assert manifest["job"]["seed"] == 4
    assert sorted(told["files"]) == sorted(map(str, (tmp_path / "out").iterdir()))
    again = gavel("vectors", tmp_path / "again", "-c", "tiny", "--cycles", 100, "--seed", 4)
    assert again.exit_code == 0
    assert "iverilog -o" in again.stdout
    for path in (tmp_path / "out").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_vectors_of_a_failed_check_are_not_written(gavel, tmp_path, monkeypatch):
    def fail(*_):
        raise CheckError("a frame twice")

    monkeypatch.setattr("gavel_tb.scoreboard.Scoreboard.finish", fail)
    result = gavel("vectors", tmp_path / "out", "-c", "tiny", "--cycles", 100)
    assert result.exit_code == 1
    assert result.stderr == ("gavel: error: uniform, seed 1: End-to-end check failed at the end: "
                             "a frame twice\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("words", "line"), [
    (("--stalls",), "--stalls = True: is for traffic over links"),
    (("--size", "63"), "--size = 63: must be in 64...256 bytes"),
    (("-P", "ports=65"), "ports = 65: must be in 2...64"),
])
def test_vectors_refuses(gavel, tmp_path, words, line):
    result = gavel("vectors", tmp_path / "out", "-c", "tiny", *words)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"gavel: error: {line}")
    assert not (tmp_path / "out").exists()


def test_vectors_into_a_file_is_refused(gavel, tmp_path):
    (tmp_path / "file").write_text("")
    result = gavel("vectors", tmp_path / "file" / "out", "-c", "tiny")
    assert result.exit_code == 2
    assert str(tmp_path / "file") in result.stderr


def test_every_register_is_read_once():
    addresses = readable(load_config("tiny"))
    assert len(addresses) == len(set(addresses))
    assert {0x0000, 0x000F, 0x0400, 0x0420, 0x0456, 0x0470, 0x0481, 0x05B8} <= set(addresses)
    assert 0x0482 not in addresses
