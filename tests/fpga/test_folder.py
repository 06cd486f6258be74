# SPDX-License-Identifier: Apache-2.0
"""What stands in the folder of each target, and who can read it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from gavel_model.loader import load_config
from gavel_model.register_map import ID_VALUE
from gavel_model.top_options import PORTS, REGISTERS, TopOptions
from gavel_rtl.emit import generate
from gavel_rtl.switch import Switch
from gavel_rtl.top import Top
from gavel_tb.fpga.core_file import core_name
from gavel_tb.fpga.estimate import without_estimate
from gavel_tb.fpga.folder import make_folder
from gavel_tb.fpga.pin_meanings import MEANINGS, port_of
from gavel_tb.fpga.smoke_bench import BENCH
from gavel_tb.fpga.targets import TARGETS
from gavel_tb.runner import tool_environment

TOP = "gavel_top"
CONSTRAINTS = {"ecp5": [".lpf"], "ice40": [".pcf"], "xc7": [".xdc"], "xcup": [".xdc"],
               "agilex": [".sdc"], "gowin": [".sdc", ".cst"]}
COMMON = {"README.md", "estimate.json", f"{BENCH}.v", f"{TOP}.v", f"{TOP}.json", f"{TOP}.vlt",
          f"{TOP}.core", f"{TOP}_instance.v"}


def write(files: dict[str, str], where: Path) -> None:
    for name, content in files.items():
        (where / name).write_text(content, "utf-8")


@pytest.mark.parametrize("name", TARGETS)
def test_files(folder, name):
    files = folder(name)
    assert set(files) == COMMON | {f"{TOP}{suffix}" for suffix in CONSTRAINTS[name]}
    for file, text in files.items():
        assert text.endswith("\n")
        if file != "README.md":
            assert f"| `{file}` | " in files["README.md"]
        if file.endswith((".json", ".md")):
            continue
        assert "SPDX-License-Identifier: Apache-2.0" in text[:80], file
    core = files[f"{TOP}.core"]
    assert core.startswith("CAPI=2:\n")
    for suffix in CONSTRAINTS[name]:
        assert f"      - {TOP}{suffix}: " in core
    assert json.loads(files["estimate.json"])["family"] == name


def test_constraints_have_the_clock(folder):
    said = {
        "ecp5": 'FREQUENCY PORT "clk" 156.25 MHZ;', "ice40": "set_frequency clk 156.25",
        "xc7": "create_clock -name clk -period 6.400 [get_ports {clk}]",
        "agilex": "create_clock -name clk -period 6.400 [get_ports {clk}]\n"
                  "derive_clock_uncertainty",
    }
    said |= {"xcup": said["xc7"], "gowin": said["xc7"]}
    for name, line in said.items():
        assert f"\n{line}\n" in folder(name)[f"{TOP}{CONSTRAINTS[name][0]}"]


@pytest.mark.parametrize(("ports", "registers", "crossing"),
                         list(product(PORTS, REGISTERS, (False, True))))
def test_every_pin_has_a_meaning(ports, registers, crossing):
    config = load_config("tiny")
    options = TopOptions(ports=ports, registers=registers, crossing=crossing, telemetry=crossing)
    top = Switch(config) if options.bare else Top(config, options)
    vars(top)["_MustUse__used"] = True
    for name in top.signature.members:
        rest = port_of(name)[1]
        assert rest in MEANINGS, name


def test_readme_has_every_pin_and_address(folder, generated):
    text = folder("xc7")["README.md"]
    for pin in generated.sidecar["ports"]:
        port, name = port_of(pin["name"])
        if port in (None, 0):
            assert f"| `{name}` | {pin['direction']} | {pin['width']} | " in text
    assert "`STATUS` (0x00018)" in text
    assert "`LLR_CONTROL` (0x01010)" in text
    assert "18 cycles after reset" in text
    assert "(--no-estimate)" in text


def test_the_instantiation_names_every_pin_once(folder, generated):
    text = folder("xc7")[f"{TOP}_instance.v"]
    assert re.findall(r"\.(\w+)\(\)", text) == [pin["name"] for pin in generated.sidecar["ports"]]


@pytest.mark.usefixtures("icarus")
def test_the_commands_of_the_readme_pass_in_icarus(folder, tmp_path):
    files = folder("ecp5")
    write(files, tmp_path)
    (line,) = re.findall(r"^iverilog .*$", files["README.md"], re.MULTILINE)
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("PASS: 2 frames of 64 bytes, cycle ")
    wrong = files[f"{BENCH}.v"].replace(f"32'h{ID_VALUE:08x}", "32'h12345678")
    assert wrong != files[f"{BENCH}.v"]
    (tmp_path / f"{BENCH}.v").write_text(wrong)
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True,
                          check=False)
    assert done.returncode != 0
    assert "FAIL: the register ID reads 4741564c" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(("options", "width"), [
    (TopOptions(), 64), (TopOptions(ports="axi_stream"), 64),
    *((TopOptions(ports="xgmii", crossing=True), width) for width in (64, 128, 256, 512)),
    (TopOptions(ports="axi_stream", fcs="keep", registers="axi_lite", crossing=True), 64),
    (TopOptions(ports="xgmii", crossing=True, registers="axi_lite", self_test=True,
                telemetry=True), 128)], ids=str)
def test_benches_of_other_top_levels_pass_in_icarus(options, width, tmp_path):
    config = options.switch_config(load_config(
        "tiny", (f"data_width={width}", "register_stages=1")))
    made = generate(config, options)
    top, target = made.sidecar["top"], TARGETS["xc7"]
    files = make_folder(config, options, target, made.verilog, made.sidecar,
                        without_estimate(target.family, 100.0))
    write(files, tmp_path)
    for line in (f"iverilog -o smoke.vvp -s {BENCH} {BENCH}.v {top}.v", "vvp -n smoke.vvp"):
        done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert ("set_max_delay" in files[f"{top}.xdc"]) == options.crossing
    assert ("`LLR_CONTROL`" in files["README.md"]) == (options.ports != "axi_stream")


@pytest.mark.parametrize("name", ["ecp5", "xc7", "agilex"])
def test_fusesoc_reads_the_core_file(folder, tmp_path, name):
    write(folder(name), tmp_path)
    done = fusesoc(tmp_path, "core", "show", core_name(TOP))
    assert done.returncode == 0, done.stdout + done.stderr
    for target in ("lint", "sim", "synth"):
        assert re.search(rf"^ *{target} ", done.stdout, re.MULTILINE), done.stdout


def test_fusesoc_lints(folder, tmp_path):
    write(folder("ecp5"), tmp_path)
    done = fusesoc(tmp_path, "run", "--target", "lint", core_name(TOP))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "%Warning" not in done.stdout + done.stderr
    (tmp_path / f"{TOP}.v").write_text(
        f"module {TOP}(input [3:0] a, output b);\n  assign b = a;\nendmodule\n")
    done = fusesoc(tmp_path, "run", "--target", "lint", core_name(TOP))
    assert done.returncode != 0


def fusesoc(where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = tool_environment()
    environment |= {"HOME": str(where), "XDG_CONFIG_HOME": str(where), "XDG_CACHE_HOME": str(where),
                    "XDG_DATA_HOME": str(where)}
    program = "from fusesoc.main import main; main()"
    return subprocess.run([sys.executable, "-c", program, "--cores-root", str(where), *words],
                          cwd=where, env=environment, capture_output=True, text=True, check=False)
