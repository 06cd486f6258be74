# SPDX-License-Identifier: Apache-2.0
"""Code coverage of a design: its points, counts of a run in little room, and what is left out.

A build has always the same points, so that a run gives only their counts, in the order of the
table. Of a bit that toggles it is kept whether it did, not how often.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gavel_tb.coverage.verilator import KINDS, Point

DESIGN_FILE = "gavel_switch.v"
_DUMMY = re.compile(r"if \(\\\$auto\$verilog_backend")


@dataclass(frozen=True)
class Rule:
    """Points that do not count.

    Attributes
    ----------
    name, reason
        For the report.
    applies
        Called with the point and the text of its line.
    """

    name: str
    reason: str
    applies: Callable[[Point, str], bool]


RULES: tuple[Rule, ...] = (
    Rule("harness", "the wrapper that the simulation needs is no part of the switch",
         lambda point, _: point.file != DESIGN_FILE),
    Rule("writer's branch", "Yosys begins each process with a branch that is never taken",
         lambda _, line: bool(_DUMMY.search(line))),
    Rule("clearing of memories", "a loop for simulators alone",
         lambda point, line: point.kind != "toggle" and line.lstrip().startswith("initial for")),
)
"""Rules of what is left out; the first that applies counts."""


class PointTable:
    """The points of a build, in order."""

    def __init__(self, points: Iterable[Point]) -> None:
        self.points = tuple(sorted(points))

    def pack(self, counts: Mapping[Point, int]) -> str:
        """Counts of a run as text: JSON, compressed, in base 64.

        Raises
        ------
        ValueError
            If the run had other points.
        """
        if len(counts) != len(self.points):
            raise ValueError(f"{len(counts)} points of coverage, must be {len(self.points)}")
        try:
            numbers = [min(counts[point], 1) if point.kind == "toggle" else counts[point]
                       for point in self.points]
        except KeyError as error:
            raise ValueError(f"no such point of coverage: {error}") from None
        return base64.b64encode(zlib.compress(json.dumps(numbers).encode(), 9)).decode()

    def unpack(self, text: str) -> list[int]:
        """What `pack` was given, in the order of the points."""
        numbers: list[int] = json.loads(zlib.decompress(base64.b64decode(text)))
        return numbers

    def as_json(self) -> str:
        """For a file."""
        return json.dumps(self.points)

    @classmethod
    def from_json(cls, text: str) -> PointTable:
        """From a file."""
        return cls(Point(*entry) for entry in json.loads(text))


def add(total: list[int], more: Sequence[int]) -> None:
    """Adds the counts of a run."""
    for index, number in enumerate(more):
        total[index] += number


@dataclass(frozen=True)
class Covered:
    """Points that count, with their counts, and how many each rule has left out."""

    counts: Mapping[Point, int]
    left_out: Mapping[str, int]

    def totals(self) -> dict[str, tuple[int, int]]:
        """Points hit, and points, of each kind."""
        return {kind: (sum(count > 0 for point, count in self.counts.items()
                           if point.kind == kind),
                       sum(point.kind == kind for point in self.counts)) for kind in KINDS}


def apply_rules(table: PointTable, counts: Sequence[int], verilog: str) -> Covered:
    """Leaves out what the rules say."""
    lines = verilog.splitlines()
    kept: dict[Point, int] = {}
    left_out = dict.fromkeys((rule.name for rule in RULES), 0)
    for point, count in zip(table.points, counts, strict=True):
        inside = point.file == DESIGN_FILE and 0 < point.line <= len(lines)
        text = lines[point.line - 1] if inside else ""
        rule = next((rule for rule in RULES if rule.applies(point, text)), None)
        if rule is None:
            kept[point] = count
        else:
            left_out[rule.name] += 1
    return Covered(kept, left_out)
