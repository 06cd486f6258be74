# SPDX-License-Identifier: Apache-2.0
"""`gavel sweep`: table, rows, page, going on, refusals."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import pyarrow.parquet
import pytest

from gavel_tb.sweep import plan

SMALL = ("-c", "tiny", "--cycles", "400", "--engine", "model")
TWO = (*SMALL, "--load", "0.3,0.9", "--seeds", "2")


def rows_of(path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def test_table_json_and_rows_say_the_same(gavel, tmp_path):
    table = gavel("sweep", *TWO, "--workers", "1", "-o", tmp_path / "a.csv")
    assert table.exit_code == 0, table.output
    lines = table.stdout.splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    assert lines[0].startswith("| load | offered | ± 95% | accepted |") and "theory" in lines[0]
    rows = rows_of(tmp_path / "a.csv")
    assert [(row["load"], row["seed"]) for row in rows] == [
        ("0.3", "1"), ("0.3", "2"), ("0.9", "1"), ("0.9", "2")]
    assert {"ports", "queueing", "islip_iterations", "pattern", "engine", "cycles", "accepted",
            "delay_mean", "theory_accepted", "steady"} <= set(rows[0])
    printed = json.loads(gavel("sweep", *TWO, "--json", "--workers", "1").stdout)
    assert [float(row["accepted"]) for row in rows] == [row["accepted"] for row in printed]
    mean = sum(row["accepted"] for row in printed[:2]) / 2
    assert f"| {mean:.4g} |" in lines[2]


def test_any_number_of_workers_gives_the_same_file_and_parquet_the_same_values(gavel, tmp_path):
    one, two, parquet = (tmp_path / name for name in ("one.csv", "two.csv", "two.parquet"))
    assert gavel("sweep", *TWO, "--workers", "1", "-o", one).exit_code == 0
    assert gavel("sweep", *TWO, "--workers", "2", "-o", two).exit_code == 0
    assert one.read_bytes() == two.read_bytes()
    (tmp_path / "two.csv.units").rename(tmp_path / "two.parquet.units")
    assert gavel("sweep", *TWO, "-o", parquet).exit_code == 0
    stored = pyarrow.parquet.read_table(parquet).to_pylist()
    rows = rows_of(one)
    assert [row["delay_mean"] for row in stored] == [float(row["delay_mean"]) for row in rows]
    assert isinstance(stored[0]["ports"], int) and isinstance(stored[0]["saturated"], bool)
    assert stored[0]["accepted_of_output"] == json.loads(rows[0]["accepted_of_output"])
    assert list(stored[0]) == list(rows[0])


def test_what_is_finished_is_not_measured_again(gavel, tmp_path, monkeypatch):
    output = tmp_path / "a.csv"
    assert gavel("sweep", *TWO, "--workers", "1", "-o", output).exit_code == 0
    whole = output.read_bytes()
    journal = next((tmp_path / "a.csv.units").glob("*.jsonl"))
    lines = journal.read_text("utf-8").splitlines(keepends=True)
    assert len(lines) == 4
    output.unlink()
    # Three are there, and the last one is torn.
    journal.write_text("".join(lines[:3]) + lines[3][:40], "utf-8")
    assert gavel("sweep", *TWO, "--workers", "1", "-o", output).exit_code == 0
    assert output.read_bytes() == whole
    after = journal.read_text("utf-8").splitlines(keepends=True)
    assert after[:3] == lines[:3] and len(after) == 4


def test_an_interrupt_leaves_what_is_done(tmp_path):
    output = tmp_path / "a.csv"
    command = [sys.executable, "-m", "gavel_cli.main", "sweep", "-c", "tiny", "--engine", "model",
               "--load", "0.1:0.9:0.1", "--cycles", "30000", "--workers", "1", "-o", str(output)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    units = tmp_path / "a.csv.units"
    while process.poll() is None and not any(
            path.read_text("utf-8").count("\n") for path in units.glob("*.jsonl")):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    assert process.communicate(timeout=60)[1].endswith("gavel: stopped\n")
    assert process.returncode == 130 and not output.exists()
    assert 1 <= next(units.glob("*.jsonl")).read_text("utf-8").count("\n") < 9


def test_a_plan_file_and_options_that_change_it(gavel, tmp_path):
    file = tmp_path / "plan.toml"
    file.write_text('config = "tiny"\nload = [0.2, 0.4]\nsize = ["min", 128]\ncycles = 300\n'
                    'engine = "model"\n[fields]\nislip_iterations = [1, 2]\n', "utf-8")
    result = gavel("sweep", file, "--load", "0.5", "--json", "--workers", "1")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [(row["islip_iterations"], row["load"], row["size"]) for row in rows] == [
        (1, 0.5, "min"), (1, 0.5, 128), (2, 0.5, "min"), (2, 0.5, 128)]


def test_saturation_is_a_result(gavel):
    result = gavel("sweep", *SMALL, "-P", "ports=4", "--pattern", "incast,permutation",
                   "--load", "0.9", "--workers", "1", "--json")
    incast, permutation = json.loads(result.stdout)
    assert incast["saturated"] and not permutation["saturated"]
    assert incast["accepted"] == pytest.approx(0.25, abs=0.01) == incast["theory_accepted"]
    assert permutation["accepted"] == pytest.approx(permutation["offered"], abs=0.01)


def test_links_with_errors_and_credits(gavel):
    result = gavel("sweep", "-c", "tiny", "--cycles", "600", "--load", "0.4", "--credits",
                   "on,off", "--delay", "5", "--word-errors", "0.001", "--workers", "1", "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [row["credits"] for row in rows] == [True, False]
    assert all(row["replays"] > 0 and 0.2 < row["accepted"] < 0.6 for row in rows)
    assert all(sum(row["errors_injected"].values()) > 0 for row in rows)


def test_the_page_has_a_chart_of_each_figure_and_no_references(gavel, tmp_path):
    result = gavel("sweep", *SMALL, "--load", "0.2,0.6,0.95", "-P", "islip_iterations=1,2",
                   "--seeds", "2", "--workers", "1", "--report", tmp_path / "page")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "page" / "report.html").read_text("utf-8")
    assert page.count("<svg") == 4 and page.count("<circle") == 4 * 6
    assert page.count("<tr>") == 7 and "±" in page
    assert not re.search(r"(src|href)=", page)


def test_without_theory(gavel):
    words = ("sweep", *SMALL, "--load", "0.5", "--workers", "1")
    assert "theory" in gavel(*words).stdout
    assert "theory" not in gavel(*words, "--no-theory").stdout


@pytest.mark.parametrize(("words", "what"), [
    (("--load", "2"), "load = 2.0: must be above 0 and at most 1"),
    (("--load", "x"), "load = 'x': must be a number"),
    (("--load", "0.1:0.9:0"), "load = '0.1:0.9:0': must be first:last:step"),
    (("--pattern", "ring"), "pattern = 'ring': must be one of uniform, permutation"),
    (("--pattern", "tornado", "--delay", "5"), "pattern = 'tornado': must be one of uniform"),
    (("--delay", "5", "--hot", "0.5"), "hot: not together with word_errors"),
    (("--delay", "1.5"), "delay = '1.5': must be a whole number"),
    (("--credits", "yes"), "credits = 'yes': must be on or off"),
    (("-P", "ports"), "-P ports: must be NAME=V1,V2..."),
    (("-P", "ports=1,2"), "ports = 1: must be in 2...64"),
    (("-P", "port=2"), "port"),
    (("-o", "a.txt"), "a.txt: must end in .csv or .parquet"),
    (("--study", "fifo", "--load", "0.5"), "--load: not with --study"),
    (("--engine", "both", "--delay", "5"), "engine = 'both': must be 'model' with link partners"),
    (("--engine", "rtl", "--scheduler", "tcp://127.0.0.1:9"), "--scheduler: not with --engine rtl"),
    (("--scheduler", "nonsense://x"), "no Dask scheduler answers"),
    (("--seeds", "0"), "0 is not in the range"),
    (("missing.toml",), "missing.toml"),
])
def test_what_cannot_be_measured_is_refused(gavel, words, what):
    result = gavel("sweep", *words)
    assert result.exit_code in (2, 3) and result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith("gavel: error: ") and what in result.stderr
    assert result.stderr.count("gavel: error") == 1


@pytest.mark.parametrize(("text", "what"), [
    ("load = ", "TOML"),
    ("lod = 1", "'lod' is none of them"),
    ("load = [[0.5]]", "load"),
    ("load = \"x\"", "load = 'x': must be a number"),
    ("seeds = \"3\"", "seeds"),
    ("fields = 3", "fields"),
    ("credits = 3", "credits = '3': must be on or off"),
    ("[fields]\nports = 99", "ports = 99: must be in 2...64"),
])
def test_a_wrong_plan_is_refused(gavel, tmp_path, text, what):
    path = tmp_path / "plan.toml"
    path.write_text(text, "utf-8")
    result = gavel("sweep", path)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith("gavel: error: ") and what in result.stderr
    assert result.stderr.count("\n") == 1


def test_parquet_without_pyarrow_is_one_line_before_the_work(gavel, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = gavel("sweep", *TWO, "-o", tmp_path / "a.parquet")
    assert result.exit_code == 2
    assert result.stderr == ("gavel: error: pyarrow is not installed: pip install "
                             "'gavel[parquet]', or write a .csv file\n")


def test_a_failed_unit_is_a_failed_check(gavel, tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "OPEN_POINT", "gavel_tb.sweep.points:no_such_point")
    result = gavel("sweep", *TWO, "--workers", "1", "-o", tmp_path / "a.csv")
    assert result.exit_code == 1 and not (tmp_path / "a.csv").exists()
    assert result.stderr.startswith("gavel: error: 4 of 4 units failed; the first: ValueError")
