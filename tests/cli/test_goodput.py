# SPDX-License-Identifier: Apache-2.0
"""`gavel goodput`: table, JSON, page, refusals."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest

from gavel_cli.curves_svg import Curve, curves

POINTS = ("--width", "64", "--delay", "5", "--errors", "0", "--errors", "0.01", "--cycles", "4000")


def test_table_and_json_say_the_same(gavel):
    table = gavel("goodput", *POINTS)
    assert table.exit_code == 0, table.output
    lines = table.stdout.splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    clean, bad = json.loads(gavel("goodput", *POINTS, "--json").stdout)
    assert (clean["goodput"], clean["bound"], clean["errors"]) == (1.0, 1.0, 0)
    assert bad["errors"] > 10 and 0 < bad["goodput"] < bad["bound"] * 1.3 < 1.3
    assert bad["share_of_bound"] == pytest.approx(bad["goodput"] / bad["bound"])
    assert f"{100 * bad['goodput']:.2f} %" in lines[-1]


def test_the_page_has_a_curve_for_each_width_and_a_row_for_each_point(gavel, tmp_path):
    folder = tmp_path / "page"
    result = gavel("goodput", *POINTS, "--width", "512", "--report", folder)
    assert result.exit_code == 0, result.output
    page = (folder / "report.html").read_text("utf-8")
    assert page.count("<svg") == 2 and page.count("<tr>") == 5
    assert page.count("<circle") == 4
    assert not re.search(r"(src|href)=", page)


@pytest.mark.parametrize(("words", "what"), [
    (("--errors", "1"), "--errors 1.0: must be in 0...1, 1 excluded"),
    (("--errors", "-0.1"), "--errors -0.1: must be in 0...1, 1 excluded"),
    (("--frame-bytes", "63"), "63 is not in the range 64<=x<=9216"),
    (("--delay", "-1"), "-1 is not in the range"),
    (("--width", "96"), "'96' is not one of '64', '128', '256', '512'"),
])
def test_what_cannot_be_measured_is_refused(gavel, words, what):
    result = gavel("goodput", *words)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith("gavel: error: ") and what in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_page_that_cannot_be_written_is_refused_before_the_measurement(gavel, tmp_path):
    (tmp_path / "file").touch()
    result = gavel("goodput", "--report", tmp_path / "file" / "page")
    assert result.exit_code == 2 and result.stdout == ""


def test_names_of_curves_do_not_lie_on_each_other_nor_outside():
    items = [Curve(f"curve {n}", (0.1, 0.2), (0.5, 1.0), (None, None)) for n in range(6)]
    chart = curves(items, "x", "y", log_x=False)
    places = sorted(float(y) for y in re.findall(r'y="([\d.]+)"[^>]*>curve', chart))
    assert len(places) == 6 and places[0] >= 14
    assert all(below - above >= 14 for above, below in pairwise(places))
    assert chart.count("<circle") == 12 and "theory" not in chart
