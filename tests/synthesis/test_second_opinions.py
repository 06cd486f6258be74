# SPDX-License-Identifier: Apache-2.0
"""The generated Verilog before other front ends than Verilator's: Icarus, slang, Yosys."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.top_options import TopOptions
from gavel_tb.build_cache import BuildCache, Design
from gavel_tb.fpga.smoke_bench import smoke_bench
from gavel_tb.synthesis.lint import lint
from gavel_tb.synthesis.synthesize import check_verilog

PRESETS = {
    "tiny": ("tiny", ()),
    "fpga": ("fpga", ()),
    "pod": ("pod", ()),
    "rack4": ("rack", ("ports=4",)),
    "odd3": ("tiny", ("ports=3", "vcs=3", "data_width=256")),
    "rack": ("rack", ()),
    "scale": ("scale", ()),
}
QUICK = {"tiny"}
LARGE = {"scale"}
"""Too large for Yosys to flatten: it looks at one module after the other. Loops through modules are
looked for in `rack`, which has the same ones for fewer ports."""
TOP = "gavel_switch"


class Case(NamedTuple):
    name: str
    config: SwitchConfig
    design: Design


@pytest.fixture(scope="module", params=[
    pytest.param(name, marks=[] if name in QUICK else [pytest.mark.long]) for name in PRESETS])
def case(request: pytest.FixtureRequest, sim_cache: Path) -> Case:
    source, overrides = PRESETS[request.param]
    config = load_config(source, overrides)
    return Case(request.param, config, BuildCache(sim_cache).design(config))


SLANG = """
import sys
import pyslang

driver = pyslang.driver.Driver()
driver.addStandardArgs()
assert driver.parseCommandLine("slang --top %s %s" % tuple(sys.argv[1:]))
assert driver.processOptions()
assert driver.parseAllSources()
engine = driver.diagEngine
for found in driver.createCompilation().getAllDiagnostics():
    if engine.getSeverity(found.code, found.location) != pyslang.DiagnosticSeverity.Ignored:
        print("line %d: %s" % (driver.sourceManager.getLineNumber(found.location), found.code))
"""
"""In a process of its own: the bindings complain at exit that they have not been cleaned up."""


def slang_says(verilog: str, folder: Path) -> list[str]:
    """Diagnostics that slang shows without options."""
    design = folder / "design.v"
    design.write_text(verilog)
    done = subprocess.run([sys.executable, "-c", SLANG, TOP, str(design)], capture_output=True,
                          text=True, check=True)
    return done.stdout.splitlines()


def test_icarus_compiles_and_frames_cross(case, smoke):
    done = smoke(smoke_bench(case.config, TopOptions(), TOP, case.design.sidecar["ports"]),
                 case.design.verilog)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(f"PASS: {case.config.ports} frames of 64 bytes")


def test_slang_has_no_diagnostic(case, tmp_path):
    assert slang_says(case.design.verilog, tmp_path) == []


def test_yosys_has_no_warning(case, tmp_path):
    assert check_verilog(case.design.verilog, TOP, tmp_path,
                         flatten=case.name not in LARGE) == ()


def test_faults_are_found(sim_cache, tmp_path, smoke):
    config = load_config("tiny")
    design = BuildCache(sim_cache).design(config)
    text = design.verilog
    at = text.index("endmodule", text.index(f"module {TOP}("))
    said = slang_says(f"{text[:at]}  gavel_scheduler twice (.rst(2'd0));\n{text[at:]}", tmp_path)
    assert len(said) > 0, "a pin of another width"
    faults = {
        "  assign p0_tx_data = p1_rx_data;\n": "conflicting drivers",
        "  reg latch;\n  always @* if (p0_rx_valid) latch = p1_rx_valid;\n"
        "  gavel_free_list f (.allocate(latch));\n": "Latch inferred",
        "  (* keep *) wire loop;\n  gavel_not l (.a(loop), .b(loop));\n": "logic loop",
    }
    inverter = "module gavel_not(input a, output b);\n  assign b = ~a;\nendmodule\n"
    warnings = check_verilog(text[:at] + "".join(faults) + text[at:] + inverter, TOP, tmp_path)
    for meant in faults.values():
        assert any(meant in warning for warning in warnings), warnings
    apart = check_verilog(text[:at] + "".join(faults) + text[at:] + inverter, TOP, tmp_path,
                          flatten=False)
    found = [meant for meant in faults.values() if any(meant in warning for warning in apart)]
    assert found == ["conflicting drivers", "Latch inferred"], apart
    bench = smoke_bench(config, TopOptions(), TOP, design.sidecar["ports"])
    wrong, changed = re.subn(r"(in1\[2\] = 64'h)(.)", lambda word:
                             f"{word[1]}{int(word[2], 16) ^ 1:x}", bench)
    assert changed == 1
    done = smoke(wrong, text)
    assert done.returncode != 0
    assert re.match(r"FAIL in cycle \d+: p1_tx_data is [0-9a-f]{16}, must be ", done.stdout)


@pytest.mark.long
def test_lint_has_no_finding(case, tmp_path):
    assert lint(case.design.verilog, TOP, tmp_path) == ""
