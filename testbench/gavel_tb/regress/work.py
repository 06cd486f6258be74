# SPDX-License-Identifier: Apache-2.0
"""What the workers of a regression do: builds, and single runs. Plain data in, plain data out."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_tb.build_cache import BuildCache, Design
from gavel_tb.coverage.attach import with_coverage
from gavel_tb.coverage.code import PointTable
from gavel_tb.coverage.verilator import RUN_ARGUMENT, Point, read_points
from gavel_tb.effort import SHORT
from gavel_tb.errors import SimulationError
from gavel_tb.farm.builds import build_folder
from gavel_tb.faults import ARGUMENT, plant
from gavel_tb.files import write_together
from gavel_tb.jobs import open_session
from gavel_tb.lockstep import LockstepResult
from gavel_tb.regress.on_model import run_on_model
from gavel_tb.regress.tests_of import Run, bench_of
from gavel_tb.runner import Binary
from gavel_tb.simulate import Prepared, prepare
from gavel_tb.stimulus import CheckError

WORK = "gavel_tb.regress.work"
POINTS = "points.json"
"""File of a build with coverage: its points."""

COVERAGE_FILE = "coverage.dat"
LONGEST_REPORT = 20_000
"""Characters of a report that are kept."""


def make_build(
    config: Mapping[str, Any], fault: bool, coverage: bool, cache: str
) -> dict[str, str]:
    """Builds the simulation of a switch unless the cache has it.

    Parameters
    ----------
    fault
        With the planted faults, all asleep.
    coverage
        With code coverage; its points are then in file `POINTS` of the build.

    Returns
    -------
    Folders of cache entries: ``design`` and ``binary``.

    Raises
    ------
    SimulationError
        If a tool is missing or the build fails.
    """
    switch, store = SwitchConfig(**config), BuildCache(Path(cache))
    folder = store.design_folder(switch)
    design = store.design(switch)
    prepared = prepare(switch, cache=Path(cache), design=plant(design) if fault else design,
                       coverage=coverage)
    binary = prepared.build()
    if coverage and not (binary.folder / POINTS).is_file():
        counts = _simulate(replace(prepared, binary=binary), "traffic", {"cycles": 1}, 0, True)[1]
        write_together(binary.folder, {POINTS: PointTable(counts).as_json()})
    return {"design": str(folder), "binary": str(binary.folder)}


def run_test(
    config: Mapping[str, Any], kind: str, parameters: Mapping[str, Any], fault: int = 0,
    design: str | None = None, binary: str | None = None, code: bool = False,
) -> dict[str, Any]:
    """One run.

    Parameters
    ----------
    design, binary
        Names of the entries of the build cache that `make_build` has made; None: the golden model
        alone.
    code
        The build has code coverage.

    Returns
    -------
    ``passed``; ``failure``, None or ``mismatch``, ``check``, ``timeout``; ``report``; ``cycles``;
    ``coverage``, hits by bin; ``code``, as `PointTable.pack`, or None.

    Raises
    ------
    SimulationError
        If the simulator fails.
    """
    switch = SwitchConfig(**config)
    if kind == "block":
        return _bench(switch, parameters)
    if binary is None or design is None:
        session = open_session(switch, kind, parameters)
        session, collector = with_coverage(session, switch, kind, parameters)
        result = run_on_model(switch, session)
        return _outcome(result.as_dict() | {"coverage": collector.counts()}, None)
    folder = build_folder(binary)
    sidecar = json.loads((build_folder(design) / "gavel_switch.json").read_text("utf-8"))
    prepared = Prepared(switch, Design("", sidecar), BuildCache(folder.parent), SHORT, False,
                        binary=Binary(folder, SHORT, None))
    found, counts = _simulate(prepared, kind, parameters, fault, code)
    packed = None
    if code:
        table = PointTable.from_json((folder / POINTS).read_text("utf-8"))
        packed = table.pack(counts)
    return _outcome(found, packed)


def _simulate(
    prepared: Prepared, kind: str, parameters: Mapping[str, Any], fault: int, code: bool
) -> tuple[dict[str, Any], dict[Point, int]]:
    folder = Path(tempfile.mkdtemp(prefix="gavel-run-"))
    try:
        arguments = [f"+{ARGUMENT}={fault}"] if fault else []
        if code:
            arguments.append(f"{RUN_ARGUMENT}{folder / COVERAGE_FILE}")
        result = prepared.run({"kind": kind, "parameters": dict(parameters), "coverage": True,
                               "arguments": arguments}, folder=folder)
        counts: dict[Point, int] = {}
        if code:
            try:
                with (folder / COVERAGE_FILE).open(encoding="utf-8") as lines:
                    counts = read_points(lines)
            except OSError as error:
                raise SimulationError(f"no {COVERAGE_FILE}: {error.strerror}") from None
        return result, counts
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bench(switch: SwitchConfig, parameters: Mapping[str, Any]) -> dict[str, Any]:
    result = LockstepResult()
    try:
        more = {name: value for name, value in parameters.items() if name not in ("block", "seed")}
        bench_of(parameters["block"]).check(switch, parameters["seed"], **more)
    except CheckError as error:
        result.check = result.report = str(error)
    return _outcome(result.as_dict(), None)


def _outcome(result: Mapping[str, Any], code: str | None) -> dict[str, Any]:
    failure = (None if result["passed"] else "mismatch" if result["mismatches"]
               else "check" if result["check"] else "timeout")
    report = result["report"]
    return {
        "passed": result["passed"], "failure": failure, "cycles": result["cycles"],
        "report": None if report is None else report[:LONGEST_REPORT],
        "coverage": result.get("coverage", {}), "code": code,
    }


def parameters_of(run: Run, seed: int, builds: Mapping[str, str] | None, code: bool) -> dict[
        str, Any]:
    """Parameters of `run_test` for a run of the plan; ``builds`` are names of `make_build`."""
    given: dict[str, Any] = {"config": asdict(run.config), "kind": run.kind,
                             "parameters": run.job_parameters(seed)}
    if builds is not None:
        given |= {"fault": run.fault, "design": Path(builds["design"]).name,
                  "binary": Path(builds["binary"]).name, "code": code}
    return given
