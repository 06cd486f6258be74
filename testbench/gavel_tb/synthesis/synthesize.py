# SPDX-License-Identifier: Apache-2.0
"""Synthesis by the Yosys in the pyosys package, in a process of its own."""

from __future__ import annotations

import json
import os
import re
from collections import Counter as Tally
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, TypeVar

from gavel_rtl.memory_module import ARRAY, INSIDE, memory_places
from gavel_rtl.yosys import MISSING, yosys_command, yosys_failure
from gavel_tb.files import write_together
from gavel_tb.process import run_child
from gavel_tb.synthesis.area import Area, area_of
from gavel_tb.synthesis.collisions import with_promises
from gavel_tb.synthesis.errors import SynthesisError
from gavel_tb.synthesis.families import BLOCK_RAM, FLIP_FLOP, LUT_RAM, Family
from gavel_tb.synthesis.output_registers import FLIP_FLOP_CELL, TakenIn, take_in

_Change = TypeVar("_Change")

Language = Literal["verilog", "rtlil"]
_READ: Mapping[Language, tuple[str, str]] = {
    "verilog": ("design.v", "read_verilog design.v"),
    "rtlil": ("design.il", "read_rtlil design.il"),
}

NETLIST_NAME = "netlist.json"
"""What place and route reads, in the folder of the synthesis."""

LOG_NAME = "yosys.log"
_STAT_NAME = "stat.json"

_WARNING = re.compile(r"^(?:(?!/)\S+:\d+: )?Warning: (.*)$", re.MULTILINE)
"""One of the design, whose file stands in the folder: Yosys warns of its own libraries, too, with
their full paths."""

_MAPPED = re.compile(r"^(?:mapping memory (\S+) via (\S+)|using FF mapping for memory (\S+))$",
                     re.MULTILINE)
_CONSTANTS = "$auto$proc_rom"
"""Names of tables that Yosys makes of case statements: no memories."""

_IN_MODULE = re.compile(rf"(?:\.{INSIDE})?\.{ARRAY}$")
"""What the module of a memory adds to the name that the memory has in its block."""

_DISTRIBUTED = re.compile(r"DPR16|LUTRAM|RAM16S")


@dataclass(frozen=True)
class Memory:
    """How one memory was made.

    Attributes
    ----------
    name
        Module and memory, or the path of the memory in a flattened design.
    kind
        `BLOCK_RAM`, `LUT_RAM` or `FLIP_FLOP`.
    """

    name: str
    kind: str


@dataclass(frozen=True)
class Module:
    """One module of a design that kept its hierarchy.

    Attributes
    ----------
    instances
        How often it stands in the design.
    own
        Resources of one instance without the modules inside.
    whole
        Resources of one instance with all that is inside.
    """

    instances: int
    own: Area
    whole: Area


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What Yosys made of a design.

    Attributes
    ----------
    family
        What it was made for.
    version
        Of Yosys.
    area
        All of the design.
    modules
        By name; a flattened design has one.
    memories
        In the order of the report.
    warnings
        Each once, without those of `Family.of_mapping`.
    folder
        Where `NETLIST_NAME` and `LOG_NAME` are.
    taken_in
        Flip-flops that are in block RAM, and neither in areas nor in the netlist; None where the
        family has no such registers.
    """

    family: Family
    version: str
    area: Area
    modules: Mapping[str, Module]
    memories: tuple[Memory, ...]
    warnings: tuple[str, ...]
    folder: Path
    taken_in: TakenIn | None = None

    @property
    def latches(self) -> tuple[str, ...]:
        """The warnings of latches; some families' scripts stop at the first one instead."""
        return tuple(text for text in self.warnings if text.startswith("Latch inferred"))


def synthesize(text: str, top: str, family: Family, folder: Path, *,
               language: Language = "verilog", flatten: bool = True) -> Synthesis:
    """Synthesizes a design; flip-flops behind block RAM go into it where the family has a place.

    Parameters
    ----------
    text, top, language
        The design, and its top module.
    family
        One that Yosys knows.
    folder
        Made if need be; gets the design, the netlist and the log.
    flatten
        Make one module of it, which is smaller and faster, and says less of the parts.

    Raises
    ------
    SynthesisError
        If Yosys is missing, or refuses the design.
    """
    if not family.passes:
        raise SynthesisError(f"Yosys has no synthesis for {family.title}")
    folder.mkdir(parents=True, exist_ok=True)
    name, read = _READ[language]
    (folder / name).write_text(with_promises(text) if language == "rtlil" else text, "utf-8")
    script = " ".join((*family.passes, "-top", top, *_flattening(family, flatten)))
    passes = (*_reading(text, top, read, flatten=flatten), script,
              f"tee -q -o {_STAT_NAME} stat -json", f"write_json {NETLIST_NAME}")
    log = _run(passes, folder)
    taken_in = change_netlist(folder, take_in) if family.output_registers else None
    modules = _modules(json.loads((folder / _STAT_NAME).read_text("utf-8")), top, family,
                       taken_in.flip_flops if taken_in else {})
    return Synthesis(
        family=family, version=version("pyosys"), area=modules[top].whole, modules=modules,
        memories=_memories(log), warnings=_warnings(log, family.of_mapping),
        folder=folder, taken_in=taken_in)


