# SPDX-License-Identifier: Apache-2.0
"""`gavel fpga`: files, JSON, refusals."""

from __future__ import annotations

import json

import pytest

from gavel_cli import fpga as verb
from gavel_model.loader import load_config
from gavel_model.top_options import TopOptions
from gavel_tb.synthesis.errors import SynthesisError


def test_folder(gavel, tmp_path):
    result = gavel("fpga", "--target", "gowin", "-c", "tiny", "-P", "data_width=128",
                   "--no-estimate", "-o", tmp_path / "out", "--mhz", 200, "--json")
    assert result.exit_code == 0, result.stderr
    value = json.loads(result.stdout)
    assert value["top"] == "gavel_top"
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {str(tmp_path / "out" / name) for name in names} == set(value["files"])
    assert {"README.md", "gavel_top.v", "gavel_top.core", "gavel_top.cst",
            "gavel_registers.h"} <= names
    assert value["estimate"]["verdict"] == "no estimate was asked for"
    sidecar = json.loads((tmp_path / "out" / "gavel_top.json").read_text())
    assert sidecar["options"] == {**sidecar["options"], "ports": "segment",
                                  "registers": "axi_lite"}
    assert "-period 5.000 " in (tmp_path / "out" / "gavel_top.sdc").read_text()


@pytest.mark.parametrize(("width", "mhz", "port_mhz", "asked"), [
    (64, None, None, (156.25, 156.25)), (64, 100.0, None, (100.0, 100.0)),
    (128, None, None, (78.125, 156.25)), (128, 100.0, None, (100.0, 200.0)),
    (128, None, 125.0, (62.5, 125.0)), (128, 80.0, 125.0, (80.0, 125.0)),
    (256, None, None, (44.118, 156.25)), (512, None, None, (29.762, 156.25))])
def test_clocks_that_fit_each_other(width, mhz, port_mhz, asked):
    switch = load_config("tiny", (f"data_width={width}",))
    core, ports = verb.asked_clocks(switch, TopOptions(ports="xgmii", crossing=True), mhz, port_mhz)
    assert set(ports) == {f"p{port}_{side}_clk" for port in range(switch.ports)
                          for side in ("rx", "tx")}
    assert (core, *set(ports.values())) == asked


@pytest.mark.long
def test_a_core_wider_than_its_ports(gavel, tmp_path):
    """Four ports of 10 Gbit/s need half of their clock where the switch has 128 bits."""
    out = tmp_path / "out"
    result = gavel("fpga", "--target", "ecp5", "-c", "tiny", "-P", "data_width=128", "--crossing",
                   "--no-estimate", "-o", out)
    assert result.exit_code == 0, result.stderr
    constraints = (out / "gavel_top.lpf").read_text()
    assert 'FREQUENCY PORT "clk" 78.125 MHZ;\n' in constraints
    assert 'FREQUENCY PORT "p0_rx_clk" 156.25 MHZ;\n' in constraints
    text = (out / "README.md").read_text()
    assert "A port moves 64 bits in each\ncycle: 10 Gb/s at 156.25 MHz" in text
    assert "128 bits in each cycle of `clk`, 78.125 MHz" in text
    assert "| `xgmii_rxd` | input | 64 |" in text
    assert "  // A cycle of the switch is 2 cycles of the ports.\n" in (
        out / "gavel_smoke.v").read_text()


@pytest.mark.parametrize(("words", "code", "said"), [
    (("--target", "spartan"), 2, "'spartan' is not one of"),
    (("-o", "x"), 2, "Missing option '--target'"),
    (("--target", "ecp5", "-P", "vcs=9"), 2, "vcs = 9: must be in 1...8"),
    (("--target", "ecp5", "-P", "data_width=128", "--ports", "xgmii"), 2,
     "data_width = 128: must be 64 with ports = xgmii"),
    (("--target", "ecp5", "--port-mhz", "156.25"), 2, "--port-mhz: only with --crossing"),
    (("--target", "ecp5", "--seeds", "0"), 2, "0 is not in the range"),
])
def test_refusals_write_nothing(gavel, tmp_path, words, code, said):
    place = () if "-o" in words else ("-o", tmp_path / "out")
    result = gavel("fpga", "-c", "tiny", *words, *place)
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_missing_tool_writes_nothing(gavel, tmp_path, monkeypatch):
    def missing(*_: object) -> None:
        raise SynthesisError("nextpnr for Lattice ECP5 is missing: pip install 'gavel[fpga]'")

    monkeypatch.setattr(verb, "check_tools", missing)
    result = gavel("fpga", "--target", "ecp5", "-c", "tiny", "-o", tmp_path / "out")
    assert result.exit_code == 3
    assert result.stderr == ("gavel: error: nextpnr for Lattice ECP5 is missing: "
                             "pip install 'gavel[fpga]'\n")
    assert not (tmp_path / "out").exists()
