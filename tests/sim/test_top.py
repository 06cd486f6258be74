# SPDX-License-Identifier: Apache-2.0
"""The top level with XGMII and AXI4-Lite: RTL against the model, with bus models at its pins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gavel_model.config import ConfigError
from gavel_model.loader import load_config
from gavel_model.top_options import TopOptions
from gavel_rtl.emit import Generated, generate
from gavel_tb.build_cache import Design
from gavel_tb.component_sim import run_cocotb
from gavel_tb.top_clients import CONFIG, OPTIONS, PINS_VARIABLE, SEED_VARIABLE
from gavel_tb.top_harness import top_harness


@pytest.fixture(scope="module")
def generated() -> Generated:
    return generate(CONFIG, OPTIONS)


def test_lockstep_with_bus_models_and_partners(generated: Generated, seed: int, sim_cache: Path,
                                               tmp_path: Path) -> None:
    pins = tmp_path / "pins.json"
    pins.write_text(json.dumps(generated.sidecar["ports"]), "utf-8")
    run_cocotb(Design(generated.verilog, {"probes": {}}),
               top_harness("gavel_top", generated.sidecar["ports"]), "gavel_tb.top_clients",
               tmp_path / "run", cache=sim_cache,
               environment={SEED_VARIABLE: str(seed), PINS_VARIABLE: str(pins)})


def test_pins_have_plain_names(generated: Generated) -> None:
    names = {port["name"] for port in generated.sidecar["ports"]}
    assert {"clk", "rst", "p0_xgmii_rxd", "p0_xgmii_rxc", "p2_xgmii_txd", "p2_xgmii_txc",
            "s_axil_awaddr", "s_axil_rdata"} <= names
    assert not any(name.startswith(("p0_rx_", "reg_")) for name in names)


def test_what_a_switch_cannot_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="data_width = 128: must be 64 with ports = xgmii"):
        generate(load_config("tiny", ("data_width=128",)), TopOptions(ports="xgmii"))
    with pytest.raises(ConfigError, match="ports = 'gmii': must be one of"):
        TopOptions(ports="gmii")
