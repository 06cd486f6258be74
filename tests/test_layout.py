# SPDX-License-Identifier: Apache-2.0
"""Rules of CONTRIBUTING.md that a program can check on the sources."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RTL = ROOT / "rtl" / "gavel_rtl"
MODEL = ROOT / "model" / "gavel_model"
FAST = ROOT / "model" / "gavel_fast"
TESTBENCH = ROOT / "testbench" / "gavel_tb"
SCRIPTS = ROOT / "scripts" / "gavel_cli"
PACKAGES = {"gavel_rtl": RTL, "gavel_model": MODEL, "gavel_fast": FAST, "gavel_tb": TESTBENCH,
            "gavel_cli": SCRIPTS}
SOURCES = sorted(path for folder in (*PACKAGES.values(), ROOT / "tests")
                 for path in folder.rglob("*.py"))
LONGEST_FILE = 500

BLOCKS = (
    "link_rx", "llr_receiver", "parser", "lookup", "ingress_buffer", "scheduler", "crossbar",
    "egress", "llr_transmitter", "control_transmitter", "link_tx", "flow_control",
    "credit_sender", "credit_receiver", "pause_sender", "pause_receiver",
    "mac_control_transmitter", "mac_control_receiver", "counters", "registers", "port", "switch",
    "xgmii_rx", "xgmii_tx", "tx_slice", "xgmii_port", "axi_stream_rx", "fcs_append",
    "axi_stream_tx", "axi_stream_port", "top", "stall_account", "record_sums", "telemetry_stream",
    "vc_statistics", "latency_histogram", "voq_levels", "watermarks", "observer", "port_events",
    "link_health", "telemetry_port", "telemetry", "word_join", "word_split",
)
"""Blocks of the specification's figure, each one file in RTL and one in the model."""

WITHOUT_BENCH = {
    "flow_control": "wiring only: its blocks have benches, and it is a part of the switch",
    "counters": "compared as probe points in every lockstep run",
    "port": "wiring only: compared as a part of the switch",
    "switch": "compared in lockstep as a whole",
    "xgmii_port": "wiring only: compared as a part of the top level",
    "axi_stream_port": "wiring only: compared as a part of the top level",
    "fcs_append": "in the bench of axi_stream_rx",
    "telemetry_port": "wiring only: compared as a part of telemetry",
}
"""Blocks that have no bench of their own, and why."""

RTL_MAY_IMPORT = {"address_map", "config", "mac_control", "ordered_set", "pins", "probes",
                  "profiles", "record_format", "register_entry", "register_map", "register_names",
                  "register_table", "selftest_format", "selftest_map", "selftest_names",
                  "selftest_table", "telemetry_map", "telemetry_names", "telemetry_table",
                  "top_options"}
"""Modules of the model that the RTL shares: parameters, formats, addresses; no behaviour."""

MAY_IMPORT = {
    "gavel_model": set(),
    "gavel_fast": {"gavel_model"},
    "gavel_rtl": {"gavel_model"},
    "gavel_tb": {"gavel_model", "gavel_fast", "gavel_rtl"},
    "gavel_cli": {"gavel_model", "gavel_fast", "gavel_rtl", "gavel_tb"},
}


def imports(path: Path) -> set[str]:
    """Dotted names of all modules that a file imports, wherever in it; relative ones resolved."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def files(package: str) -> list[Path]:
    """The Python files of a package."""
    return sorted(PACKAGES[package].rglob("*.py"))


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_stands_in_rtl_and_model(block):
    assert (RTL / f"{block}.py").is_file()
    assert (MODEL / f"{block}.py").is_file()


@pytest.mark.parametrize("block", [block for block in BLOCKS if block not in WITHOUT_BENCH])
def test_every_block_with_behaviour_has_a_bench(block):
    assert (TESTBENCH / f"{block}.py").is_file()


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_import_direction(package):
    forbidden = set(PACKAGES) - MAY_IMPORT[package] - {package}
    for path in files(package):
        for name in imports(path):
            assert name.partition(".")[0] not in forbidden, f"{path} imports {name}"


def test_rtl_shares_with_the_model_no_behaviour():
    for path in files("gavel_rtl"):
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "gavel_model":
                assert len(parts) > 1, f"{path} imports the whole model"
                assert parts[1] in RTL_MAY_IMPORT, f"{path} imports {name}"


def test_ruff_bans_the_same_modules_as_the_test_above():
    settings = tomllib.loads((ROOT / "rtl" / "ruff.toml").read_text("utf-8"))
    banned = settings["lint"]["flake8-tidy-imports"]["banned-api"]
    modules = {path.stem for path in MODEL.glob("*.py")} - {"__init__"}
    assert {name.removeprefix("gavel_model.") for name in banned
            if name.startswith("gavel_model.")} == modules - RTL_MAY_IMPORT


def test_the_model_needs_only_the_standard_library():
    for path in files("gavel_model"):
        for name in imports(path):
            top = name.partition(".")[0]
            assert top == "gavel_model" or top in sys.stdlib_module_names, f"{path} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file(path):
    lines = path.read_text("utf-8").splitlines()
    assert lines, "empty: say at least what the package is"
    assert lines[0] == "# SPDX-License-Identifier: Apache-2.0"
    assert len(lines) <= LONGEST_FILE
    if ROOT / "tests" not in path.parents:
        tree = ast.parse("\n".join(lines))
        assert ast.get_docstring(tree) is not None, "no module docstring"


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_loose_ends(package):
    for path in files(package):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            assert not re.search(r"\b(TODO|FIXME|XXX)\b", line), f"{path}:{number}"


NOT_A_BLOCK = {"block.py"}
"""Files of the RTL that only place components, and have no ports of their own."""


def test_blocks_are_components_and_not_bare_elaboratables():
    for path in files("gavel_rtl"):
        if path.name in NOT_A_BLOCK:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
                assert "Elaboratable" not in bases, f"{path}: {node.name}: use wiring.Component"


def test_submodules_are_named():
    for path in files("gavel_rtl"):
        assert not re.search(r"\.submodules\s*\+=", path.read_text("utf-8")), (
            f"{path}: m.submodules.NAME = ..., or its name is made by the machine")


def test_components_document_their_cycle_behaviour():
    for path in files("gavel_rtl"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and any(
                    ast.unparse(base).endswith("Component") for base in node.bases):
                assert "Cycle behaviour" in (ast.get_docstring(node) or ""), f"{path}: {node.name}"


def test_the_lock_has_hashes_and_no_addresses():
    text = (ROOT / "requirements.lock").read_text("utf-8")
    pins = re.findall(r"^([\w.-]+)==", text, re.MULTILINE)
    assert len(pins) > 10
    assert "://" not in text
    for block in re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in block, block


def test_the_files_that_start_first_are_there():
    """A name that is wrong would only cost time."""
    tree = ast.parse((ROOT / "tests" / "conftest.py").read_text("utf-8"))
    (names,) = (ast.literal_eval(node.value) for node in tree.body
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LONGEST_FIRST")
    assert len(set(names)) == len(names)
    assert [name for name in names if not (ROOT / "tests" / name).is_file()] == []
