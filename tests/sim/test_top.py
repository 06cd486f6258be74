# SPDX-License-Identifier: Apache-2.0
"""Top levels with adapters: RTL against the model, with bus models at their pins."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import pytest

from gavel_model.config import ConfigError, SwitchConfig
from gavel_model.loader import load_config
from gavel_model.top_options import TopOptions
from gavel_rtl.emit import Generated, generate
from gavel_tb import selftest_clients, top_clients
from gavel_tb.build_cache import Design
from gavel_tb.component_sim import run_cocotb
from gavel_tb.top_bench import PINS_VARIABLE, SEED_VARIABLE
from gavel_tb.top_clients import STAGES_VARIABLE
from gavel_tb.top_harness import top_harness
from gavel_tb.top_stream_clients import FCS_VARIABLE, WIDTH_VARIABLE, surroundings

emitted = lru_cache(maxsize=1)(generate)
"""Two tests in a row have the same top level."""


def run(config: SwitchConfig, options: TopOptions, module: str, seed: int, cache: Path,
        folder: Path, **environment: str) -> Generated:
    """Runs the cocotb tests of a module on a top level."""
    generated = emitted(config, options)
    pins = folder / "pins.json"
    pins.write_text(json.dumps(generated.sidecar["ports"]), "utf-8")
    run_cocotb(Design(generated.verilog, {"probes": {}}),
               top_harness("gavel_top", generated.sidecar["ports"]), module, folder / "run",
               cache=cache, environment={SEED_VARIABLE: str(seed), PINS_VARIABLE: str(pins),
                                         **environment})
    return generated


@pytest.mark.parametrize("transmit_stages", [pytest.param("0", marks=pytest.mark.long), "1"])
def test_xgmii(transmit_stages: str, seed: int, sim_cache: Path, tmp_path: Path) -> None:
    made = run(top_clients.switch(transmit_stages), top_clients.OPTIONS, "gavel_tb.top_clients",
               seed, sim_cache, tmp_path, **{STAGES_VARIABLE: transmit_stages})
    names = {port["name"] for port in made.sidecar["ports"]}
    assert {"clk", "rst", "p0_xgmii_rxd", "p0_xgmii_rxc", "p2_xgmii_txd", "p2_xgmii_txc",
            "s_axil_awaddr", "s_axil_rdata"} <= names
    assert not any(name.startswith(("p0_rx_", "reg_")) for name in names)


def test_telemetry(seed: int, sim_cache: Path, tmp_path: Path) -> None:
    """What software and a collector are told; the top level is that of `test_xgmii`."""
    run(top_clients.CONFIG, top_clients.OPTIONS, "gavel_tb.telemetry_clients", seed, sim_cache,
        tmp_path)


@pytest.mark.parametrize(("width", "fcs"), [
    (64, "strip"),
    pytest.param(64, "keep", marks=pytest.mark.long),
    pytest.param(512, "strip", marks=pytest.mark.long),
])
def test_axi_stream(width: int, fcs: str, seed: int, sim_cache: Path, tmp_path: Path) -> None:
    config, options = surroundings(width, fcs)
    run(config, options, "gavel_tb.top_stream_clients", seed, sim_cache, tmp_path,
        **{WIDTH_VARIABLE: str(width), FCS_VARIABLE: fcs})


@pytest.mark.long
def test_pfc_with_the_self_test(seed: int, sim_cache: Path, tmp_path: Path) -> None:
    run(selftest_clients.CONFIG, selftest_clients.OPTIONS, "gavel_tb.selftest_clients", seed,
        sim_cache, tmp_path)


def test_what_a_switch_cannot_have_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"data_width = 128: must be 64 with .* or --crossing"):
        generate(load_config("tiny", ("data_width=128",)), TopOptions(ports="xgmii"))
    with pytest.raises(ConfigError, match="ports = 'gmii': must be one of"):
        TopOptions(ports="gmii")
    with pytest.raises(ConfigError, match="fcs = 'keep': must be strip without"):
        TopOptions(ports="xgmii", fcs="keep")
