# SPDX-License-Identifier: Apache-2.0
"""The XGMII adapter: RTL against the model, and against bus models that are not ours."""

from __future__ import annotations

import importlib
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from gavel_model.config import ConfigError
from gavel_model.loader import load_config
from gavel_rtl.xgmii import require_width
from gavel_rtl.xgmii_port import XgmiiPort
from gavel_rtl.xgmii_rx import XgmiiRx
from gavel_rtl.xgmii_tx import XgmiiTx
from gavel_tb import xgmii_tx
from gavel_tb.build_cache import Design
from gavel_tb.component_sim import components_design, run_cocotb
from gavel_tb.runner import verilator_folder
from gavel_tb.xgmii_bench import SEED_VARIABLE, STEP_VARIABLE
from gavel_tb.xgmii_harness import xgmii_harness

CONFIG = load_config("tiny")
SLICED = load_config("tiny", ("transmit_stages=1",))
BLOCKS = ("xgmii_rx", "xgmii_tx")
BENCHES = (*BLOCKS, "tx_slice")
ROUNDS, IN_SHORT = 3, 2
"""Rounds of the benches, which differ in what is drawn; and how many the short run has."""


@pytest.mark.parametrize("round_", [*range(IN_SHORT), *(
    pytest.param(number, marks=pytest.mark.long) for number in range(IN_SHORT, ROUNDS))])
@pytest.mark.parametrize("block", BENCHES)
def test_block(block: str, round_: int, seed: int) -> None:
    importlib.import_module(f"gavel_tb.{block}").check(CONFIG, seed * ROUNDS + round_)


@pytest.mark.parametrize("sliced", [False, True])
def test_a_transmit_side_that_knows_a_cycle_ahead(sliced: bool, seed: int) -> None:
    xgmii_tx.check(CONFIG, seed, ahead=True, sliced=sliced)


@pytest.fixture(scope="module")
def design() -> Design:
    return components_design(XgmiiRx(CONFIG), XgmiiTx(CONFIG))


@pytest.mark.parametrize("block", BLOCKS)
def test_lint_is_clean(design: Design, block: str, tmp_path: Path) -> None:
    check_lint(design, block, tmp_path)


def test_lint_of_a_port_with_registers_is_clean(tmp_path: Path) -> None:
    check_lint(components_design(XgmiiPort(SLICED)), "xgmii_port", tmp_path)


def test_a_port_with_clocks_of_its_own_has_no_slice() -> None:
    for crossing in (False, True):
        verilog = components_design(XgmiiPort(SLICED, crossing=crossing)).verilog
        assert ("gavel_tx_slice" in verilog) is not crossing


def check_lint(design: Design, block: str, folder: Path) -> None:
    path = folder / "adapter.v"
    path.write_text(design.verilog, "utf-8")
    waivers = resources.files("gavel_rtl").joinpath("lint.vlt")
    done = subprocess.run(
        [str(verilator_folder() / "verilator"), "--lint-only", "-Wall", "--top-module",
         f"gavel_{block}", str(waivers), str(path)],
        capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("step", [13, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("block", BLOCKS)
def test_bus_models(block: str, step: int, design: Design, seed: int, sim_cache: Path,
                    tmp_path: Path) -> None:
    run_cocotb(design, xgmii_harness(CONFIG), f"gavel_tb.{block}_clients", tmp_path,
               cache=sim_cache, environment={SEED_VARIABLE: str(seed), STEP_VARIABLE: str(step)})


def test_other_widths_are_refused() -> None:
    with pytest.raises(ConfigError, match="data_width = 128"):
        require_width(load_config("tiny", ("data_width=128",)))
