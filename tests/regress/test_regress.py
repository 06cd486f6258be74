# SPDX-License-Identifier: Apache-2.0
"""`gavel regress`: outputs, exit codes, resumption, refusals."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from click.testing import CliRunner

from gavel_cli.main import cli
from gavel_tb.regress import campaign

PLAN = """
[switches]
tiny = { base = "tiny" }
[[item]]
name = "words"
text = "Frames <arrive>."
spec = "docs/spec.md"
stage = "V1"
cover = ["vc.0", "drop.RX_NO_ROUTE"]
[[item.test]]
kind = "traffic"
switches = ["tiny"]
parameters = { cycles = 150 }
[[item]]
name = "block"
text = "A block on its own."
spec = "docs/spec.md"
stage = "V2"
[[item.test]]
kind = "block"
switches = ["tiny"]
blocks = ["crossbar"]
"""
PLANTED = """
[switches]
tiny = { base = "tiny" }
[[item]]
name = "planted"
text = "A fault that is there."
spec = "docs/spec.md"
stage = "V1"
[[item.test]]
kind = "traffic"
fault = "swapped bytes"
switches = ["tiny"]
parameters = { cycles = 1500, pattern = "bursty", faults = 0.2, registers = true, gaps = 0.1 }
"""


@pytest.fixture(autouse=True)
def cache(sim_cache, monkeypatch):
    """Builds are those of the other tests."""
    monkeypatch.setattr("gavel_cli.regress.DEFAULT_CACHE", sim_cache)


@pytest.fixture
def regress(tmp_path):
    """regress(plan, options...) -> result of the command, and its folder."""

    def run(plan: str, *options: str):
        (tmp_path / "plan.toml").write_text(plan)
        out = tmp_path / "out"
        result = CliRunner().invoke(cli, [
            "regress", "--plan", str(tmp_path / "plan.toml"), "-o", str(out), "--workers", "1",
            *options])
        return result, out

    return run


class References(HTMLParser):
    """What a page would load, and the tags that it opens."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.loads += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "srcset")]
        if tag in ("script", "link", "iframe", "object", "img"):
            self.loads.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check_page(out: Path) -> str:
    page = (out / "regress.html").read_text("utf-8")
    parser = References()
    parser.feed(page)
    assert not parser.loads
    assert not parser.open
    assert not re.search(r"url\(|@import|://", page)
    return page


def check_junit(out: Path) -> Xml.Element:
    root = Xml.parse(out / "junit.xml").getroot()
    assert root.tag == "testsuites"
    for suite in root:
        assert suite.tag == "testsuite"
        assert {"name", "tests", "failures", "errors", "time"} <= set(suite.attrib)
        cases = suite.findall("testcase")
        assert len(cases) == int(suite.get("tests"))
        for case in cases:
            assert {"classname", "name", "time"} == set(case.attrib)
            float(case.get("time"))
            assert {child.tag for child in case} <= {"failure", "error"}
        for kind in ("failure", "error"):
            assert len(suite.findall(f"testcase/{kind}")) == int(suite.get(f"{kind}s"))
    return root


def test_lockstep_passes_and_leaves_page_junit_json_and_journal(regress):
    result, out = regress(PLAN, "--seeds", "2")
    assert result.exit_code == 0, result.output
    assert "V1  words                   2 of    2 passed" in result.output
    assert "1 of    2 bins  holes: drop.RX_NO_ROUTE" in result.output
    assert "4 runs (0 of them earlier), 0 failed" in result.output
    data = json.loads((out / "regress.json").read_text())
    assert (data["passed"], data["runs"], data["engine"]) == (True, 4, "lockstep")
    words, block = data["items"]
    assert words["holes"] == ["drop.RX_NO_ROUTE"]
    assert (block["runs"], block["bins"]) == (2, 0)
    assert data["coverage"]["counts"]["vc.0"] > 0
    assert len(data["coverage"]["holes"]) == data["coverage"]["bins"] - data["coverage"]["hit"]
    page = check_page(out)
    assert "All runs passed" in page
    assert "Frames &lt;arrive&gt;." in page
    assert "5 left out: its class has two bits" in page
    assert check_junit(out).get("tests") == "4"
    lines = (out / "results.jsonl").read_text().splitlines()
    assert len(lines) == 4
    # Every run has a coverage of its own, and none a time that would make it another result.
    assert all("seconds" not in json.loads(line)["result"] for line in lines)
    again, _ = regress(PLAN, "--seeds", "3", "--strict-coverage")
    assert "6 runs (4 of them earlier), 0 failed" in again.output
    assert again.exit_code == 1
    assert again.stderr == ("gavel: error: 1 bins that must be hit were not, the first "
                            "drop.RX_NO_ROUTE\n")


def test_a_planted_fault_fails_first_and_is_shrunk(regress, monkeypatch):
    result, out = regress(PLANTED, "--shrink-runs", "12", "--json")
    assert result.exit_code == 1
    assert result.stderr == ("gavel: error: 1 of 1 runs failed, the first planted/traffic tiny/1: "
                             "mismatch: RTL and model differ in cycle "
                             + result.stderr.rpartition(" ")[2])
    data = json.loads(result.stdout)
    failure, = data["failures"]
    shrunk = failure["shrunk"]
    assert shrunk["runs"] <= 12
    assert shrunk["parameters"]["cycles"] < 100
    assert not any(shrunk["parameters"][name] for name in ("faults", "registers", "gaps"))
    page = check_page(out)
    assert page.index("planted/traffic tiny/1") < page.index("<h2>Plan</h2>")
    assert f"Shrunk to {shrunk['cycles']:,} cycles" in page
    case = check_junit(out).find("testsuite/testcase/failure")
    assert "mismatch" in case.get("message")
    assert "gavel regress --plan" in case.text
    # The command that it prints finds the failure again.
    command = shrunk["repeat"][-1].split("--run")[0].split()
    assert command[2:4] == ["--plan", str(out / "shrunk.toml")]
    again = CliRunner().invoke(cli, [
        *command[1:], "--first-seed", "1", "--no-shrink", "--workers", "1",
        "-o", str(out / "again")])
    assert again.exit_code == 1
    assert "mismatch: RTL and model differ in cycle" in again.output


