# SPDX-License-Identifier: Apache-2.0
"""`gavel info`: fields, derived numbers, K, register map, refusals."""

from __future__ import annotations

import json
import re

import pytest

from gavel_model.loader import PRESETS


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_prints_k(gavel, preset):
    result = gavel("info", "--config", preset)
    assert result.exit_code == 0
    assert f"K = latency_cycles = {18 if preset == 'fpga' else 10}" in result.stdout


def test_json_has_the_same_names_as_the_text(gavel):
    text = gavel("info", "-c", "rack").stdout
    value = json.loads(gavel("info", "-c", "rack", "--json").stdout)
    for group in ("config", "derived"):
        for name in value[group]:
            assert f"  {name} " in text
    assert value["config"]["ports"] == 16
    assert value["derived"]["latency_cycles"] == 10
    assert value["derived"]["frames_per_cycle"] == 16
    assert "registers" not in value


def test_overrides_apply_in_order(gavel):
    value = json.loads(gavel("info", "-P", "ports=5", "-P", "ports=7", "--json").stdout)
    assert value["config"]["ports"] == 7


def test_config_from_a_file(gavel, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('base = "tiny"\nports = 3\n', encoding="utf-8")
    value = json.loads(gavel("info", "--config", file, "--json").stdout)
    assert (value["config"]["ports"], value["config"]["buffer_cells"]) == (3, 16)


def test_register_map(gavel):
    value = json.loads(gavel("info", "-c", "tiny", "--registers", "--json").stdout)
    registers = {line["name"]: line for line in value["registers"]}
    assert registers["ID"] == {"address": 0, "name": "ID", "access": "ro"}
    assert registers["BYPASS_LIMIT"]["address"] == 0x000F
    assert registers["P1_VC_MAP"] == {"address": 0x0502, "name": "P1_VC_MAP", "access": "rw"}
    assert registers["P0_LLR_STATUS"] == {
        "address": 0x040E, "name": "P0_LLR_STATUS", "access": "ro"}
    assert registers["P1_TX_ECN_MARKED"] == {
        "address": 0x0530, "name": "P1_TX_ECN_MARKED", "access": "ro"}
    addresses = [line["address"] for line in value["registers"]]
    assert addresses == sorted(set(addresses))
    assert "0x0502  rw  P1_VC_MAP" in gavel("info", "-c", "tiny", "--registers").stdout


@pytest.mark.parametrize(("words", "line"), [
    (("-P", "ports=1"), "ports = 1: must be in 2...64"),
    (("-P", "data_width=96"), "data_width = 96: must be 64, 128, 256 or 512 bits"),
    (("-P", "prots=4"), "prots: unknown field; one of ports, data_width"),
    (("-P", "ports"), "-P = 'ports': must be of the form name=value"),
    (("-P", "ports=many"), "ports = 'many': must be a whole number"),
    (("--config", "podd"), "config = 'podd': must be a TOML file or one of tiny"),
])
def test_refusals_name_field_value_and_range(gavel, words, line):
    result = gavel("info", *words)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"gavel: error: {line}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_an_ethertype_is_shown_in_hexadecimal(gavel):
    assert re.search(r"esun_ethertype +0x88B5\n", gavel("info").stdout)
