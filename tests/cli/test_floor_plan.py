# SPDX-License-Identifier: Apache-2.0
"""`gavel floor-plan`: the changed netlist, what is said of it, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def netlist(*names: str) -> dict[str, Any]:
    return {"creator": "Yosys", "modules": {"top": {
        "attributes": {"top": "1"}, "ports": {}, "netnames": {},
        "cells": {name: {"type": "DP16KD", "parameters": {}, "port_directions": {},
                         "connections": {}} for name in names}}}}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "netlist.json"
    path.write_text(json.dumps(netlist("port0.lookup.0", "port1.lookup.0", "other")))
    return path


def test_it_says_how_many(gavel, source, tmp_path):
    before, out = source.read_text(), tmp_path / "out.json"
    result = gavel("floor-plan", source, "-o", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"3 of 3 block RAMs have a place, in 2 rooms: {out}\n"
    cells = json.loads(out.read_text())["modules"]["top"]["cells"]
    assert cells["port0.lookup.0"]["attributes"] == {"BEL": "X64/Y46/EBR3"}
    assert source.read_text() == before
    value = json.loads(gavel("floor-plan", source, "-o", source, "--json").stdout)
    assert value == {"block_rams": 3, "placed": 3, "ports": 2, "why_not": ""}
    assert source.read_text() == out.read_text()


@pytest.mark.parametrize(("text", "what"), [
    (None, "No such file or directory"),
    ("module top;", "no JSON; `write_json` of Yosys writes it"),
    (json.dumps(netlist()), "no DP16KD in it; `synth_ecp5` of Yosys"),
    (json.dumps(netlist("memory")), "no floor plan on an LFE5U-85F: no port has any"),
    (json.dumps(netlist("port0.lookup.0")).replace('"1"', '"yes"'), "no port has any"),
    (json.dumps(netlist("port0.lookup.0")).replace('{"top": "1"}', "3"), "no port has any"),
    (json.dumps(netlist(*(f"port0.lookup.{n}" for n in range(209)))),
     "no floor plan on an LFE5U-85F: port0 has 209, and its room 208 sites"),
])
def test_other_files_are_refused(gavel, source, tmp_path, text, what):
    out = tmp_path / "out.json"
    out.write_text("before")
    if text is None:
        source.unlink()
    else:
        source.write_text(text)
    result = gavel("floor-plan", source, "-o", out)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith("gavel: error: ") and what in result.stderr
    assert result.stderr.count("\n") == 1
    assert out.read_text() == "before"
