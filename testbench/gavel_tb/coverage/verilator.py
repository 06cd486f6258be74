# SPDX-License-Identifier: Apache-2.0
"""Reads the ``coverage.dat`` that a Verilated program with coverage leaves.

One line a point: ``C '<SOH>key<STX>value<SOH>key<STX>value...' count`` below a head. Keys that
count here: ``f`` file, ``l`` line, ``n`` column, ``page`` kind and module (``v_branch/NAME``),
``o`` comment (``if``, ``sig[3]:0->1``, a term of an expression), ``S`` the lines that run with it.
Instances of a module are merged by Verilator where it keeps one code for them, and here otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gavel_tb.errors import SimulationError

KINDS = ("line", "branch", "expr", "toggle")
"""Kinds of points."""

RUN_ARGUMENT = "+verilator+coverage+file+"
"""Argument of the program, before the name of the file."""

_HEAD = "# SystemC::Coverage-3"


class Point(NamedTuple):
    """A point of the code.

    Attributes
    ----------
    file
        Name of the Verilog file, without folders.
    line, column
        Where it stands, counted from 1.
    kind
        One of `KINDS`.
    module
        Module that it belongs to.
    comment
        What of the line it is.
    spans
        Lines that run with it, as ``3-5,9``; empty for a branch without statements.
    """

    file: str
    line: int
    column: int
    kind: str
    module: str
    comment: str
    spans: str

    @property
    def lines(self) -> list[int]:
        """The lines of ``spans``."""
        found: list[int] = []
        for span in filter(None, self.spans.split(",")):
            first, _, last = span.partition("-")
            found += range(int(first), int(last or first) + 1)
        return found


def read_points(lines: Iterable[str], name: str = "coverage.dat") -> dict[Point, int]:
    """Count of each point, added up over instances.

    Raises
    ------
    SimulationError
        With the number of the line, if it is no such file.
    """
    counts: dict[Point, int] = {}
    number = 0
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            if number == 1 and line.strip() != _HEAD:
                break
            continue
        try:
            point, count = _point(line)
        except (ValueError, KeyError):
            raise SimulationError(f"{name}, line {number}, is no point of coverage") from None
        counts[point] = counts.get(point, 0) + count
    if not counts:
        raise SimulationError(f"{name} has no points of coverage")
    return counts


def _point(line: str) -> tuple[Point, int]:
    body, _, count = line.rpartition("' ")
    if not body.startswith("C '"):
        raise ValueError(line)
    keys = dict(part.split("\x02", 1) for part in body.split("\x01")[1:])
    kind, _, module = keys["page"].removeprefix("v_").partition("/")
    return Point(keys["f"].rpartition("/")[2], int(keys["l"]), int(keys.get("n", 0)), kind,
                 module, keys.get("o", ""), keys.get("S", "")), int(count)
