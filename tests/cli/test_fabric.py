# SPDX-License-Identifier: Apache-2.0
"""`gavel fabric`: figures, refusals, exit codes, the page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gavel_cli.fabric import UNITS
from gavel_cli.main import cli

SMALL = """kind = "leaf-spine"
accelerators = 6
leaves = 2
spines = 2
placement = "scattered"
delay = 4

[switch]
base = "tiny"
replay_timer = 0
"""


def gavel(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(item) for item in arguments])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def test_what_is_printed_and_what_json_gives(small: Path) -> None:
    result = gavel("fabric", small, "--size", "2kB", "--spray", "packet", "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert set(UNITS) <= set(figures)
    assert (figures["drops"], figures["failure"]) == (0, None)
    assert (figures["switches"], figures["links"], figures["ways"]) == (4, 10, 2)
    assert figures["bus_bandwidth_ideal"] == 8.0
    assert 0 < figures["bus_bandwidth_share"] < figures["bus_bandwidth_share_framed"] < 1
    achieved = 2000 * 2 * 5 / 6 / figures["completion_cycles"]
    assert figures["bus_bandwidth_achieved"] == pytest.approx(achieved)
    plain = gavel("fabric", small, "--size", "2kB", "--spray", "packet")
    assert plain.exit_code == 0
    for name in ("frames", "completion_cycles", "latency_p99"):
        assert re.search(rf"^{name} +{figures[name]:,} ", plain.stdout, re.MULTILINE), name
    assert f"hot link: {figures['hot_links'][0]['link']}" in plain.stdout


def test_the_page_is_whole_and_needs_nothing_else(small: Path, tmp_path: Path) -> None:
    result = gavel("fabric", small, "--size", "2kB", "--ber", "1e-5", "--credits",
                   "--spray", "packet", "--report", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    page = Path(figures["report"]).read_text("utf-8")
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in ("meta", "rect", "path"):
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if tag not in ("rect", "path"):
                assert opened.pop() == tag

    Reader().feed(page)
    assert not opened
    assert "http" not in page.replace("http-equiv", "") and "<script" not in page
    assert figures["hot_links"][0]["link"] in page
    assert f"{figures['completion_cycles']:,}" in page
    assert len(page) < 200_000


def test_print_gives_a_file_that_can_be_played(tmp_path: Path) -> None:
    result = gavel("fabric", "plane", "--print")
    assert result.exit_code == 0
    path = tmp_path / "mine.toml"
    path.write_text(result.stdout.replace("accelerators = 8", "accelerators = 2"))
    played = gavel("fabric", path, "--size", 100)
    assert played.exit_code == 0, played.output
    assert played.stdout.startswith("all-reduce (ring) of 2 accelerators over 1 model switches")


@pytest.mark.parametrize(("arguments", "what"), [
    (("nowhere.toml",), "topology nowhere.toml: no such file"),
    (("nowhere.toml", "--print"), "--print nowhere.toml: only of plane, planes, leaf-spine"),
    (("plane", "--window", "3"), "window = 3: must be in"),
    (("plane", "--scale", "0"), "scale = 0.0: must be above 0"),
    (("plane", "--size", "5GiB"), "size = 5368709120: must be in"),
    (("plane", "--ber", "2"), "ber = 2.0: must be in"),
    (("plane", "--credits", "--window", "100"), "window: credits take its place"),
    (("plane", "--spray", "rain"), "'rain' is not one of"),
    (("plane", "--engine", "steam"), "'steam' is not one of 'plain', 'compiled'"),
])
def test_bad_input_is_one_line_and_exit_code_2(arguments: tuple[str, ...], what: str) -> None:
    result = gavel("fabric", *arguments)
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("gavel: error: ") and what in lines[0]
    assert not result.stdout


def test_a_run_that_loses_frames_fails_with_exit_code_1(small: Path) -> None:
    result = gavel("fabric", small, "--size", "20kB", "--collective", "all-to-all",
                   "--algorithm", "direct", "--window", "500")
    assert result.exit_code == 1, result.output
    assert "RX_NO_BUFFER" in result.stderr and len(result.stderr.strip().splitlines()) == 1


def test_the_compiled_model_gives_the_same_figures(small: Path) -> None:
    arguments = ("fabric", small, "--size", "2kB", "--spray", "packet", "--ber", "1e-5",
                 "--credits", "--json")
    figures = {}
    for engine in ("plain", "compiled"):
        result = gavel(*arguments, "--engine", engine)
        assert result.exit_code == 0, result.output
        found = figures[engine] = json.loads(result.stdout)
        assert found.pop("engine") == engine
        for name in ("seconds", "simulated_cycles_per_second", "switch_steps"):
            assert found.pop(name) > 0
    assert figures["compiled"] == figures["plain"]


def test_the_compiled_model_loses_what_the_plain_one_loses(small: Path) -> None:
    lines = [gavel("fabric", small, "--size", "20kB", "--collective", "all-to-all",
                   "--algorithm", "direct", "--window", "500", "--engine", engine).stderr
             for engine in ("plain", "compiled")]
    assert "RX_NO_BUFFER" in lines[0]
    assert lines[1] == lines[0]
