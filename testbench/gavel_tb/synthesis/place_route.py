# SPDX-License-Identifier: Apache-2.0
"""Place and route by nextpnr, several seeds, and the critical path by name."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import statistics
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gavel_tb.process import run_child
from gavel_tb.synthesis.errors import SynthesisError
from gavel_tb.synthesis.families import Family, PlaceRoute
from gavel_tb.synthesis.floor_plan import Planned, plan
from gavel_tb.synthesis.synthesize import NETLIST_NAME, Synthesis, change_netlist

FIX = "pip install 'gavel[fpga]'"
LINE_RATE_MHZ = 156.25
"""Clock of a word of 64 bits at 10 Gb/s; what nextpnr is asked for unless told otherwise."""

_CLOCKS_NAME = "clocks.txt"
"""File of clocks with frequencies of their own."""

_PROGRAM = "import {package} as nextpnr; nextpnr.{entry}()"
_ERROR = re.compile(r"^ERROR: (.*)$", re.MULTILINE)
_CELL_SUFFIX = re.compile(r"_(?:TRELLIS_FF|SB_DFF\w*?|LUT4|SB_LUT4|CCU2C|PFUMX|L6MUX21|DP16KD|"
                          r"PDPW16KD|SB_RAM40_4K|SB_CARRY|TRELLIS_DPR16X4)(?:_\w+)*$|"
                          r"(?<=[^.])\$\w+$")


@dataclass(frozen=True)
class CriticalPath:
    """The slowest path from a register to a register of one clock.

    Attributes
    ----------
    source, sink
        Their hierarchical names, without what synthesis has appended.
    levels
        Cells of logic between them.
    logic_ns, routing_ns
        Where the time goes; set-up included.
    """

    source: str
    sink: str
    levels: int
    logic_ns: float
    routing_ns: float


@dataclass(frozen=True)
class Placed:
    """One run of nextpnr.

    Attributes
    ----------
    seed
        Of the placer.
    fmax_mhz
        Of the slowest clock, of those with the design's own frequency; None without a result.
    path
        None without a result.
    clocks
        Fmax in MHz of every clock by name.
    slowest_other
        Of the clocks with a frequency of their own, the one that is the slowest for what it was
        asked for; "" if there is none.
    other_path
        Of that clock.
    used, available
        Cells of the device by nextpnr's names.
    failed
        Why there is no result, or "".
    """

    seed: int
    fmax_mhz: float | None
    path: CriticalPath | None
    used: Mapping[str, int]
    available: Mapping[str, int]
    failed: str = ""
    clocks: Mapping[str, float] = field(default_factory=dict)
    slowest_other: str = ""
    other_path: CriticalPath | None = None


@dataclass(frozen=True)
class PlacedSeeds:
    """All runs of one design.

    Attributes
    ----------
    runs
        By seed.
    version
        Of nextpnr's package.
    arguments
        What nextpnr was called with, but for files, clock and seed.
    planned
        Places that block RAMs had before; None where they are left to the placer.
    """

    runs: tuple[Placed, ...]
    version: str
    arguments: tuple[str, ...] = ()
    planned: Planned | None = None

    @property
    def routed(self) -> bool:
        """Every seed has a result."""
        return all(not run.failed for run in self.runs)

    @property
    def median(self) -> Placed | None:
        """The run whose Fmax is the (low) median of those with a result."""
        done = [run for run in self.runs if run.fmax_mhz is not None]
        if not done:
            return None
        middle = statistics.median_low([run.fmax_mhz or 0.0 for run in done])
        return next(run for run in done if run.fmax_mhz == middle)


def check_nextpnr(family: Family) -> PlaceRoute:
    """How nextpnr is called for ``family``.

    Raises
    ------
    SynthesisError
        If it is not installed, with the command that installs it, or does not know the family.
    """
    tool = family.place_route
    if tool is None:
        raise SynthesisError(f"no place and route for {family.title}")
    if importlib.util.find_spec(tool.package) is None:
        raise SynthesisError(f"nextpnr for {family.title} is missing: {FIX}")
    return tool


def place_and_route(
    synthesis: Synthesis, seeds: Sequence[int], *, mhz: float = LINE_RATE_MHZ,
    other_clocks: Mapping[str, float] | None = None,
    progress: Callable[[Placed], None] | None = None,
) -> PlacedSeeds:
    """Places and routes a synthesized design once for each seed. Block RAMs of a large one get
    places first, where the family has a floor plan.

    Parameters
    ----------
    synthesis
        What `synthesize` has returned; its folder gets reports and logs.
    seeds
        At least one.
    mhz
        What the placer tries to reach.
    other_clocks
        Clocks by the names of their pins for which that is another frequency.
    progress
        Told of each run that has ended.

    Raises
    ------
    SynthesisError
        If nextpnr is missing, or does not know the family.
    """
    tool = check_nextpnr(synthesis.family)
    luts = synthesis.area.luts
    large = synthesis.family.is_large(luts)
    planned = change_netlist(synthesis.folder, plan) if large and tool.floor_plan else None
    arguments = synthesis.family.place_route_arguments(
        luts, planned=planned is not None and planned.placed > 0)
    others = {name: asked for name, asked in (other_clocks or {}).items() if asked != mhz}
    if others:
        lines = [tool.clock_line.format(name=name, mhz=asked) for name, asked in others.items()]
        (synthesis.folder / _CLOCKS_NAME).write_text("\n".join([*lines, ""]), "utf-8")
        arguments += tuple(word.format(file=_CLOCKS_NAME) for word in tool.clock_file)
    runs = []
    for seed in seeds:
        runs.append(_place(tool, arguments, synthesis.folder, seed, mhz, others))
        if progress is not None:
            progress(runs[-1])
    return PlacedSeeds(tuple(runs), version(tool.package), arguments, planned)


def _place(tool: PlaceRoute, arguments: Sequence[str], folder: Path, seed: int, mhz: float,
           others: Mapping[str, float]) -> Placed:
    report, log = folder / f"report_{seed}.json", folder / f"nextpnr_{seed}.log"
    report.unlink(missing_ok=True)
    # Without "allow-fail" a clock that is missed leaves no report.
    command = [sys.executable, "-c", _PROGRAM.format(package=tool.package, entry=tool.entry),
               *arguments, "--json", NETLIST_NAME, "--report", report.name,
               "--freq", str(mhz), "--seed", str(seed), "--timing-allow-fail"]
    with log.open("w", encoding="utf-8") as out:
        code = run_child(command, cwd=folder, env=os.environ, stdout=out, stderr=out.fileno())
    if code or not report.is_file():
        why = _failure(log.read_text("utf-8", errors="replace"), code)
        return Placed(seed, None, None, {}, {}, why)
    return read_report(json.loads(report.read_text("utf-8")), seed, others)


def _failure(log: str, code: int) -> str:
    """Its error, or that somebody ended it, or its last line."""
    found = _ERROR.search(log)
    if found:
        return found[1]
    return f"ended by signal {-code}" if code < 0 else log.strip().rpartition("\n")[2]


def read_report(report: Mapping[str, Any], seed: int, others: Mapping[str, float]) -> Placed:
    """One run from nextpnr's report; ``others`` as ``other_clocks`` of `place_and_route`."""
    utilization = {name: value for name, value in report["utilization"].items() if value["used"]}
    clocks = {clock_name(net): float(value["achieved"]) for net, value in report["fmax"].items()}
    own = {name: mhz for name, mhz in clocks.items() if name not in others}
    paths = report["critical_paths"]
    slowest = min(clocks.keys() & others.keys(), default="",
                  key=lambda name: clocks[name] / others[name])
    return Placed(seed, min(own.values(), default=None), _critical(paths, own),
                  {name: value["used"] for name, value in utilization.items()},
                  {name: value["available"] for name, value in utilization.items()},
                  clocks=clocks, slowest_other=slowest,
                  other_path=_critical(paths, (slowest,)) if slowest else None)


def clock_name(net: str) -> str:
    """Name of a clock's pin, from that of its net or of an edge in nextpnr's report."""
    return net.removeprefix("posedge ").removeprefix("$glbnet$").partition("$")[0]


def _critical(paths: Sequence[Mapping[str, Any]], clocks: Collection[str]) -> CriticalPath | None:
    clocked = [path for path in paths
               if path["from"] == path["to"] and clock_name(path["from"]) in clocks]
    if not clocked:
        return None
    steps = max(clocked, key=lambda path: _delay(path["path"]))["path"]
    logic = [step for step in steps if step["type"] == "logic"]
    routing = _delay(step for step in steps if step["type"] == "routing")
    return CriticalPath(
        source=register_name(steps[0]["from"]["cell"]),
        sink=register_name(steps[-1]["to"]["cell"]),
        levels=len(logic), routing_ns=round(routing, 2),
        logic_ns=round(_delay(steps) - routing, 2))


def _delay(steps: Any) -> float:
    return float(sum(step["delay"] for step in steps))


def register_name(cell: str) -> str:
    """A cell's name without what synthesis has appended to that of the signal."""
    return _CELL_SUFFIX.sub("", cell)
