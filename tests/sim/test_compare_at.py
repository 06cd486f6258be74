# SPDX-License-Identifier: Apache-2.0
"""Waves that begin late, and registers that are read at the end, in lockstep."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gavel_tb.lockstep import RESET_CYCLES
from gavel_tb.runner import wave_format
from gavel_tb.simulate import Prepared

FROM, UNTIL = 400, 500


def test_waves_begin_in_the_cycle_asked_for(waved: Prepared, seed: int, tmp_path: Path) -> None:
    result = waved.run(
        {"kind": "traffic", "parameters": {"seed": seed, "cycles": 2000}, "read_out": True,
         "max_cycles": UNTIL, "waves_from": FROM}, folder=tmp_path)
    assert result["mismatches"] == 0
    assert result["timed_out"]
    assert result["cycles"] == UNTIL
    waves = Path(result["waves"])
    assert waves.stat().st_size > 1000
    if wave_format() != "vcd":
        pytest.skip("the times in an FST file are packed")
    times = [int(time) for time in re.findall(r"^#(\d+)$", waves.read_text(), re.MULTILINE)]
    # Two time steps a cycle.
    assert times[0] // 2 - FROM in range(RESET_CYCLES + 1)
    assert times[-1] // 2 - UNTIL in range(RESET_CYCLES + 1)


def test_lockstep_reads_all_registers_too(waved: Prepared, seed: int) -> None:
    task = {"kind": "traffic", "parameters": {"seed": seed, "cycles": 300}}
    cycles = []
    for read_out in (False, True):
        result = waved.run({**task, "read_out": read_out, "waves_from": 10_000})
        assert result["passed"], result["report"]
        cycles.append(result["cycles"])
    assert cycles[1] > cycles[0] + 200
