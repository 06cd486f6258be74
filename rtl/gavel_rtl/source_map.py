# SPDX-License-Identifier: Apache-2.0
"""Which line of the Amaranth source each line of the Verilog comes from.

The switch is written a second time, with the attributes ``src`` that `gavel_rtl.emit` leaves out;
without them it must be the same text. Amaranth attaches no source to assignments under conditions,
but knows them: its emitter is made to list them at the process, in the order in which they stand
there and in the Verilog.
"""

import re
from pathlib import Path

from gavel_model.config import SwitchConfig
from gavel_rtl.netlist import Emitter, Library
from gavel_rtl.switch import Switch
from gavel_rtl.verilog import finish, run_yosys

_SOURCE = re.compile(r'\(\* src = "([^"]*)" \*\) ?')
_ALONE = re.compile(r"^ *\(\*.*\*\)$")
_MODULE = re.compile(r"^module (\S+?)\(", re.MULTILINE)
_PROCESS = re.compile(
    r'^  attribute \\src "(?P<sources>[^"]*)"\n  process \S+\n    assign (?P<target>\S+)',
    re.MULTILINE)
_RTLIL_MODULE = re.compile(r"^module \\(\S+)$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^ *(\S[^=]*?) *= .*;$")
_BLOCK_END = "  end"
_ROOT = Path(__file__).parents[1]

Place = tuple[str, int]
"""File, relative to the folder of the package, and line, counted from 1."""


class _Emitter(Emitter):
    """Lists the sources of a process's assignments in its attribute ``src``."""

    def emit_assignment_list(self, cell_idx, cell):
        super().emit_assignment_list(cell_idx, cell)
        process = list(self.builder.contents.values())[-1]
        process.attributes["src"] = "|".join(
            f"{item.src_loc[0]}:{item.src_loc[1]}" for item in cell.assignments)


def source_map(config: SwitchConfig, verilog: str) -> dict[int, Place]:
    """Source of each line of ``verilog``, which `gavel_rtl.emit.generate` made of ``config``.

    Lines count from 1. Lines that come from nowhere in the package, and the first of a block that
    have no source of their own, are left out.

    Raises
    ------
    RuntimeError
        If the Verilog writer is missing or fails, or writes another text with attributes.
    """
    library = Library(with_sources=True, emitter=_Emitter)
    netlist = library.netlist(library.add(Switch(config))).rtlil
    lines, own = _strip(run_yosys(netlist, attributes=True))
    _add_clocked(lines, own)
    _add_processes(lines, own, _processes(netlist))
    places: dict[int, Place] = {}
    for number, line in _follow(lines, finish("\n".join(lines), netlist).splitlines(), verilog):
        place = _place(own.get(line, ""))
        if place is not None:
            places[number] = place
    return places


def _place(source: str) -> Place | None:
    """The first of some sources, if it lies in the package."""
    path, _, line = source.partition("|")[0].partition(" ")[0].rpartition(":")
    try:
        return str(Path(path).relative_to(_ROOT)), int(line.partition(".")[0])
    except ValueError:
        return None


def _strip(text: str) -> tuple[list[str], dict[int, str]]:
    """Lines without attributes, and the source of each that has one, by index."""
    lines: list[str] = []
    own: dict[int, str] = {}
    before = ""
    for line in text.splitlines():
        inside = _SOURCE.findall(line)
        if _ALONE.match(line):
            before = inside[0] if inside else before
            continue
        source = inside[0] if inside else before
        if source:
            own[len(lines)] = source
        lines.append(_SOURCE.sub("", line))
        before = ""
    return lines, own


def _add_clocked(lines: list[str], own: dict[int, str]) -> None:
    """What stands in a clocked block has the source of the block."""
    source = ""
    for index, line in enumerate(lines):
        if not line.startswith("   "):
            source = own.get(index, "") if line.startswith("  always @(posedge") else ""
        elif source:
            own.setdefault(index, source)


def _processes(netlist: str) -> dict[tuple[str, str], list[str]]:
    """Sources of the assignments of each process, by module and first target."""
    found: dict[tuple[str, str], list[str]] = {}
    starts = [*_RTLIL_MODULE.finditer(netlist)]
    ends = [start.start() for start in starts[1:]] + [len(netlist)]
    for start, end in zip(starts, ends, strict=True):
        for process in _PROCESS.finditer(netlist, start.end(), end):
            target = _plain(process["target"])
            found[start[1], target] = process["sources"].split("|")
    return found


def _plain(name: str) -> str:
    """A name as RTLIL or Verilog has it, without what the two write differently."""
    name = re.sub(r"[\\ ]", "", name)
    return re.sub(r"\[[\d:]*\]$", "", name)


def _add_processes(
    lines: list[str], own: dict[int, str], processes: dict[tuple[str, str], list[str]]
) -> None:
    """Sources of the statements of ``always @*`` blocks. A condition gets that of the first
    statement under it."""
    module, index = "", 0
    while index < len(lines):
        match = _MODULE.match(lines[index])
        if match:
            module = match[1].lstrip("\\")
        if not lines[index].startswith("  always @*"):
            index += 1
            continue
        end = lines.index(_BLOCK_END, index)
        places = [n for n in range(index, end) if _ASSIGNMENT.match(lines[n])]
        index = end
        if not places:
            continue
        first = _ASSIGNMENT.match(lines[places[0]])
        assert first is not None
        sources = processes.get((module, _plain(first[1])))
        if not sources:
            continue
        # The first is the default, which has no line of its own. Where Yosys has left some out,
        # the order is all that is known of the others.
        for place, source in zip(places[1:], sources, strict=False):
            own[place] = source
        following = sources[0]
        for n in range(end, places[0], -1):
            following = own.get(n, following)
            own.setdefault(n, following)


def _follow(before: list[str], after: list[str], verilog: str) -> list[tuple[int, int]]:
    """Pairs of a line of ``verilog``, counted from 1, and the index of the same in ``before``.

    ``after`` is ``before`` with the changes of `finish`, which rewrites runs of lines, and
    ``verilog`` is ``after`` with a head.
    """
    whole = verilog.splitlines()
    head = len(whole) - len(after)
    if head < 0 or whole[head:] != after:
        raise RuntimeError("the Verilog with attributes is not the same as without")
    pairs: list[tuple[int, int]] = []
    old = new = 0
    while old < len(before) and new < len(after):
        if before[old] == after[new]:
            pairs.append((head + new + 1, old))
            old, new = old + 1, new + 1
            continue
        old, new = _resume(before, after, old, new)
    return pairs


_ALIKE = 3
"""Lines that must be equal for two texts to go together again."""


def _resume(before: list[str], after: list[str], old: int, new: int) -> tuple[int, int]:
    """Where two texts that differ are equal again."""
    for distance in range(1, len(before) + len(after)):
        for ahead in range(distance + 1):
            o, n = old + distance - ahead, new + ahead
            if before[o : o + _ALIKE] == after[n : n + _ALIKE] != []:
                return o, n
    return len(before), len(after)
