# SPDX-License-Identifier: Apache-2.0
"""AXI4-Lite: RTL against the model, and with a manager that is not ours."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from gavel_model.loader import load_config
from gavel_rtl.axi_lite import AxiLite
from gavel_tb.axi_lite import check
from gavel_tb.axi_lite_clients import CONFIG, SEED_VARIABLE, STAGES_VARIABLE
from gavel_tb.axi_lite_harness import AxiLiteRegisters, axi_lite_harness
from gavel_tb.component_sim import components_design, run_cocotb
from gavel_tb.rdl.exports import oracle
from gavel_tb.runner import verilator_folder


@pytest.mark.parametrize(("ports", "vcs", "stages"), [(2, 1, 0), (3, 3, 1), (7, 8, 0)])
def test_block(ports: int, vcs: int, stages: int, seed: int) -> None:
    check(load_config("tiny", (f"ports={ports}", f"vcs={vcs}", f"register_stages={stages}")), seed)


def test_lint_is_clean(tmp_path: Path) -> None:
    path = tmp_path / "axi_lite.v"
    path.write_text(components_design(AxiLite(CONFIG)).verilog, "utf-8")
    waivers = resources.files("gavel_rtl").joinpath("lint.vlt")
    done = subprocess.run(
        [str(verilator_folder() / "verilator"), "--lint-only", "-Wall", "--top-module",
         "gavel_axi_lite", str(waivers), str(path)],
        capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("stages", [0, pytest.param(1, marks=pytest.mark.long)])
def test_bus_model_and_oracle(stages: int, seed: int, sim_cache: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, register_stages=stages)
    ours = components_design(AxiLiteRegisters(config))
    design = replace(ours, verilog=ours.verilog + oracle(config))
    run_cocotb(design, axi_lite_harness(), "gavel_tb.axi_lite_clients", tmp_path,
               cache=sim_cache,
               environment={SEED_VARIABLE: str(seed), STAGES_VARIABLE: str(stages)})
