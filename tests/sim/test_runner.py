# SPDX-License-Identifier: Apache-2.0
"""What the runner promises: failures are failures, builds are shared, waves are named."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gavel_model.loader import load_config
from gavel_tb.build_cache import BuildCache, Design
from gavel_tb.effort import SHORT
from gavel_tb.errors import SimulationError
from gavel_tb.harness import harness_verilog
from gavel_tb.repeat import repeat_command
from gavel_tb.runner import build, wave_format
from gavel_tb.simulate import Prepared, prepare
from gavel_tb.traffic import TrafficJob


def test_an_error_in_the_simulation_is_an_error_here(simulate: Any) -> None:
    with pytest.raises(SimulationError, match="pattern = 'sideways'"):
        simulate("tiny", "traffic", pattern="sideways")


def test_unknown_kind_is_refused(simulate: Any) -> None:
    with pytest.raises(SimulationError, match="must be traffic"):
        simulate("tiny", "nonsense")


def test_a_run_that_does_not_end_is_not_a_pass(sim_cache: Path) -> None:
    prepared = prepare(load_config("tiny"), cache=sim_cache, effort=SHORT)
    result = prepared.run({"kind": "traffic", "parameters": {"cycles": 500}, "max_cycles": 100})
    assert not result["passed"]
    assert result["timed_out"]


def test_verilog_that_is_wrong_names_the_log(sim_cache: Path) -> None:
    design = Design("module gavel_switch(input nothing); endmodule modul", {"probes": {}})
    told = r"^Verilator build failed: %Error.*build\.log\)$"
    with pytest.raises(SimulationError, match=told) as caught:
        build(BuildCache(sim_cache), design, "module gavel_harness(input clk); endmodule",
              effort=SHORT)
    assert "\n" not in str(caught.value)


def test_a_build_compiles_its_design_and_nothing_else(sim_cache: Path) -> None:
    """What is the same for every design is compiled once, and the design as two files."""
    prepared = prepare(load_config("tiny"), cache=sim_cache, effort=SHORT)
    harness = harness_verilog(prepared.config, prepared.design.probe_paths)
    binary = build(prepared.cache, prepared.design, harness, effort=SHORT)
    log = (binary.folder / "build.log").read_text("utf-8")
    assert set(re.findall(r" -c -o (\S+) ", log)) == {"verilator.o", "Vtop__fast.o",
                                                      "Vtop__slow.o"}
    assert not list(binary.folder.glob("*.gch"))


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    root = tmp_path / "file" / "cache"
    root.parent.touch()
    with pytest.raises(SimulationError, match=f"build cache {root} cannot be written"):
        BuildCache(root).entry("thing", ("a",), lambda _: None)


STARTS_A_LONG_RUN = """
import sys, tempfile
from pathlib import Path
from gavel_model.loader import load_config
from gavel_tb.simulate import prepare
tempfile.tempdir = sys.argv[2]
prepare(load_config("tiny"), cache=Path(sys.argv[1])).run(
    {"kind": "bench", "parameters": {"cycles": 1 << 40}})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_simulator_ends_with_its_parent(
    sim_cache: Path, tmp_path: Path, simulate: Any, number: signal.Signals
) -> None:
    assert simulate("tiny", "traffic", cycles=10)["passed"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, "-c", STARTS_A_LONG_RUN, str(sim_cache), str(tmp_path)],
                          env=environment, stderr=subprocess.DEVNULL) as parent:
        _until(lambda: _simulators(tmp_path))
        parent.send_signal(number)
        parent.wait(30)
    assert parent.returncode
    _until(lambda: not _simulators(tmp_path))
    if number is not signal.SIGKILL:
        assert _runs(tmp_path) == []


def _runs(folder: Path) -> list[Path]:
    return list(folder.glob("run-*"))


def _simulators(folder: Path) -> list[str]:
    """Processes that work in a run below the folder."""
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdecimal() and Path(process, "cwd").resolve() in _runs(folder):
                found.append(process.name)
    return found


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    made: list[Path] = []
    cache = BuildCache(tmp_path)
    first = cache.entry("thing", ("a", "b"), made.append)
    assert cache.entry("thing", ("a", "b"), made.append) == first
    assert cache.entry("thing", ("ab", ""), made.append) != first
    assert len(made) == 2


def test_an_entry_that_failed_is_made_again(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise SimulationError("no")

    with pytest.raises(SimulationError):
        cache.entry("thing", ("a",), fail)
    folder = cache.entry("thing", ("a",), lambda folder: (folder / "whole").touch())
    assert sorted(path.name for path in folder.iterdir()) == ["complete", "whole"]


def test_waves_are_written_and_named(waved: Prepared) -> None:
    result = waved.run({"kind": "traffic", "parameters": {"cycles": 200}})
    assert result["passed"], result["report"]
    waves = Path(result["waves"])
    assert waves.suffix == f".{wave_format()}"
    assert waves.stat().st_size > 1000
    assert (result["waves_note"] is None) == (wave_format() == "fst")


def test_progress_is_told(sim_cache: Path) -> None:
    told: list[tuple[int, float]] = []
    prepared = prepare(load_config("tiny"), cache=sim_cache, effort=SHORT)
    prepared.run({"kind": "traffic", "parameters": {"cycles": 30_000}},
                 progress=lambda cycle, share: told.append((cycle, share)))
    assert told
    assert told == sorted(told)
    assert all(0 <= share <= 1 for _, share in told)


def test_the_command_that_repeats_gives_the_same_switch() -> None:
    config = load_config("pod", ["vcs=3"])
    job = {"kind": "traffic", "parameters": TrafficJob(seed=5, registers=True).parameters()}
    command = repeat_command(config, job)
    assert command is not None
    assert command.startswith("gavel compare --config pod -P vcs=3 --seed 5")
    assert "--registers" in command.split()
    assert "--waves" in command.split()
