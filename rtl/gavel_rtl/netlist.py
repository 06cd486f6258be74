# SPDX-License-Identifier: Apache-2.0
"""RTLIL of a design in which each component class is converted once and instantiated by name."""

import gc
import re
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import NamedTuple
from unittest.mock import patch

from amaranth.back import rtlil
from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    Elaboratable,
    Fragment,
    Instance,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.hdl._ir import PortDirection
from amaranth.hdl._nir import Memory
from amaranth.lib import wiring

from gavel_rtl.extract_memories import extract_memories, memory_module

_MODULE = re.compile(r"^module \\(\S+)$", re.MULTILINE)
_CELL = re.compile(r"^(  cell \\)(\S+)( \\\S+)$", re.MULTILINE)
_INPUT = re.compile(r"^  wire (?:width \d+ )?input \d+ +\\(\S+)$", re.MULTILINE)
# Amaranth has signals of width 0, Verilog has not.
_NO_WIDTH = re.compile(r"^(?:  wire width 0 \\\S+|connect \\\S+ \{ *\})\n+", re.MULTILINE)
# No memory needs contents; the Verilog's own loop that clears it is shorter by a line per word.
_CLEARED = re.compile(r"^  cell \$meminit_v2 (?:(?!^  end$).*\n)*?    connect \\DATA \{ *\}\n"
                      r"(?:(?!^  end$).*\n)*?  end\n+", re.MULTILINE)
_NAMELESS = "module \\{}\n"
"""How a module is kept until it is known what it is called."""

PREFIX = "gavel_"
_DIRECTIONS = {wiring.In: PortDirection.Input, wiring.Out: PortDirection.Output}


class Emitter(rtlil.ModuleEmitter):
    """Amaranth's writer of a module, but for the contents of memories that begin with zeros: it
    makes an object of each bit, of a large switch most of all that there are."""

    def emit_memory(self, cell_idx: int, cell: Memory) -> None:
        if not any(cell.init):
            cell.init = ()
        super().emit_memory(cell_idx, cell)


_CONVERSION = RLock()
"""Held while Amaranth's module has our emitter, which another thread would take for Amaranth's."""


