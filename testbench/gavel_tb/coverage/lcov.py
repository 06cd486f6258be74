# SPDX-License-Identifier: Apache-2.0
"""Code coverage as lcov tracefiles: of the Verilog, and of the Amaranth lines that it came from.

Records as geninfo(1) describes them: ``DA:line,count``, ``BRDA:line,block,branch,taken``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gavel_tb.coverage.verilator import Point

RTL_FOLDER = "rtl"
"""Where the package of the RTL lies in the repository."""


@dataclass
class FileCoverage:
    """Coverage of one source file.

    Attributes
    ----------
    lines
        Times that each line ran.
    branches
        For each line the times that each of its branches was taken, by name.
    """

    lines: dict[int, int] = field(default_factory=dict)
    branches: dict[int, dict[str, int]] = field(default_factory=dict)

    def add_line(self, line: int, count: int) -> None:
        """A line that ran so often."""
        self.lines[line] = self.lines.get(line, 0) + count

    def add_branch(self, line: int, name: str, count: int) -> None:
        """A branch that was taken so often."""
        taken = self.branches.setdefault(line, {})
        taken[name] = taken.get(name, 0) + count

    @property
    def line_totals(self) -> tuple[int, int]:
        """Lines that ran, and lines."""
        return sum(count > 0 for count in self.lines.values()), len(self.lines)

    @property
    def branch_totals(self) -> tuple[int, int]:
        """Branches that were taken, and branches."""
        counts = [count for taken in self.branches.values() for count in taken.values()]
        return sum(count > 0 for count in counts), len(counts)


def verilog_coverage(counts: Mapping[Point, int]) -> FileCoverage:
    """Coverage of the Verilog: lines and branches."""
    result = FileCoverage()
    for point, count in counts.items():
        if point.kind in ("line", "branch"):
            # The line of a condition runs whichever way it goes.
            for line in {point.line, *point.lines}:
                result.add_line(line, count)
        if point.kind == "branch":
            result.add_branch(point.line, f"{point.column} {point.comment}", count)
    return result


def python_coverage(
    counts: Mapping[Point, int], places: Mapping[int, tuple[str, int]],
    into: dict[str, FileCoverage] | None = None,
) -> dict[str, FileCoverage]:
    """Coverage of Amaranth sources, by file.

    A line has run if any of the statements that it became has; its branches are those of the
    conditions over them, and the terms of its expressions.

    Parameters
    ----------
    places
        File and line of each line of the Verilog (`gavel_rtl.source_map`).
    into
        Coverage of other designs of the same sources, to which this one is added.
    """
    result = {} if into is None else into
    for point, count in counts.items():
        if point.kind in ("line", "branch"):
            for path, line in {places[line] for line in point.lines if line in places}:
                _file(result, path).add_line(line, count)
        if point.kind in ("branch", "expr") and point.line in places:
            path, line = places[point.line]
            # One source makes many lines of Verilog, whose branches are the same branches.
            _file(result, path).add_branch(
                line, f"{point.module} {point.kind} {point.comment}", count)
    return result


def _file(files: dict[str, FileCoverage], path: str) -> FileCoverage:
    return files.setdefault(f"{RTL_FOLDER}/{path}", FileCoverage())


def lcov(files: Iterable[tuple[str, FileCoverage]], test: str) -> str:
    """A tracefile of some files, by path."""
    text: list[str] = []
    for path, coverage in files:
        text += [f"TN:{test}", f"SF:{path}"]
        for line, taken in sorted(coverage.branches.items()):
            text += [f"BRDA:{line},0,{number},{count}"
                     for number, (_, count) in enumerate(sorted(taken.items()))]
        hit, found = coverage.branch_totals
        text += [f"BRF:{found}", f"BRH:{hit}"]
        text += [f"DA:{line},{count}" for line, count in sorted(coverage.lines.items())]
        hit, found = coverage.line_totals
        text += [f"LF:{found}", f"LH:{hit}", "end_of_record"]
    return "".join(f"{line}\n" for line in text)
