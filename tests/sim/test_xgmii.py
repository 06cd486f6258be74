# SPDX-License-Identifier: Apache-2.0
"""The XGMII adapter: RTL against the model, and against bus models that are not ours."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from gavel_model.config import ConfigError
from gavel_model.loader import load_config
from gavel_rtl.xgmii import require_width
from gavel_rtl.xgmii_rx import XgmiiRx
from gavel_rtl.xgmii_tx import XgmiiTx
from gavel_tb.component_sim import components_design, run_cocotb
from gavel_tb.xgmii_clients import SEED_VARIABLE
from gavel_tb.xgmii_harness import xgmii_harness

CONFIG = load_config("tiny")
ROUNDS = 3


@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize("block", ["xgmii_rx", "xgmii_tx"])
def test_block(block: str, round_: int, seed: int) -> None:
    importlib.import_module(f"gavel_tb.{block}").check(CONFIG, seed * ROUNDS + round_)


def test_bus_models(seed: int, sim_cache: Path, tmp_path: Path) -> None:
    design = components_design(XgmiiRx(CONFIG), XgmiiTx(CONFIG))
    run_cocotb(design, xgmii_harness(CONFIG), "gavel_tb.xgmii_clients", tmp_path,
               cache=sim_cache, environment={SEED_VARIABLE: str(seed)})


def test_other_widths_are_refused() -> None:
    with pytest.raises(ConfigError, match="data_width = 128"):
        require_width(load_config("tiny", ("data_width=128",)))
