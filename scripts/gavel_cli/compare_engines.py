# SPDX-License-Identifier: Apache-2.0
"""The three ways in which `gavel compare` runs a job; each gives the run's result as plain data."""

from __future__ import annotations

import gc
from typing import Any

from gavel_cli.compare_options import Planned
from gavel_cli.run_progress import ProgressBar
from gavel_model.config import SwitchConfig
from gavel_tb.fast_compare import compare_blocks
from gavel_tb.jobs import finish_session, open_session
from gavel_tb.native_library import NativeSwitch
from gavel_tb.open_producer import producer_for
from gavel_tb.read_out import with_read_out
from gavel_tb.repeat import repeat_command
from gavel_tb.simulate import Prepared

BEFORE, AFTER = 300, 64
"""Cycles before the one asked for with which waves begin, and after it with which a run ends."""


def run_lockstep(prepared: Prepared, planned: Planned) -> dict[str, Any]:
    """Probe points, too, are compared in every cycle."""
    with ProgressBar(planned.name, "building") as bar:
        return prepared.run(
            planned.task(), progress=lambda cycle, share: bar(share, f"simulating, cycle {cycle:,}")
        )


def run_at(prepared: Prepared, planned: Planned, cycle: int) -> dict[str, Any]:
    """Lockstep as far as a cycle, with waves around it."""
    task = {**planned.task(), "read_out": True, "max_cycles": cycle + AFTER,
            "waves_from": max(0, cycle - BEFORE)}
    with ProgressBar(planned.name, "building") as bar:
        result = prepared.run(
            task, progress=lambda done, _: bar(done / (cycle + AFTER), f"cycle {done:,}"))
    if result["timed_out"]:
        # That was to be.
        result |= {"timed_out": False, "report": None, "passed": True}
    return result


def run_fast(switch: SwitchConfig, rtl: NativeSwitch, planned: Planned) -> dict[str, Any]:
    """Only pins are compared, in blocks; all registers are read at the end."""
    rtl.reset()
    session = with_read_out(switch, open_session(switch, *planned.task().values()))
    task, seed = planned.task(), planned.job.seed
    # Modules and compiled code stay: the collector need not look at them again and again.
    gc.freeze()
    with ProgressBar(planned.name) as bar:
        result = compare_blocks(
            switch, producer_for(switch, session), rtl, seed=seed,
            repeat=lambda cycle: repeat_command(switch, task, at=cycle),
            progress=lambda cycle, share: bar(share, f"cycle {cycle:,}"),
        )
    figures: dict[str, Any] = {}
    if result.report is None:
        figures = finish_session(session, result, seed=seed,
                                 repeat=repeat_command(switch, task, at=result.cycles))
    return {**result.as_dict(), "figures": figures, "waves": None, "waves_note": None}
