# SPDX-License-Identifier: Apache-2.0
"""`gavel credits`: table, JSON, page, refusals, a formula that is too small."""

from __future__ import annotations

import json
import re

import pytest

from gavel_tb import credit_loop

POINTS = ("--width", "512", "--frame-bytes", "64", "--frame-bytes", "256", "--delay", "5",
          "--max-frame-bytes", "256")


def test_table_and_json_say_the_same(gavel):
    table = gavel("credits", *POINTS)
    assert table.exit_code == 0, table.output
    lines = table.stdout.splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    rows = json.loads(gavel("credits", *POINTS, "--json").stdout)
    assert [row["frame_bytes"] for row in rows] == [64, 256]
    for row, line in zip(rows, lines[2:], strict=True):
        assert row["rate"] == 1.0 > credit_loop.LINE_RATE > row["rate_below"]
        assert 4 < row["measured"] <= row["formula"]
        assert f"| {row['measured']} | {row['formula']} | 100.00 % |" in line


def test_the_page_has_a_curve_for_each_width_and_a_row_for_each_point(gavel, tmp_path):
    folder = tmp_path / "page"
    result = gavel("credits", *POINTS, "--width", "64", "--total", "--llr", "--report", folder)
    assert result.exit_code == 0, result.output
    page = (folder / "report.html").read_text("utf-8")
    assert page.count("<svg") == 2 and page.count("<tr>") == 5
    assert page.count("<circle") == 4
    assert not re.search(r"(src|href)=", page)


def test_a_formula_that_is_too_small_is_a_failed_check(gavel, monkeypatch):
    formula = credit_loop.credits_for_line_rate
    monkeypatch.setattr(credit_loop, "credits_for_line_rate",
                        lambda *given, **more: formula(*given, **more) - 10)
    result = gavel("credits", *POINTS)
    assert result.exit_code == 1
    assert result.stderr == "gavel: error: the formula is too small\n"


@pytest.mark.parametrize(("words", "what"), [
    (("--frame-bytes", "63"), "63 is not in the range 64<=x<=9216"),
    (("--frame-bytes", "2000", "--max-frame-bytes", "1000"),
     "--frame-bytes 2000: must be at most --max-frame-bytes 1000"),
    (("--delay", "-1"), "-1 is not in the range"),
    (("--width", "96"), "'96' is not one of '64', '128', '256', '512'"),
])
def test_what_cannot_be_measured_is_refused(gavel, words, what):
    result = gavel("credits", *words)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith("gavel: error: ") and what in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_page_that_cannot_be_written_is_refused_before_the_measurement(gavel, tmp_path):
    (tmp_path / "file").touch()
    result = gavel("credits", "--report", tmp_path / "file" / "page")
    assert result.exit_code == 2 and result.stdout == ""
