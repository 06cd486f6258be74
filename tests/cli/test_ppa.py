# SPDX-License-Identifier: Apache-2.0
"""`gavel ppa`: the table, JSON, what does not fit, refusals."""

from __future__ import annotations

import json

import pytest

from gavel_cli import ppa
from gavel_model.loader import load_config
from gavel_tb.synthesis.area import Area
from gavel_tb.synthesis.errors import SynthesisError
from gavel_tb.synthesis.place_route import CriticalPath, Placed, PlacedSeeds
from gavel_tb.synthesis.ppa import Blocks, Figures

PLACED = PlacedSeeds(tuple(
    Placed(seed, mhz, CriticalPath("block.first_register", "block.last", 7, 2.0, 3.0), {}, {})
    for seed, mhz in ((1, 150.0), (2, 170.0), (3, 160.0))), "0.11")


@pytest.fixture(scope="module")
def tiny():
    """Taken apart once."""
    return Blocks(load_config("tiny"))


@pytest.fixture
def measured(monkeypatch, tiny):
    """Takes the tools' place, and notes what was asked for."""
    asked: list[tuple[str, int]] = []

    def measure(switch, block, _folder, seeds, **_more):
        asked.append((block, len(seeds)))
        too_large = "99,000 LUT4 of 83,640" if block == "switch" else ""
        return Figures(block=block, instances=switch.instances[block],
                       area=Area(luts=1234, flip_flops=56, block_rams=7, lut_rams=8),
                       too_large=too_large, placed=None if too_large or not seeds else PLACED)

    monkeypatch.setattr(ppa, "Blocks", lambda _config, *, telemetry: tiny)
    monkeypatch.setattr(ppa, "measure", measure)
    return asked


def test_the_table_has_every_block_and_the_whole_first(gavel, measured):
    result = gavel("ppa", "-c", "tiny", "--seeds", "3")
    assert result.exit_code == 0, result.output
    names = [block for block, _seeds in measured]
    assert names[0] == "switch" and {"egress", "counters", "ordered_set_writer"} <= set(names)
    assert "does not fit: 99,000 LUT4 of 83,640" in result.stdout
    assert all(name in result.stdout for name in names)
    assert "bare_fabric" not in names


def test_the_bare_fabric_can_be_asked_for(gavel, measured):
    text = gavel("ppa", "-c", "tiny", "bare_fabric", "--seeds", "0", "--markdown").stdout
    assert text.splitlines()[-1].startswith("| bare_fabric | 0 | 1,234 |")


def test_a_switch_with_telemetry_has_its_blocks(gavel):
    refused = gavel("ppa", "-c", "tiny", "watermarks", "--seeds", "0")
    assert refused.exit_code == 2
    assert "no block 'watermarks'" in refused.stderr
    done = gavel("ppa", "-c", "tiny", "watermarks", "--telemetry", "--seeds", "0", "--json")
    assert done.exit_code == 0, done.output
    row, = json.loads(done.stdout)["blocks"]
    assert (row["block"], row["instances"]) == ("watermarks", 2)
    assert row["flip_flops"] > 0


def test_the_clock_is_the_median_and_its_path_has_the_names_of_the_block(gavel, measured):
    text = gavel("ppa", "-c", "tiny", "egress", "--seeds", "3", "--markdown").stdout
    assert text.splitlines()[-1] == (
        "| egress | 2 | 1,234 | 56 | 7 | 8 | 160.0 | first -> last, 7 levels |")


def test_json_has_the_clock_of_every_seed(gavel, measured):
    result = json.loads(gavel("ppa", "-c", "tiny", "egress", "--seeds", "3", "--json").stdout)
    assert result["blocks"][0]["fmax_mhz"] == {"1": 150.0, "2": 170.0, "3": 160.0}
    assert result["device"] == "LFE5U-85F"


def test_areas_alone(gavel, measured):
    rows = json.loads(gavel("ppa", "-c", "tiny", "egress", "--seeds", "0", "--json").stdout)
    assert measured == [("egress", 0)] and rows["blocks"][0]["fmax_mhz"] == {}


def test_an_unknown_block_is_refused_with_those_there_are(gavel, measured):
    result = gavel("ppa", "-c", "tiny", "nonsense")
    assert result.exit_code == 2
    assert result.stderr.startswith("gavel: error: no block 'nonsense': one of ack_window")


def test_a_missing_tool_is_told_before_anything_is_made(gavel, measured, monkeypatch):
    def missing(_family):
        raise SynthesisError("nextpnr is missing: pip install 'gavel[fpga]'")

    monkeypatch.setattr(ppa, "check_nextpnr", missing)
    result = gavel("ppa", "-c", "tiny", "egress")
    assert result.exit_code == 3 and "pip install" in result.stderr
    assert measured == []
