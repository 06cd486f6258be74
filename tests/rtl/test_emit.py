# SPDX-License-Identifier: Apache-2.0
"""The Verilog and its sidecar: each module once, readable names, the same bytes every time."""

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from gavel_model.loader import load_config
from gavel_model.probes import probe_points
from gavel_rtl.emit import generate
from gavel_rtl.memory_module import MemoryShape
from gavel_rtl.verilog import ASSERT_MACRO
from gavel_tb.build_cache import BuildCache

pytest.importorskip("pyosys", reason="writes the Verilog; Amaranth alone makes none")

TINY = load_config("tiny")
MODULE = re.compile(r"^module (\S+?)\(", re.MULTILINE)
INSTANCE = re.compile(r"^  (gavel_\w+) (\S+) \($", re.MULTILINE)


def blocks(modules):
    """All but those of memories, which have their shape in the name."""
    return {module for module in modules if MemoryShape.of(module) is None}


@pytest.fixture(scope="module")
def tiny(sim_cache):
    """Made by whichever test first asks for it."""
    return BuildCache(sim_cache).design(TINY)


def test_same_config_gives_the_same_bytes(tiny):
    again = generate(TINY)
    assert again.verilog == tiny.verilog
    assert json.dumps(again.sidecar) == json.dumps(tiny.sidecar)
    assert tiny.sidecar["sha256"] == hashlib.sha256(tiny.verilog.encode()).hexdigest()


def test_each_module_stands_once_whatever_the_radix(tiny):
    larger = generate(replace(TINY, ports=5)).verilog
    modules = MODULE.findall(larger)
    assert len(modules) == len(set(modules))
    assert set(MODULE.findall(tiny.verilog)) == set(tiny.sidecar["modules"])
    assert blocks(modules) == blocks(tiny.sidecar["modules"])


def test_a_module_with_too_many_outputs_has_the_same_name_inside_its_parent(tiny, monkeypatch):
    """As the registers of `scale`: tests/cli/test_verilog.py has it, among the long tests."""
    monkeypatch.setattr("gavel_rtl.netlist._MOST_OUTPUTS", 2000)
    inside = generate(TINY)
    assert inside.verilog != tiny.verilog
    assert blocks(MODULE.findall(inside.verilog)) == blocks(MODULE.findall(tiny.verilog))
    assert inside.sidecar["modules"] == tiny.sidecar["modules"]


def test_a_switch_with_voqs_knows_of_no_other_queueing(tiny):
    assert "queueing" not in tiny.verilog
    assert "head_order" not in tiny.verilog
    assert tiny.sidecar["config"]["queueing"] == "voq"


def test_hierarchy_has_names_that_a_person_gave(tiny):
    names = MODULE.findall(tiny.verilog) + [name for _, name in INSTANCE.findall(tiny.verilog)]
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []
    inside = {name for _, name in INSTANCE.findall(tiny.verilog)}
    assert {"port0", "port1", "scheduler", "crossbar", "registers", "flow_control", "link_rx",
            "llr_receiver", "parser", "lookup", "ingress_buffer", "egress", "llr_transmitter",
            "control_transmitter", "link_tx", "counters"} <= inside


def test_pins_have_plain_names(tiny):
    ports = {port["name"]: (port["direction"], port["width"]) for port in tiny.sidecar["ports"]}
    top = tiny.verilog[tiny.verilog.index("module gavel_switch("):]
    listed = re.match(r"module gavel_switch\(([^)]*)\)", top)
    assert listed is not None
    assert {name.strip() for name in listed[1].split(",")} == set(ports)
    assert ports["clk"] == ports["rst"] == ports["p0_rx_valid"] == ("input", 1)
    assert ports["p1_tx_ready"] == ("input", 1)
    assert ports["p1_tx_data"] == ("output", 64)
    assert ports["reg_rdata"] == ("output", 32)


def test_every_probe_point_is_a_signal_of_its_width(tiny):
    bodies = dict(re.findall(r"^module (\S+?)\((.*?)^endmodule", tiny.verilog,
                             re.DOTALL | re.MULTILINE))
    probes = tiny.sidecar["probes"]
    assert list(probes) == [point.name for point in probe_points(TINY)]
    for point in probe_points(TINY):
        *blocks, signal = probes[point.name]["path"].split(".")
        module = "gavel_switch"
        for block in blocks:
            module = next(m for m, name in INSTANCE.findall(bodies[module]) if name == block)
        declared = re.escape(f"[{point.width - 1}:0] {signal};")
        assert re.search(f"(?:output|wire) {declared}", bodies[module]), point.name
        assert probes[point.name]["width"] == point.width


def test_instances_are_counted(tiny):
    assert tiny.sidecar["modules"]["gavel_switch"] == 1
    assert tiny.sidecar["modules"]["gavel_port"] == TINY.ports
    assert tiny.sidecar["modules"]["gavel_link_rx"] == TINY.ports


def test_assertions_are_there_for_those_who_ask(tiny):
    block = re.compile(rf"^`ifdef {ASSERT_MACRO}\n(.*?)^`endif\n", re.DOTALL | re.MULTILINE)
    asserted = "".join(block.findall(tiny.verilog))
    assert "a cell is allocated while none is free" in asserted
    assert "a frame is filed without all of its words" in asserted
    assert re.search(r"\bassert\b|\$write|\$error|\$display", block.sub("", tiny.verilog)) is None


def test_blocks_whose_inputs_never_change_run_once_in_systemverilog_too(tiny):
    triggers = set(re.findall(r"if \((\\\$auto\S+) \) begin end", tiny.verilog))
    assert triggers
    for trigger in triggers:
        assert f"  reg {trigger} ;\n  initial {trigger} <= 0;\n" in tiny.verilog


SEVERAL_CLOCKS = """
from gavel_model.loader import load_config
from gavel_rtl.netlist import Library
from gavel_rtl.tx_crossing import TxCrossing
from gavel_rtl.xgmii_port import XgmiiPort
config = load_config("tiny")
for component in (TxCrossing(config), XgmiiPort(config, crossing=True)):
    library = Library()
    print(library.netlist(library.add(component)).rtlil)
"""


def test_several_clocks_have_the_same_order_in_every_process():
    texts = {subprocess.run([sys.executable, "-c", SEVERAL_CLOCKS], check=True, text=True,
                            capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
             for seed in ("0", "1", "2")}
    assert len(texts) == 1
    assert "tx_clk" in texts.pop()
