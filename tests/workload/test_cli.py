# SPDX-License-Identifier: Apache-2.0
"""`gavel trace` and `gavel run --model`: figures, refusals, exit codes, the page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gavel_cli.main import cli
from gavel_cli.run import UNITS
from gavel_model.loader import load_config
from gavel_tb.workload.attributes import attribute
from gavel_tb.workload.chakra import Node, NodeType, RankTrace, Trace, save_trace
from gavel_tb.workload.generate import collective_node
from gavel_tb.workload.measure import LINK_FIGURES


def gavel(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(item) for item in arguments])


def refused(result: Result, what: str) -> None:
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("gavel: error: "), result.output
    assert re.search(what, lines[0]), lines[0]


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    folder = tmp_path / "ring"
    made = gavel("trace", "all-reduce", "--ranks", 8, "--size", "32KiB", "-o", folder)
    assert made.exit_code == 0
    return folder


def test_trace_writes_a_file_per_rank(tmp_path: Path) -> None:
    result = gavel("trace", "moe", "--ranks", 5, "--size", "8kB", "-o", tmp_path, "--json")
    made = json.loads(result.stdout)
    assert [Path(path).name for path in made["files"]] == [f"moe_5.{rank}.et" for rank in range(5)]
    assert all(Path(path).stat().st_size for path in made["files"])


@pytest.mark.parametrize(("arguments", "what"), [
    (("all-reduce", "--ranks", 1), r"ranks = 1: must be in 2"),
    (("all-reduce", "--ranks", 4, "--size", "4parsec"), r"'4parsec' is no size"),
    (("moe", "--ranks", 4, "--form", "node"), r"moe has no collective node"),
    (("moe", "--ranks", 4, "--top-k", 5), r"top_k = 5"),
    (("all-reduce", "--ranks", 4, "--name", "a/b"), r"--name 'a/b'"),
    (("moe", "--ranks", 4, "--skew", "nan"), r"skew = nan: must be in 0\.\.\.64"),
    (("moe", "--ranks", 4, "--skew", "inf"), r"skew = inf"),
    (("moe", "--ranks", 4, "--skew", "1e9"), r"skew = 1000000000\.0"),
    (("all-reduce", "--ranks", 4, "--compute-us", 10**28), r"compute_us: .* at most 1000000$"),
])
def test_trace_refuses(tmp_path: Path, arguments: tuple[object, ...], what: str) -> None:
    refused(gavel("trace", *arguments, "-o", tmp_path / "out"), what)
    assert not (tmp_path / "out").exists()


def test_trace_does_not_mix_with_a_larger_one(tmp_path: Path) -> None:
    for ranks in (4, 8, 4):
        result = gavel("trace", "barrier", "--ranks", ranks, "-o", tmp_path, "--name", "b")
    refused(result, r"b\.4\.et: is of a larger trace")


def test_run_on_the_model_prints_what_json_gives(ring: Path) -> None:
    result = gavel("run", ring, "--model", "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert set(UNITS) <= set(figures)
    assert figures["mismatches"] is None and figures["drops"] == 0
    assert figures["bytes"] == 14 * 32768 and figures["frames"] == 14 * 8 * 4
    assert figures["latency_p50"] == load_config("pod").latency_cycles
    assert len(figures["completion_cycles"]) == 8
    assert 0.5 < figures["bus_bandwidth_share"] < 1
    text = gavel("run", ring, "--model").stdout
    for name in UNITS:
        assert bool(re.search(rf"^{name} ", text, re.M)) == (name not in LINK_FIGURES), name
    again = json.loads(gavel("run", ring, "--model", "--json").stdout)
    for name in figures:
        assert name == "simulated_cycles_per_second" or figures[name] == again[name]


def test_links_with_errors_are_told_of(ring: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    result = gavel("run", ring, "--model", "--scale", 0.25, "--ber", 1e-4, "--report", folder)
    assert result.exit_code == 0, result.output
    for name in UNITS:
        assert re.search(rf"^{name} ", result.stdout, re.M), name
    page = (folder / "report.html").read_text("utf-8")
    assert "Link errors" in page and "Occupancy of the VOQs" not in page


@pytest.mark.parametrize(("options", "what"), [
    (("--ber", "1"), "ber = 1.0: must be in 0...1, 1 excluded"),
    (("--ber", "0", "--link-delay", "-1"), "delay = -1: must be in 0...1048576 cycles"),
    (("--ber", "0", "--window", "1024"), "window = 1024: must be at most 880 cells where links "
     "have errors, so that a frame that is sent again finds room"),
])
def test_links_that_cannot_be_are_refused(ring: Path, options: tuple[str, ...], what: str) -> None:
    result = gavel("run", ring, "--model", *options)
    assert result.exit_code == 2
    assert result.stderr == f"gavel: error: {what}\n" and result.stdout == ""


def test_scale_and_profile(ring: Path) -> None:
    result = gavel("run", ring, "--model", "--json", "--scale", 0.001, "--profile", "afh6")
    figures = json.loads(result.stdout)
    assert (figures["frames"], figures["bytes"]) == (14 * 8, 14 * 8 * 4)


def test_the_report_is_one_sound_page_that_needs_nothing(ring: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    result = gavel("run", ring, "--model", "--report", folder)
    assert result.exit_code == 0, result.output
    assert [path.name for path in folder.iterdir()] == ["report.html"]
    page = (folder / "report.html").read_text("utf-8")
    assert len(page) < 500_000
    assert not re.search(r"<script|https?://|@import|<link|src=", page)
    assert page.count("<svg") == 6 and "prefers-color-scheme:dark" in page

    class Balance(HTMLParser):
        void = frozenset({"meta"})
        open_tags: list[str] = []  # noqa: RUF012 - the class is made in this test

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in self.void:
                self.open_tags.append(tag)

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert self.open_tags.pop() == tag

    parser = Balance()
    parser.feed(page)
    assert not parser.open_tags


def test_the_page_of_64_ports_stays_small(tmp_path: Path) -> None:
    gavel("trace", "all-to-all", "--ranks", 64, "--size", "64KiB", "-o", tmp_path / "trace")
    result = gavel("run", tmp_path / "trace", "--model", "-P", "ports=64", "--algorithm", "direct",
                   "--report", tmp_path)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "report.html").stat().st_size < 500_000


@pytest.mark.parametrize(("arguments", "what"), [
    (("--config", "tiny"), r"8 ranks, but the switch has 2 ports; choose .*-P ports=8"),
    (("-P", "ports=9"), r"8 ranks, but the switch has 9 ports"),
    (("--scale", "0"), r"scale = 0\.0: must be above 0"),
    (("--window", "2"), r"window = 2: must be in 17\.\.\.1024"),
    (("--mtu", "9999"), r"mtu = 9999"),
    (("--clock-mhz", "0"), r"clock_mhz"),
    (("--reduce-us", "inf"), r"reduce_us = inf: must be in 0\.\.\.1000000"),
    (("--reduce-us", "nan"), r"reduce_us = nan"),
    (("--reduce-us", "1e6", "--clock-mhz", "2000"), r"reduce_us: .* choose a lower --clock-mhz"),
    (("--overhead", "1000000000000"), r"overhead = 1000000000000: must be in 0\.\.\.1000000"),
    (("--waves",), r"--waves: the model alone"),
    (("--algorithm", "tree"), r"'tree' is not one of"),
    (("--profile", "afh7"), r"'afh7' is not one of"),
    (("-P", "ports=100"), r"ports = 100: must be in 2\.\.\.64"),
])
def test_run_refuses_and_writes_nothing(
    ring: Path, tmp_path: Path, arguments: tuple[str, ...], what: str
) -> None:
    refused(gavel("run", ring, "--model", "--report", tmp_path / "page", *arguments), what)
    assert not (tmp_path / "page").exists()


def test_what_would_play_without_end_is_refused(tmp_path: Path) -> None:
    node = Node(3, "think", NodeType.COMP, duration_us=1 << 63)
    save_trace(Trace("long", [RankTrace(0, [node]), RankTrace(1, [])]), tmp_path)
    refused(gavel("run", tmp_path / "long", "--model", "-c", "tiny"),
            r"rank 0, node 3 \(think\): \d+ us are \d+ cycles at 1000 MHz; at most 1000000000 are")
    made = collective_node("all-reduce", 2, 1)
    for rank in made.ranks:
        rank.nodes[0].attributes["comm_size"] = attribute("comm_size", 1 << 45)
    save_trace(Trace("big", made.ranks), tmp_path)
    refused(gavel("run", tmp_path / "big", "--model", "-c", "tiny"),
            r"rank 0, node 1 \(all-reduce\) step 0: a message of 17592186044416 bytes; at most")


def test_a_trace_that_cannot_be_written_leaves_nothing_and_names_the_path(tmp_path: Path) -> None:
    (tmp_path / "b.2.et").mkdir()
    refused(gavel("trace", "barrier", "--ranks", 4, "-o", tmp_path, "--name", "b"),
            r"b\.2\.et: Is a directory")
    assert [path.name for path in tmp_path.iterdir()] == ["b.2.et"]
    (tmp_path / "file").touch()
    refused(gavel("trace", "barrier", "--ranks", 4, "-o", tmp_path / "file" / "x"), r"file/x: ")


def test_bad_files_are_refused_in_one_line(ring: Path, tmp_path: Path) -> None:
    page = tmp_path / "page"
    path = next(ring.glob("*.3.et"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    refused(gavel("run", ring, "--model", "--report", page), r"\.3\.et, byte \d+: truncated")
    path.write_bytes(whole + b"\x02\x18\x0f")
    refused(gavel("run", ring, "--model", "--report", page), r"node 0 \(\) has unknown type 15")
    path.write_bytes(b"")
    refused(gavel("run", ring, "--model", "--report", page), r"byte 0: empty")
    path.unlink()
    refused(gavel("run", ring, "--model", "--report", page), r"missing: rank 3")
    refused(gavel("run", tmp_path / "none", "--model", "--report", page), r"no Chakra trace here")
    assert not page.exists()


@pytest.mark.parametrize(("folder", "frames"), [
    ("all_reduce_8npus_1MB", 14 * 8), ("all_to_all_8npus_1MB", 7 * 8),
    ("custom_collectives_custom_ring_allreduce_8npus_1MB", 14 * 8),
])
@pytest.mark.parametrize("algorithm", ["ring", "halving-doubling", "direct"])
def test_real_traces_on_the_model(
    folder: str, frames: int, algorithm: str, real_traces: Path
) -> None:
    result = gavel("run", real_traces / folder, "--model", "--json", "--scale", 0.004,
                   "--algorithm", algorithm)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["drops"] == 0 and figures["failure"] is None
    if algorithm == "ring":
        assert figures["frames"] == frames
