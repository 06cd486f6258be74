# SPDX-License-Identifier: Apache-2.0
"""`gavel verilog`: files, refusals, and what the generated Verilog promises."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from functools import cache
from importlib import resources
from pathlib import Path

import pytest

import gavel_rtl
from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.top_options import TopOptions
from gavel_rtl.emit import generate
from gavel_rtl.memory_module import MemoryShape
from gavel_rtl.netlist import PREFIX
from gavel_tb.build_cache import BuildCache, Design
from gavel_tb.synthesis.lint import lint

CONFIGS = {
    "tiny": ("tiny", ()),
    "pod": ("pod", ()),
    "rack2": ("rack", ("ports=2",)),
    "fpga": ("fpga", ()),
    "odd3": ("tiny", ("ports=3", "vcs=3", "data_width=256")),
}


@pytest.fixture(scope="module")
def made(sim_cache):
    """made(name) -> configuration and what is generated from it, once for all tests."""

    @cache
    def make(name):
        config = load_config(*CONFIGS[name])
        return config, BuildCache(sim_cache).design(config)

    return make


# 512 bits take as long as all others: the designs of tests/sim have them, without lint.
OF_EACH = [pytest.param(name, marks=[pytest.mark.long] if name == "rack2" else [])
           for name in CONFIGS]


@pytest.fixture(scope="module", params=OF_EACH)
def design(request, made):
    """Configuration, Verilog and sidecar of one of the configurations."""
    config, generated = made(request.param)
    return config, generated.verilog, generated.sidecar


@pytest.fixture
def tiny_made(made, monkeypatch):
    """The command gets what was generated from `tiny` before, for tests of what it does with it:
    test_same_input_same_bytes_in_another_process has the two together."""
    config, generated = made("tiny")

    def generate_tiny(switch: SwitchConfig, options: TopOptions) -> Design:
        assert (switch, options) == (config, TopOptions())
        return generated

    monkeypatch.setattr("gavel_rtl.emit.generate", generate_tiny)
    return generated


def identifiers(text: str, pattern: str) -> list[str]:
    """Names that a pattern's first group finds in the Verilog, comments left out."""
    return re.findall(pattern, re.sub(r"//.*", "", text), re.MULTILINE)


def without_memories(modules: list[str]) -> list[str]:
    """Modules whose names do not tell a shape, which may be another one in another switch."""
    return [name for name in modules if MemoryShape.of(name) is None]


@cache
def class_modules() -> set[str]:
    """Names of the modules that the classes of the hardware have."""
    classes = [name for path in Path(gavel_rtl.__path__[0]).rglob("*.py")
               for name in re.findall(r"^class (\w+)\(", path.read_text("utf-8"), re.MULTILINE)]
    return {PREFIX + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() for name in classes}


MODULE = r"^module\s+(\\\S+|\w+)"
INSTANCE = r"^  (\\\S+|[A-Za-z_]\w*)\s+(?:#\(.*\)\s*)?(\\\S+|[A-Za-z_]\w*)\s+\($"


def instances(text: str) -> list[tuple[str, str]]:
    """Module and name of every instance."""
    modules = set(identifiers(text, MODULE))
    return [pair for pair in identifiers(text, INSTANCE) if pair[0] in modules]


def test_no_machine_made_hierarchy_names(design):
    _, text, _ = design
    for module in identifiers(text, MODULE):
        assert re.fullmatch(r"gavel_[a-z0-9_]+", module), module
    found = instances(text)
    assert len(found) > 10
    for _, name in found:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
        assert "$" not in name


def test_each_distinct_module_stands_once(design):
    config, text, sidecar = design
    modules = identifiers(text, MODULE)
    assert len(modules) == len(set(modules))
    assert set(without_memories(modules)) <= class_modules(), "a module that no class is named for"
    assert set(sidecar["modules"]) == set(modules)
    assert sidecar["modules"]["gavel_port"] == config.ports
    bodies = re.split(r"^(?=module )", text, flags=re.MULTILINE)[1:]
    anonymous = {re.sub(r"\$\d+|dump_module\S*|^module \w+", "", body, flags=re.MULTILINE)
                 for body in bodies}
    assert len(anonymous) == len(bodies), "two modules with the same text"


@pytest.mark.long
def test_the_number_of_modules_does_not_grow_with_ports():
    """tests/rtl/test_emit.py has two and five ports."""
    few, many = (generate(load_config("tiny", (f"ports={ports}", "id_entries=16"))).verilog
                 for ports in (3, 7))
    assert without_memories(identifiers(few, MODULE)) == without_memories(identifiers(many, MODULE))
    # With 3 ports numbers of ports have fewer bits than those of cells, so that no two memories
    # have one shape.
    assert len(identifiers(few, MODULE)) >= len(identifiers(many, MODULE))


