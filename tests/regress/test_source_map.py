# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from pathlib import Path

import pytest

from gavel_model.loader import load_config
from gavel_rtl.source_map import _follow, source_map
from gavel_tb.build_cache import BuildCache

RTL = Path(__file__).resolve().parents[2] / "rtl"


def test_lines_of_the_verilog_come_from_the_amaranth_that_says_the_same(sim_cache):
    config = load_config("tiny")
    verilog = BuildCache(sim_cache).design(config).verilog
    places = source_map(config, verilog)
    lines = verilog.splitlines()
    sources: dict[str, list[str]] = {}
    agree = looked_at = 0
    for number, (path, line) in places.items():
        source = sources.setdefault(path, (RTL / path).read_text("utf-8").splitlines())
        assert line <= len(source)
        assigned = re.match(r" {4,}(\w+)(?: \[.*\])? <?= ", lines[number - 1])
        if assigned:
            looked_at += 1
            # A name in Verilog is the path of the member: the last part stands in the source.
            name = re.sub(r"_\d+$", "", assigned[1].rpartition("__")[2])
            # Or it is put together by the program.
            agree += ("name=" in source[line - 1]
                      or any(name in text for text in source[max(0, line - 6) : line + 6]))
    assert looked_at > 400
    assert agree > 0.95 * looked_at, (agree, looked_at)
    # Statements under conditions, which Amaranth's own attributes do not tell apart.
    numbered = next(number for number, text in enumerate(lines, 1)
                    if text.strip() == "o_word__llr = 1'h1;")
    path, line = places[numbered]
    assert path == "gavel_rtl/frame_launcher.py"
    assert "llr.eq(1)" in (RTL / path).read_text("utf-8").splitlines()[line - 1]
    conditions = [n for n, text in enumerate(lines, 1)
                  if text.lstrip().startswith("if (") and "verilog_backend" not in text]
    assert sum(n in places for n in conditions) > 0.9 * len(conditions)


def test_another_text_is_refused():
    after = ["module a;", "endmodule"]
    assert _follow(after, after, "// head\nmodule a;\nendmodule\n") == [(2, 0), (3, 1)]
    with pytest.raises(RuntimeError, match="is not the same as without"):
        _follow(after, after, "// head\nmodule b;\nendmodule\n")


def test_runs_of_lines_that_were_rewritten_are_stepped_over():
    before = ["a", "reg m;", "b", "c", "d", "check 1", "check 2", "e", "f", "g"]
    after = ["a", "reg m;", "integer n;", "initial for;", "b", "c", "d", "`ifdef", "assert",
             "`endif", "e", "f", "g"]
    pairs = _follow(before, after, "\n".join(after))
    assert [(before[old], after[new - 1]) for new, old in pairs] == [
        (line, line) for line in ("a", "reg m;", "b", "c", "d", "e", "f", "g")]
