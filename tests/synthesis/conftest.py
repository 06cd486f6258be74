# SPDX-License-Identifier: Apache-2.0
"""One small synthesized block, shared, and a bench in Icarus."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gavel_model.loader import load_config
from gavel_rtl.free_list import FreeList
from gavel_tb.fpga.smoke_bench import BENCH
from gavel_tb.synthesis.components import block_rtlil
from gavel_tb.synthesis.families import FAMILIES
from gavel_tb.synthesis.synthesize import Synthesis, synthesize


@pytest.fixture(scope="session")
def free_list(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """The free list of the preset `fpga` on ECP5: a ring in block RAM, and pointers."""
    text, top = block_rtlil(FreeList(load_config("fpga")))
    return synthesize(text, top, FAMILIES["ecp5"], tmp_path_factory.mktemp("free_list"),
                      language="rtlil", flatten=False)


@pytest.fixture
def smoke(tmp_path: Path, icarus: None) -> Callable[[str, str], subprocess.CompletedProcess[str]]:
    """smoke(bench, Verilog of the switch) -> what Icarus says."""
    def run(bench: str, design: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "bench.v").write_text(bench)
        (tmp_path / "design.v").write_text(design)
        made = subprocess.run(["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", "smoke.vvp",
                               "-s", BENCH, "bench.v", "design.v"], cwd=tmp_path, check=True,
                              capture_output=True, text=True)
        assert made.stdout == made.stderr == ""
        return subprocess.run(["vvp", "-n", "smoke.vvp"], cwd=tmp_path, capture_output=True,
                              text=True, check=False)

    return run
