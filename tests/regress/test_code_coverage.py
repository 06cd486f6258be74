# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from gavel_tb.coverage.code import RULES, PointTable, add, apply_rules
from gavel_tb.coverage.lcov import lcov, python_coverage, verilog_coverage
from gavel_tb.coverage.verilator import Point, read_points
from gavel_tb.errors import SimulationError

VERILOG = """module gavel_block(clk, a);
  always @* begin
    if (\\$auto$verilog_backend.cc:1:dump_module$3 ) begin end
    y = 1'h0;
    if (a) begin
      y = 1'h1;
    end
  end
  initial for (word = 0; word <= 3; word = word + 1) memory[word] = 0;
endmodule
"""
DUMMY, CONDITION, STATEMENT, LOOP = 3, 5, 6, 9


def line(kind: str, at: int, comment: str, count: int, *, column: int = 5, spans: str = "",
         file: str = "gavel_switch.v", instance: str = "top.port*.block") -> str:
    keys = {"f": f"/some/where/{file}", "l": at, "n": column, "t": kind,
            "page": f"v_{kind}/gavel_block", "o": comment, "h": instance}
    if spans:
        keys["S"] = spans
    text = "".join(f"\x01{key}\x02{value}" for key, value in keys.items())
    return f"C '{text}' {count}\n"


SAMPLE = [
    "# SystemC::Coverage-3\n",
    line("line", 2, "block", 9, spans="2,4", column=10),
    line("branch", DUMMY, "if", 0, spans="3"),
    line("branch", DUMMY, "else", 9, column=6),
    line("branch", CONDITION, "if", 0, spans="5-6"),
    line("branch", CONDITION, "else", 9, column=6),
    line("expr", CONDITION, "(a==1) => 1", 0, column=9),
    line("toggle", 1, "a:0->1", 400),
    line("toggle", 1, "a:1->0", 0),
    line("line", LOOP, "block", 1, spans="9"),
    line("toggle", 1, "rx:0->1", 5, file="gavel_harness.sv"),
]
PLACES = {2: ("gavel_rtl/block.py", 10), 4: ("gavel_rtl/block.py", 10),
          CONDITION: ("gavel_rtl/block.py", 12), STATEMENT: ("gavel_rtl/block.py", 12)}


@pytest.fixture
def points() -> dict[Point, int]:
    return read_points(SAMPLE)


def test_points_are_read_with_all_that_is_known_of_them(points):
    assert len(points) == 10
    point = next(point for point in points if point.comment == "if" and point.line == CONDITION)
    assert point == Point("gavel_switch.v", 5, 5, "branch", "gavel_block", "if", "5-6")
    assert point.lines == [5, 6]
    block = next(point for point in points if point.kind == "line" and point.line == 2)
    assert block.lines == [2, 4]


def test_instances_of_a_module_add_up():
    one, other = (line("line", 2, "block", count, instance=name)
                  for count, name in ((3, "top.port0.block"), (4, "top.port1.block")))
    assert list(read_points(["# SystemC::Coverage-3\n", one, other]).values()) == [7]


@pytest.mark.parametrize(("lines", "message"), [
    ([], "has no points"), (["# SystemC::Coverage-4\n", SAMPLE[1]], "has no points"),
    ([SAMPLE[0], "C 'torn"], "line 2, is no point"),
    ([SAMPLE[0], SAMPLE[1].replace("\x01l\x022", "")], "line 2, is no point"),
    ([SAMPLE[0], SAMPLE[1].replace("' 9", "' x")], "line 2, is no point"),
])
def test_what_is_no_coverage_is_refused(lines, message):
    with pytest.raises(SimulationError, match=message):
        read_points(lines)


def test_counts_of_runs_pack_into_text_and_add_up(points):
    table = PointTable(points)
    again = PointTable.from_json(table.as_json())
    assert again.points == table.points
    total = [0] * len(table.points)
    for _ in range(2):
        add(total, table.unpack(again.pack(points)))
    counts = dict(zip(table.points, total, strict=True))
    for point, count in points.items():
        # Of a toggle it is kept in how many runs it came.
        assert counts[point] == 2 * (min(count, 1) if point.kind == "toggle" else count)


def test_counts_of_another_build_are_refused(points):
    table = PointTable(points)
    less = dict(list(points.items())[1:])
    with pytest.raises(ValueError, match="9 points of coverage, must be 10"):
        table.pack(less)
    with pytest.raises(ValueError, match="no such point of coverage"):
        table.pack({**less, next(iter(less))._replace(line=77): 1})


def test_what_is_left_out_is_left_out_by_a_rule_and_counted(points):
    table = PointTable(points)
    covered = apply_rules(table, [points[point] for point in table.points], VERILOG)
    assert covered.left_out == {"harness": 1, "writer's branch": 2, "clearing of memories": 1}
    assert covered.totals() == {"line": (1, 1), "branch": (1, 2), "expr": (0, 1),
                                "toggle": (1, 2)}
    assert all(rule.reason for rule in RULES)


def covered(points: dict[Point, int]) -> dict[Point, int]:
    table = PointTable(points)
    return dict(apply_rules(table, [points[point] for point in table.points], VERILOG).counts)


def test_lcov_of_the_verilog(points):
    text = lcov([("gavel_switch.v", verilog_coverage(covered(points)))], "tiny")
    assert text.splitlines() == [
        "TN:tiny", "SF:gavel_switch.v", "BRDA:5,0,0,0", "BRDA:5,0,1,9", "BRF:2", "BRH:1",
        # The condition has been looked at, its statement has not run.
        "DA:2,9", "DA:4,9", "DA:5,9", "DA:6,0", "LF:4", "LH:3", "end_of_record",
    ]


def test_lcov_of_the_amaranth_lines(points):
    files = python_coverage(covered(points), PLACES)
    assert list(files) == ["rtl/gavel_rtl/block.py"]
    text = lcov(files.items(), "regress")
    assert "DA:10,9\nDA:12,0\nLF:2\nLH:1\n" in text
    assert "BRF:3\nBRH:1\n" in text
    python_coverage({point: count + 1 for point, count in covered(points).items()}, PLACES, files)
    assert files["rtl/gavel_rtl/block.py"].lines == {10: 19, 12: 1}
