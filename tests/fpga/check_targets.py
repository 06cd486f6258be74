# SPDX-License-Identifier: Apache-2.0
"""Every target for the preset `fpga`, which takes long: `make fpga-check`, and not `make test`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gavel_cli.main import cli
from gavel_tb.fpga.targets import TARGETS
from gavel_tb.synthesis.families import BLOCK_RAM

BUFFERS = {"cell_data", "cell_next", "frame_next", "words", "ring", "direct_table", "route_copy"}
"""Memories that every family must make of block RAM."""

FITS = {"ecp5", "xc7", "xcup"}
"""The preset has more LUTs and block RAMs than a GW2A-55, and far more than an iCE40HX8K."""

SEEDS = 1
"""Of place and route: the check is that it ends. Medians of several seeds are for `gavel ppa`."""


@pytest.fixture(params=TARGETS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, Any]]:
    done = CliRunner().invoke(cli, ["fpga", "--target", request.param, "-o", str(tmp_path),
                                    "--seeds", str(SEEDS), "--json"], prog_name="gavel")
    assert done.exit_code == 0, done.stderr
    return request.param, json.loads(done.stdout)["estimate"]


def test_target(made: tuple[str, dict[str, Any]]) -> None:
    name, known = made
    assert known["lint"] == ""
    if name == "agilex":
        assert known["resources"] is None
        return
    assert known["warnings"] == []
    assert known["resources"]["latches"] == 0
    memories = {path.rpartition(".")[2]: kind for path, kind in known["memories"].items()}
    assert {memory for memory in BUFFERS if memories[memory] != BLOCK_RAM} == set()
    assert known["fits"] == (name in FITS)
    if name == "ecp5":
        assert len(known["runs"]) == SEEDS
        assert [run["failed"] for run in known["runs"]] == [""] * SEEDS
