# SPDX-License-Identifier: Apache-2.0
"""The one cocotb test: runs the job that the host side left in a file.

``GAVEL_JOB`` names the file; `gavel_tb.simulate` writes it and reads the result.
"""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any

import cocotb

from gavel_model.config import SwitchConfig
from gavel_tb.coverage.attach import with_coverage
from gavel_tb.coverage.collector import Collector
from gavel_tb.job_file import JOB_VARIABLE
from gavel_tb.jobs import finish_session, open_session
from gavel_tb.lockstep import run_alone, run_lockstep
from gavel_tb.read_out import with_read_out


@cocotb.test()
async def job(dut: Any) -> None:
    """Runs the job of the environment."""
    await run_task(dut, Path(os.environ[JOB_VARIABLE]))


async def run_task(dut: Any, path: Path) -> None:
    """Runs a job and writes its result, also when it fails: judging is the host's part."""
    task = json.loads(path.read_text("utf-8"))
    try:
        outcome = await _run(dut, task)
    except Exception as error:
        outcome = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
    Path(task["result"]).write_text(json.dumps(outcome), "utf-8")


async def _run(dut: Any, task: dict[str, Any]) -> dict[str, Any]:
    config = SwitchConfig(**task["config"])
    session = open_session(config, task["kind"], task["parameters"])
    if task["read_out"]:
        session = with_read_out(config, session)
    collector: Collector | None = None
    if task["coverage"]:
        session, collector = with_coverage(session, config, task["kind"], task["parameters"])
    limit = task["max_cycles"]
    if limit is None:
        limit = session.max_cycles
    with Path(task["progress"]).open("w", encoding="utf-8", buffering=1) as lines:
        if task["model"]:
            result = await run_lockstep(
                dut,
                config,
                session.stimulus,
                max_cycles=limit,
                observers=session.observers,
                watch=session.watch,
                probe_paths=task["probe_paths"],
                seed=task["seed"],
                repeat=task["repeat"],
                progress=lambda cycle, share: _progress(lines, cycle, share),
            )
        else:
            result = await run_alone(
                dut, config, session.stimulus, max_cycles=limit, observers=session.observers
            )
    figures: dict[str, Any] = {}
    if result.report is None:
        figures = finish_session(session, result, seed=task["seed"], repeat=task["repeat"])
    covered = {} if collector is None else {"coverage": collector.counts()}
    return {**result.as_dict(), "figures": figures, **covered}


def _progress(lines: Any, cycle: int, share: float) -> None:
    lines.write(f"{cycle} {share:.6f}\n")