def test_top_has_plain_port_names(design):
    config, text, sidecar = design
    names = {port["name"] for port in sidecar["ports"]}
    assert {"clk", "rst", "reg_addr", "reg_wdata", "reg_we", "reg_re", "reg_rdata"} <= names
    for index in range(config.ports):
        assert {f"p{index}_rx_valid", f"p{index}_rx_data", f"p{index}_tx_ready",
                f"p{index}_tx_ctl_ready", f"p{index}_tx_valid"} <= names
    top = text[text.index("module gavel_switch("):]
    header = top[:top.index(");")]
    assert {name.strip() for name in header.partition("(")[2].split(",")} == names


def test_sidecar(design):
    config, text, sidecar = design
    assert sidecar["top"] == "gavel_switch"
    assert sidecar["latency_cycles"] == config.latency_cycles
    assert sidecar["config"]["ports"] == config.ports
    assert sidecar["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    json.dumps(sidecar)


def test_header_names_licence_and_configuration(design):
    config, text, _ = design
    assert text.startswith("// SPDX-License-Identifier: Apache-2.0\n")
    assert f"// ports = {config.ports}\n" in text[:2000]


def test_no_path_of_the_machine_in_it(design):
    _, text, sidecar = design
    for place in (str(Path(__file__).resolve().parents[2]), sys.prefix, ".py:"):
        assert place not in text
        assert place not in json.dumps(sidecar)


@pytest.mark.parametrize("name", [name for name in OF_EACH if name.values != ("pod",)])
def test_lint_is_clean(made, name, tmp_path):
    """Verilator takes as long for `pod` as for three others: tests/synthesis has it, among the long
    tests."""
    check_lint(made(name)[1].verilog, "gavel_switch", tmp_path)


def check_lint(text, top, tmp_path):
    assert lint(text, top, tmp_path) == ""


def test_every_waiver_has_a_reason():
    lines = resources.files("gavel_rtl").joinpath("lint.vlt").read_text("utf-8").splitlines()
    rules = [number for number, line in enumerate(lines) if line.startswith("lint_off")]
    assert rules
    for number in rules:
        assert re.search(r"lint_off .*-rule \w+", lines[number]), lines[number]
        if re.search(r"-rule (WIDTH|UNUSED)", lines[number]):
            assert re.search(r' -match "\w[^*]{8,}.*"$', lines[number]), (
                f"would hide every fault of its kind: {lines[number]}")
        above = number - 1
        while lines[above].startswith("lint_off"):
            above -= 1
        assert lines[above].startswith("//"), f"no reason above: {lines[number]}"


@pytest.mark.parametrize(("preset", "seed"), [
    ("tiny", "0"), pytest.param("pod", "4711", marks=pytest.mark.long)])
def test_same_input_same_bytes_in_another_process(made, preset, seed, tmp_path):
    """Another hash seed, another working directory, another order of what came before."""
    _, here = made(preset)
    done = subprocess.run(
        [sys.executable, "-m", "gavel_cli.main", "verilog", "-c", preset, "-o", str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": seed}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "gavel_switch.v").read_text("utf-8") == here.verilog
    sidecar = json.loads((tmp_path / "gavel_switch.json").read_text("utf-8"))
    assert sidecar == json.loads(json.dumps(here.sidecar))


@pytest.mark.usefixtures("tiny_made")
def test_to_a_folder(gavel, tmp_path):
    result = gavel("verilog", "-c", "tiny", "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "gavel_switch.v", "gavel_switch.json"}
    assert re.search(r"gavel_switch\.v: \d+ lines, made in ", result.stdout)


def test_memories_in_a_file_of_their_own(gavel, tiny_made, tmp_path):
    result = gavel("verilog", "-c", "tiny", "--split-memories", "-o", tmp_path, "--json")
    assert result.exit_code == 0
    names = ["gavel_switch.v", "gavel_memories.v", "gavel_switch.json"]
    value = json.loads(result.stdout)
    assert value["files"] == [str(tmp_path / name) for name in names]
    rest, memories = ((tmp_path / name).read_text("utf-8") for name in names[:2])
    shapes = {name: MemoryShape.of(name) for name in value["sidecar"]["memories"]}
    assert set(identifiers(memories, MODULE)) == {
        name for name, shape in shapes.items() if shape.kind != "ram_new"}
    assert set(identifiers(rest, MODULE)) == (
        set(value["sidecar"]["modules"]) - set(identifiers(memories, MODULE)))
    assert re.search(r"^ *\(\*.*\*\)| reg .*\[\d+:0\];$", rest, re.MULTILINE) is None
    assert sorted([*rest.splitlines(), *memories.splitlines()[4:]]) == sorted(
        tiny_made.verilog.splitlines())
    assert rest.startswith("// SPDX-License-Identifier: Apache-2.0\n")
    assert memories.startswith("// SPDX-License-Identifier: Apache-2.0\n// Memories of ")


def test_memories_in_a_file_of_their_own_need_a_folder(gavel):
    result = gavel("verilog", "-c", "tiny", "--split-memories")
    assert result.exit_code == 2
    assert "--split-memories needs -o DIR" in result.stderr


def test_to_standard_output(gavel, tiny_made):
    result = gavel("verilog", "-c", "tiny")
    assert result.exit_code == 0
    assert result.stdout == tiny_made.verilog


@pytest.mark.usefixtures("tiny_made")
def test_json(gavel, tmp_path):
    result = gavel("verilog", "-c", "tiny", "-o", tmp_path, "--json")
    value = json.loads(result.stdout)
    assert value["files"] == [str(tmp_path / "gavel_switch.v"), str(tmp_path / "gavel_switch.json")]
    assert value["lines"] > 100
    assert value["sidecar"]["top"] == "gavel_switch"


def test_bad_configuration_writes_nothing(gavel, tmp_path):
    result = gavel("verilog", "-P", "vcs=9", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr == "gavel: error: vcs = 9: must be in 1...8\n"
    assert not (tmp_path / "out").exists()


def test_top_level_to_a_folder(gavel, tmp_path):
    result = gavel("verilog", "-c", "tiny", "--ports", "axi_stream", "--registers", "axi_lite",
                   "--crossing", "--telemetry", "-P", "transmit_stages=1", "-o", tmp_path, "--json")
    assert result.exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"gavel_top.v", "gavel_top.json"}
    sidecar = json.loads(result.stdout)["sidecar"]
    assert sidecar["options"] == {"ports": "axi_stream", "registers": "axi_lite",
                                  "crossing": True, "fcs": "strip", "self_test": False,
                                  "telemetry": True}
    assert sidecar["config"]["mac"] == "frames"
    assert sidecar["probes"]["p0.counters"]["path"] == "switch.port0.counters.values"
    text = (tmp_path / "gavel_top.v").read_text("utf-8")
    assert "// top.ports = axi_stream\n" in text
    assert "gavel_tx_slice" not in text
    top = text[text.index("module gavel_top("):]
    names = {port["name"] for port in sidecar["ports"]}
    assert {"clk", "p1_rx_clk", "p1_tx_rst", "p1_s_axis_tdata", "s_axil_awaddr", "irq",
            "m_axis_telemetry_tdata"} <= names
    assert {name.strip() for name in top[:top.index(");")].partition("(")[2].split(",")} == names
    check_lint(text, "gavel_top", tmp_path)


def test_top_level_that_a_switch_cannot_have_is_refused(gavel, tmp_path):
    result = gavel("verilog", "-c", "tiny", "-P", "data_width=128", "--ports", "xgmii",
                   "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr == (
        "gavel: error: data_width = 128: must be 64 with ports = xgmii and one clock: "
        "data_width=64, or --crossing\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("tiny_made")
def test_folder_that_cannot_be_made(gavel, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = gavel("verilog", "-c", "tiny", "-o", tmp_path / "file" / "out")
    assert result.exit_code == 2
    assert result.stderr.startswith("gavel: error: ")
    assert result.stderr.count("\n") == 1


def test_json_without_a_folder_is_refused(gavel):
    result = gavel("verilog", "-c", "tiny", "--json")
    assert result.exit_code == 2
    assert "--json needs -o DIR" in result.stderr


@pytest.mark.long
def test_scale_is_made_of_the_same_modules_as_pod():
    """The largest preset: not linted, for that alone takes minutes."""
    config = load_config("scale")
    large, small = generate(config), generate(load_config("pod"))
    modules = identifiers(large.verilog, MODULE)
    assert len(modules) == len(set(modules))
    assert without_memories(modules) == without_memories(identifiers(small.verilog, MODULE))
    counts = large.sidecar["modules"]
    assert set(counts) == set(modules)
    assert counts["gavel_switch"] == 1
    assert counts["gavel_port"] == config.ports
    assert counts["gavel_link_rx"] == counts["gavel_link_tx"] == config.ports
    placed = instances(large.verilog)
    assert sum(module == "gavel_port" for module, _ in placed) == config.ports