def test_a_run_without_a_result_is_an_error_of_the_tools(regress, monkeypatch):
    monkeypatch.setattr(campaign, "WORK", "gavel_tb.regress.absent")
    result, out = regress(PLAN, "--engine", "model", "--item", "words")
    assert result.exit_code == 3
    assert "1 runs have no result, the first words/traffic tiny/1: ValueError: no fun" in (
        result.output)
    assert check_junit(out).get("errors") == "1"
    check_page(out)


def test_a_bench_that_fails_is_a_failure_that_is_not_shrunk(regress):
    """The bench asks for frames that find no room, which a large buffer does not give it."""
    plan = PLAN.replace('{ base = "tiny" }', '{ base = "tiny", buffer_cells = 256 }').replace(
        "crossbar", "ingress_buffer")
    result, out = regress(plan, "--engine", "model", "--item", "block")
    assert result.exit_code == 1
    assert result.output.startswith("failed: block/ingress_buffer tiny/1\n")
    assert "check: never seen: RX_NO_BUFFER" in result.stderr
    assert "shrunk" not in result.output
    assert not (out / "shrunk.toml").exists()
    assert check_junit(out).get("failures") == "1"


@pytest.mark.parametrize(("options", "code", "message"), [
    (["--item", "nothing"], 2, "item 'nothing': must be one of words, block"),
    (["--run", "nothing"], 2, "no run has the label 'nothing'"),
    (["--stage", "V4"], 2, "'V4' is not one of 'V1', 'V2', 'V3'"),
    (["--code", "tiny", "--engine", "model"], 2, "--code: the golden model has no RTL to cover"),
    (["--code", "rack"], 2, "--code rack: must be one of tiny"),
    (["--seeds", "0"], 2, "Invalid value for '--seeds'"),
    (["--workers", "0"], 2, "Invalid value for '--workers'"),
    (["--scheduler", "nonsense://x", "--engine", "model"], 3, "no Dask scheduler answers at"),
])
def test_refusals_are_one_line_and_leave_no_results(regress, options, code, message):
    result, out = regress(PLAN, *options)
    assert result.exit_code == code, result.output
    line, = result.stderr.splitlines()
    assert line.startswith("gavel: error: ")
    assert message in line
    assert not list(out.glob("regress.*"))


def test_a_wrong_plan_and_a_folder_that_is_a_file_are_one_line(regress, tmp_path):
    result, _ = regress(PLAN.replace("V1", "V7"))
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    (tmp_path / "out").write_text("")
    result, _ = regress(PLAN)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)


def test_the_list_runs_nothing(regress):
    result, out = regress(PLAN, "--list")
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "V1  words                  1 runs  Frames <arrive>."
    assert not out.exists()


def test_an_interrupt_ends_with_130_and_the_next_call_goes_on(tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN.replace("cycles = 150", "cycles = 400"))
    command = [sys.executable, "-m", "gavel_cli.main", "regress", "--plan",
               str(tmp_path / "plan.toml"), "-o", str(tmp_path / "out"), "--engine", "model",
               "--item", "words", "--workers", "1", "--seeds", "200"]
    journal = tmp_path / "out" / "results.jsonl"
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        deadline = time.monotonic() + 60
        while not (journal.exists() and journal.read_text().count("\n") >= 2):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "gavel: stopped\n")
    assert not (tmp_path / "out" / "regress.html").exists()
    done = journal.read_text().count("\n")
    assert done < 200
    again = CliRunner().invoke(cli, [*command[3:-1], str(done)])
    assert f"{done} runs ({done} of them earlier), 0 failed" in again.output


@pytest.mark.long
def test_code_coverage_of_both_languages_is_written(regress):
    result, out = regress(PLAN, "--code", "tiny", "--item", "words")
    assert result.exit_code == 0, result.output
    data = json.loads((out / "regress.json").read_text())
    points = data["code"]["points"]["tiny"]
    assert set(points) == {"line", "branch", "expr", "toggle"}
    for hit, found in points.values():
        assert 0 < hit < found
    assert all(data["code"]["left_out"]["tiny"].values()), "a rule that nothing needs"
    verilog, python = ((out / name).read_text() for name in ("verilog-tiny.info", "python.info"))
    assert "SF:gavel_switch-tiny.v" in verilog
    assert (out / "gavel_switch-tiny.v").is_file()
    root = Path(__file__).resolve().parents[2]
    files = re.findall(r"^SF:(.*)$", python, re.MULTILINE)
    assert len(files) > 30
    for name in files:
        lines = (root / name).read_text("utf-8").count("\n")
        part = python.partition(f"SF:{name}\n")[2].partition("end_of_record")[0]
        numbers = [int(number) for number in re.findall(r"^DA:(\d+),", part, re.MULTILINE)]
        assert numbers == sorted(set(numbers))
        assert not numbers or numbers[-1] <= lines
    # Words have come through the crossbar, and no link-level retry was on.
    assert re.search(r"SF:rtl/gavel_rtl/egress.py\n(?:.*\n)*?DA:\d+,[1-9]", python)
    retry = python.partition("SF:rtl/gavel_rtl/retry_state.py\n")[2].partition("end_of")[0]
    assert re.search(r"^DA:\d+,0$", retry, re.MULTILINE)
    assert "Code coverage of the Amaranth sources" in check_page(out)
