# SPDX-License-Identifier: Apache-2.0
"""`gavel output-registers`: the changed netlist, what is said of it, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def netlist(*, fan_out: bool = False) -> dict[str, Any]:
    """One block RAM of one bit, and a flip-flop behind it."""
    ram = {"type": "DP16KD", "parameters": {"DATA_WIDTH_B": "1", "GSR": "DISABLED"},
           "port_directions": {"CLKB": "input", "CEB": "input", "DOB0": "output"},
           "connections": {"CLKB": [2], "CEB": ["1"], "DOB0": [3],
                           **{f"CSB{bit}": ["0"] for bit in range(3)}}}
    flip_flop = {"type": "TRELLIS_FF",
                 "parameters": {"GSR": "DISABLED", "CEMUX": "1 ", "REGSET": "RESET"},
                 "port_directions": {"CLK": "input", "DI": "input", "Q": "output"},
                 "connections": {"CLK": [2], "DI": [3], "Q": [4]}}
    pins = {"clk": {"direction": "input", "bits": [2]},
            "q": {"direction": "output", "bits": [4, 3] if fan_out else [4]}}
    return {"creator": "Yosys", "modules": {
        "top": {"ports": pins, "cells": {"ram": ram, "ff": flip_flop}, "netnames": {}}}}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "netlist.json"
    path.write_text(json.dumps(netlist()))
    return path


def test_it_says_how_many(gavel, source, tmp_path):
    out = tmp_path / "out.json"
    result = gavel("output-registers", source, "-o", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"1 of 1 block RAMs have taken in 1 flip-flops: {out}\n"
    cells = json.loads(out.read_text())["modules"]["top"]["cells"]
    assert set(cells) == {"ram"}
    assert cells["ram"]["parameters"]["REGMODE_B"] == "OUTREG"
    assert (cells["ram"]["connections"]["DOB0"], cells["ram"]["connections"]["OCEB"]) == (
        [4], ["1"])
    assert json.loads(source.read_text()) == netlist()


def test_it_says_why_not(gavel, source, tmp_path):
    source.write_text(json.dumps(netlist(fan_out=True)))
    result = gavel("output-registers", source, "-o", source)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == (f"0 of 1 block RAMs have taken in 0 flip-flops: {source}\n"
                             "  1 ports without: a data bit goes to more than one place\n")
    assert json.loads(source.read_text()) == netlist(fan_out=True)
    value = json.loads(gavel("output-registers", source, "-o", tmp_path / "2", "--json").stdout)
    assert value == {"block_rams": 1, "registered": 0, "flip_flops": {},
                     "left": {"a data bit goes to more than one place": 1}}


@pytest.mark.parametrize(("text", "what"), [
    (None, "No such file or directory"),
    ("module top;", "no JSON; `write_json` of Yosys writes it"),
    ("[]", "no netlist of Yosys; `write_json` writes one"),
    ('{"modules": {"top": {"cells": []}}}', "no netlist of Yosys; `write_json` writes one"),
    ('{"modules": {"top": {"cells": {"x": 1}, "ports": {}}}}', "no netlist of Yosys"),
    (json.dumps(netlist()).replace('"1"', '"wide"', 1), "'wide' is no binary number"),
    ('{"modules": {"top": {"cells": {}, "ports": {}}}}', "no DP16KD in it; `synth_ecp5` of Yosys"),
])
def test_other_files_are_refused(gavel, source, tmp_path, text, what):
    out = tmp_path / "out.json"
    out.write_text("before")
    if text is None:
        source.unlink()
    else:
        source.write_text(text)
    result = gavel("output-registers", source, "-o", out)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith("gavel: error: ") and what in result.stderr
    assert result.stderr.count("\n") == 1
    assert out.read_text() == "before"


def test_a_place_that_cannot_be_written_is_refused(gavel, source):
    result = gavel("output-registers", source, "-o", source / "out.json")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert result.stderr.startswith("gavel: error: ")