def change_netlist(folder: Path, change: Callable[[dict[str, Any]], _Change]) -> _Change:
    """Changes the netlist of a folder; returns what ``change`` does."""
    netlist = json.loads((folder / NETLIST_NAME).read_text("utf-8"))
    changed = change(netlist)
    write_together(folder, {NETLIST_NAME: json.dumps(netlist)})
    return changed


def map_memories(text: str, top: str, family: Family, folder: Path) -> tuple[Memory, ...]:
    """How a design in Verilog gets its memories: as `synthesize` without flattening, but only that
    far, which is far quicker.

    Raises
    ------
    SynthesisError
        As `synthesize`.
    """
    name, read = _READ["verilog"]
    (folder / name).write_text(text, "utf-8")
    script = " ".join((*family.passes, "-top", top, *_flattening(family, flatten=False),
                       "-run", f"begin:{family.after_memories}"))
    return _memories(_run((*_reading(text, top, read, flatten=False), script), folder))


def check_verilog(text: str, top: str, folder: Path, *, flatten: bool = True) -> tuple[str, ...]:
    """What Yosys says against a design in Verilog: latches, signals driven twice or not at all,
    loops, and everything else that it warns of. It sees loops through several modules if it may
    ``flatten`` the design; a switch of 64 ports with 512 bits takes more than 24 GB for that.

    Raises
    ------
    SynthesisError
        If Yosys is missing, or refuses the design.
    """
    name, read = _READ["verilog"]
    (folder / name).write_text(text, "utf-8")
    log = _run((read, f"hierarchy -check -top {top}", "proc", *(["flatten"] if flatten else []),
                "opt_clean", "check"), folder)
    return _warnings(log)


def _warnings(log: str, of_mapping: str = "") -> tuple[str, ...]:
    """Each once, without those that a family's mapping brings."""
    return tuple(dict.fromkeys(
        text for text in _WARNING.findall(log)
        if not (of_mapping and re.fullmatch(of_mapping, text))))


def _reading(text: str, top: str, read: str, *, flatten: bool) -> tuple[str, ...]:
    """Passes before those of the family. Where the hierarchy stays, the modules of memories come
    into their blocks, which then have them in their figures, and pins that nobody uses go."""
    # An assertion is no hardware, but what it looks at would stay for its sake.
    passes: tuple[str, ...] = (read, "chformal -remove", f"hierarchy -check -top {top}")
    modules = sorted({memory for _, _, memory in memory_places(text)})
    if flatten or not modules:
        return passes
    return (*passes, "proc", f"flatten {' '.join(f't:{name}' for name in modules)}")


def _flattening(family: Family, flatten: bool) -> tuple[str, ...]:
    if family.passes[0] == "synth_xilinx":
        return ("-flatten",) if flatten else ()
    return () if flatten else ("-noflatten",)


def _run(passes: tuple[str, ...], folder: Path) -> str:
    """The log."""
    path = folder / LOG_NAME
    errors = folder / "yosys.err"
    with path.open("w", encoding="utf-8") as out, errors.open("w", encoding="utf-8") as err:
        code = run_child(yosys_command(passes), cwd=folder, env=os.environ, stdout=out,
                         stderr=err.fileno())
    log = path.read_text("utf-8", errors="replace")
    if code:
        why = yosys_failure(log, errors.read_text("utf-8", errors="replace"))
        raise SynthesisError(why if why == MISSING else f"Yosys stopped: {why}")
    errors.unlink()
    return log


def _memories(log: str) -> tuple[Memory, ...]:
    found = {}
    for mapped, primitive, plain in _MAPPED.findall(log):
        if _CONSTANTS in mapped + plain:
            continue
        kind = FLIP_FLOP if plain else LUT_RAM if _DISTRIBUTED.search(primitive) else BLOCK_RAM
        found[_IN_MODULE.sub("", (mapped or plain).replace("\\", ""))] = kind
    return tuple(Memory(name, kind) for name, kind in found.items())


def _modules(stat: Mapping[str, Any], top: str, family: Family,
             taken_in: Mapping[str, int]) -> dict[str, Module]:
    """By name; ``taken_in`` are flip-flops that are no longer there."""
    cells = {name.removeprefix("\\"): {cell.removeprefix("\\"): number for cell, number
                                       in values["num_cells_by_type"].items()}
             for name, values in stat["modules"].items()}
    for name, number in taken_in.items():
        cells[name][FLIP_FLOP_CELL] -= number
    own = {name: area_of(inside, family) for name, inside in cells.items()}
    whole: dict[str, Area] = {}
    instances: Tally[str] = Tally()

    def total(name: str) -> Area:
        if name not in whole:
            area = own[name]
            for below, number in cells[name].items():
                if below in cells:
                    area += total(below) * number
            whole[name] = area
        return whole[name]

    def visit(name: str, times: int) -> None:
        instances[name] += times
        for below, number in cells[name].items():
            if below in cells:
                visit(below, times * number)

    visit(top, 1)
    return {name: Module(times, own[name], total(name)) for name, times in instances.items()}