@contextmanager
def _quick_conversion(emitter: type[rtlil.ModuleEmitter]) -> Iterator[None]:
    """Conversion with an emitter of ours, and without the collector of cycles, which would look at
    the same millions of objects again and again, a third of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        with _CONVERSION, patch.object(rtlil, "ModuleEmitter", emitter):
            yield
    finally:
        if collects:
            gc.enable()


_MOST_OUTPUTS = 1 << 16
"""Output bits of an instance: Amaranth numbers those of a cell with 16 bits. What has more is
converted as a part of its parent."""


class Netlist(NamedTuple):
    """RTLIL text and how often each module stands in the design, the top included."""

    rtlil: str
    instances: dict[str, int]


def module_name(component: wiring.Component) -> str:
    """``gavel_`` and the class name in snake case."""
    return PREFIX + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(component).__name__).lower()


def _ports(component: wiring.Component) -> dict[str, tuple[Signal, wiring.Flow]]:
    return {
        "__".join(map(str, path)): (Value.cast(value), member.flow)
        for path, member, value in component.signature.flatten(component)
    }


def _clocking(port: str) -> Value:
    """What drives a clock or reset input: Amaranth names that of domain D ``D_clk``, ``D_rst``,
    and that of the domain ``sync`` without a prefix."""
    domain, _, kind = port.rpartition("_")
    signal = ClockSignal if kind == "clk" else ResetSignal
    return signal(domain or "sync")


def _modules(text: str) -> list[str]:
    """The modules of a design as Amaranth writes it, without what the Verilog has no use for."""
    text = _CLEARED.sub("", _NO_WIDTH.sub("", text))
    starts = [match.start() for match in _MODULE.finditer(text)]
    return [text[low:high] for low, high in zip(starts, [*starts[1:], len(text)], strict=True)]


class Library:
    """Elaboration target for `gavel_rtl.block.Block`: keeps the RTLIL of every module once.

    Parameters
    ----------
    with_sources
        The RTLIL has attributes ``src``.
    emitter
        Writes the modules.
    """

    def __init__(self, *, with_sources: bool = False,
                 emitter: type[rtlil.ModuleEmitter] = Emitter) -> None:
        self._with_sources = with_sources
        self._emitter = emitter
        self._text: dict[str, str] = {}
        self._clocking: dict[str, frozenset[str]] = {}
        self._widths: dict[str, dict[str, int]] = {}
        # Modules that are converted with their parent, by their names in it.
        self._inside: dict[str, str] = {}

    def instance(self, component: wiring.Component, name: str | None) -> Elaboratable:
        """An instance of the module of ``component``'s class, connected to its signals.

        The signals get ``name``, by default the class name, as a prefix, which tells them apart
        in the parent. With more outputs than `_MOST_OUTPUTS` it is the component itself, whose
        module has the same name.

        Raises
        ------
        ValueError
            If another component of the class has pins of other widths.
        """
        module = module_name(component)
        # An instance stands for the component, so Amaranth need not warn that it was not used.
        vars(component)["_MustUse__used"] = True
        widths = {port: len(value) for port, (value, _) in _ports(component).items()}
        if self._widths.setdefault(module, widths) != widths:
            raise ValueError(f"{module} would stand for components with pins of different widths; "
                             "make a class for each")
        prefix = name or module.removeprefix(PREFIX)
        if sum(len(value) for value, flow in _ports(component).values()
               if flow is wiring.Out) > _MOST_OUTPUTS:
            self._inside[prefix] = module
            return component
        if module not in self._clocking:
            self.add(component)
        connections: dict[str, object] = {}
        for port, (value, flow) in _ports(component).items():
            value.name = f"{prefix}__{port}"
            connections[f"{'i' if flow is wiring.In else 'o'}_{port}"] = value
        connections |= {f"i_{port}": _clocking(port) for port in sorted(self._clocking[module])}
        return Instance(module, **connections)

    def add(self, component: wiring.Component) -> str:
        """Converts ``component`` and everything below it; returns its module's name.

        A component with several clock domains names them in its attribute ``clock_domains``:
        Amaranth would find them itself, but in another order in each process.
        """
        with _quick_conversion(self._emitter):
            return self._add(component)

    def _add(self, component: wiring.Component) -> str:
        name = module_name(component)
        ports = {port: (value, _DIRECTIONS[flow])
                 for port, (value, flow) in _ports(component).items()}
        fragment = Fragment.get(component, self)
        for domain in map(ClockDomain, getattr(component, "clock_domains", ())):
            fragment.add_domains(domain)
            ports |= {signal.name: (signal, PortDirection.Input)
                      for signal in (domain.clk, domain.rst)}
        text = rtlil.convert(fragment, name=name, ports=ports, emit_src=self._with_sources)
        parts = [self._without_memories(part) for part in _modules(text)]
        self._clocking[name] = frozenset(_INPUT.findall(parts[0])) - set(_ports(component))
        self._keep(parts)
        return name

    def _without_memories(self, module: str) -> str:
        """The module with instances for its memories, whose modules are kept."""
        text, shapes = extract_memories(module)
        for shape in shapes:
            if shape.name not in self._text:
                (own,) = _modules(memory_module(shape))
                if shape.kind == "ram_new":
                    own = self._without_memories(own)
                self._text[shape.name] = own.replace(f"module \\{shape.name}\n", _NAMELESS, 1)
        return text

    def _keep(self, parts: list[str]) -> None:
        """Names the modules inside a component, merging equal ones; the lowest come last."""
        renamed: dict[str, str] = {}
        for part in reversed(parts):
            match = _MODULE.search(part)
            assert match is not None
            old = match[1]
            body = _CELL.sub(lambda cell: cell[1] + renamed.get(cell[2], cell[2]) + cell[3], part)
            renamed[old] = self._store(old, body.replace(f"module \\{old}\n", _NAMELESS, 1))

    def _store(self, old: str, body: str) -> str:
        stem = self._inside.get(old.rpartition(".")[2]) or re.sub(
            r"\d+$", "", old.replace(".", "_"))
        name, number = stem, 1
        while name in self._text and self._text[name] != body:
            number += 1
            name = f"{stem}_{number}"
        self._text[name] = body
        return name

    def netlist(self, top: str) -> Netlist:
        """All modules below ``top``, which comes first."""
        cells = {name: Tally(cell[2] for cell in _CELL.finditer(text) if cell[2] in self._text)
                 for name, text in self._text.items()}
        count: Tally[str] = Tally()

        def visit(name: str, times: int) -> None:
            count[name] += times
            for below, number in cells[name].items():
                visit(below, times * number)

        visit(top, 1)
        names = [top, *sorted(name for name in count if name != top)]
        text = "".join(self._text[name].replace(_NAMELESS, f"module \\{name}\n", 1)
                       for name in names)
        return Netlist(text, {name: count[name] for name in names})
