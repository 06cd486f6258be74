# SPDX-License-Identifier: Apache-2.0
"""Flip-flops right behind block RAM of an ECP5, taken into the block RAM's own output register.

Yosys makes every block RAM without that register; the flip-flops behind it stay in the fabric, and
the data come to them late. The register is faster than the way to them: from clock to data 1 ns
instead of more than 4. So a netlist of Yosys goes through here before nextpnr reads it.

A port's flip-flops are taken in where that changes nothing in any cycle, whatever the block RAM
does with its register beyond what is documented:

* each of its data bits that is used goes to one flip-flop, and nowhere else;
* clock, its edge and enable are the same for all, the clock that of the port;
* the port reads in each cycle, or with the enable of the flip-flops: whether its own enable holds
  the register, too, then makes no difference;
* there is no reset: that of a block RAM clears what stands in front of the register as well, and
  loses to its enable, while a flip-flop's wins;
* the flip-flops begin with 0, as the register does.
"""

from __future__ import annotations

import json
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gavel_tb.synthesis.errors import NetlistError

BLOCK_RAM_CELL = "DP16KD"
FLIP_FLOP_CELL = "TRELLIS_FF"

_BITS = 18
"""Data bits of one port."""

_WHOLE_WORD = 36
"""Width at which one word has the data bits of both ports: port B reads it."""

_RESET_CELLS = frozenset({"GSR", "SGSR"})
"""Cells that give the device a global reset, which flip-flops of Yosys do not have."""

_Cell = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TakenIn:
    """What was done to a netlist.

    Attributes
    ----------
    block_rams
        How many there are.
    registered
        How many of them have taken flip-flops in.
    flip_flops
        Flip-flops that are gone, by module. Each module counts once, as everywhere here.
    left
        Why a port of a block RAM has taken none in, and how many ports.
    """

    block_rams: int = 0
    registered: int = 0
    flip_flops: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """For people."""
        return (f"{self.registered:,} of {self.block_rams:,} block RAMs have taken in "
                f"{sum(self.flip_flops.values()):,} flip-flops")


class _LeftError(Exception):
    """A port keeps its flip-flops outside, and why."""


def take_in(netlist: dict[str, Any]) -> TakenIn:
    """Changes a netlist, as Yosys' ``write_json`` has it, in its place.

    Raises
    ------
    NetlistError
        If the width of a block RAM is no number.
    """
    modules: Mapping[str, Any] = netlist["modules"]
    has_reset = any(cell["type"] in _RESET_CELLS
                    for module in modules.values() for cell in module["cells"].values())
    block_rams = registered = 0
    left: Tally[str] = Tally()
    flip_flops: Tally[str] = Tally()
    for name, module in modules.items():
        wanted = [cell for cell in module["cells"].values() if cell["type"] == BLOCK_RAM_CELL]
        if not wanted:
            continue
        inside = _Module(module, has_reset)
        block_rams += len(wanted)
        for cell in wanted:
            taken = 0
            for port, pins in _read_ports(cell):
                try:
                    taken += inside.take_in(cell, port, pins)
                except _LeftError as why:
                    left[str(why)] += 1
            registered += bool(taken)
            flip_flops[name] += taken
    return TakenIn(block_rams=block_rams, registered=registered,
                   flip_flops={name: number for name, number in flip_flops.items() if number},
                   left=dict(left.most_common()))


def read_netlist(path: Path) -> dict[str, Any]:
    """A netlist of Yosys with block RAM.

    Raises
    ------
    OSError
        If it cannot be read.
    NetlistError
        If it is something else, or there is nothing to take flip-flops in.
    """
    try:
        netlist: Any = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise NetlistError(f"{path}: no JSON; `write_json` of Yosys writes it") from error
    modules = netlist.get("modules") if isinstance(netlist, dict) else None
    if not (isinstance(modules, dict) and all(map(_is_module, modules.values()))):
        raise NetlistError(f"{path}: no netlist of Yosys; `write_json` writes one")
    if not any(cell["type"] == BLOCK_RAM_CELL
               for module in modules.values() for cell in module["cells"].values()):
        raise NetlistError(f"{path}: no {BLOCK_RAM_CELL} in it; `synth_ecp5` of Yosys makes them "
                           "of memories that are read synchronously")
    found: dict[str, Any] = netlist
    return found


def _is_module(module: Any) -> bool:
    """It has what is looked at, of the right kinds."""
    return _has(module, "cells", "ports") and all(
        _has(cell, "parameters", "connections") and "type" in cell
        for cell in module["cells"].values()) and all(
        _has(port) and {"direction", "bits"} <= set(port) for port in module["ports"].values())


def _has(item: Any, *parts: str) -> bool:
    return isinstance(item, dict) and all(isinstance(item.get(part), dict) for part in parts)


def _read_ports(cell: _Cell) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The ports that read, and their data pins."""
    pins = {port: tuple(f"DO{port}{bit}" for bit in range(_BITS)) for port in "AB"}
    if _width(cell, "B") == _WHOLE_WORD:
        yield "B", pins["A"] + pins["B"]
    else:
        yield from pins.items()


def _width(cell: _Cell, port: str) -> int:
    value = cell["parameters"].get(f"DATA_WIDTH_{port}", _BITS)
    try:
        return int(value, 2) if isinstance(value, str) else int(value)
    except ValueError as error:
        raise NetlistError(f"DATA_WIDTH_{port} of a {BLOCK_RAM_CELL}: {value!r} is no binary "
                           "number, as Yosys writes them") from error


def _is(cell: _Cell, name: str, *values: str) -> bool:
    """A parameter is missing or has one of these values. Yosys writes a space behind a text that
    would be read as a number."""
    value = cell["parameters"].get(name)
    return value is None or str(value).strip() in values


def _pin(cell: _Cell, name: str) -> Any:
    """The net at a pin, a constant as text; None without one."""
    bits = cell["connections"].get(name)
    return bits[0] if bits else None


class _Module:
    """A module of the netlist, and where its nets go."""

    def __init__(self, module: _Cell, has_reset: bool):
        self._cells: dict[str, _Cell] = module["cells"]
        self._has_reset = has_reset
        self._users: dict[Any, list[tuple[str, str]]] = defaultdict(list)
        for name, cell in self._cells.items():
            for pin, bits in cell["connections"].items():
                # Of a cell that Yosys does not know any pin may read.
                if cell.get("port_directions", {}).get(pin) != "output":
                    for bit in bits:
                        self._users[bit].append((name, pin))
        for port in module["ports"].values():
            if port["direction"] != "input":
                for bit in port["bits"]:
                    self._users[bit].append(("", ""))
        self._kept: set[Any] = set()
        self._begin_with_1: set[Any] = set()
        for net in module.get("netnames", {}).values():
            attributes = net.get("attributes", {})
            if "keep" in attributes:
                self._kept.update(net["bits"])
            begin = reversed(str(attributes.get("init", "")))
            self._begin_with_1.update(
                bit for bit, value in zip(net["bits"], begin, strict=False) if value == "1")

    def take_in(self, ram: _Cell, port: str, pins: tuple[str, ...]) -> int:
        """Takes the flip-flops of one port in; returns how many, 0 if no data are used.

        Raises
        ------
        _LeftError
            If they have to stay where they are.
        """
        data = {pin: _pin(ram, pin) for pin in pins}
        used = {pin: net for pin, net in data.items() if self._users.get(net)}
        if not used:
            return 0
        ports = ("A", "B") if len(pins) > _BITS else (port,)
        registers = {pin: self._register(net) for pin, net in used.items()}
        found = [self._cells[name] for name in registers.values()]
        controls = {(_pin(cell, "CLK"), _is(cell, "CLKMUX", "CLK"), _enable(cell))
                    for cell in found}
        if len(controls) > 1:
            raise _LeftError("its flip-flops differ in clock or enable")
        (clock, rises, enable), = controls
        if enable in (None, "0", "x"):
            raise _LeftError("its flip-flops do what its register cannot do")
        for side in ports:
            self._check_port(ram, side, clock, rises, enable)
        for side in ports:
            ram["parameters"][f"REGMODE_{side}"] = "OUTREG"
            ram["connections"][f"OCE{side}"] = [enable]
        for pin, name in registers.items():
            ram["connections"][pin] = self._cells.pop(name)["connections"]["Q"]
        return len(registers)

    def _register(self, net: Any) -> str:
        """The flip-flop that has a net for itself."""
        users = self._users[net]
        if len(users) > 1:
            raise _LeftError("a data bit goes to more than one place")
        (name, pin), = users
        cell = self._cells.get(name)
        if cell is None or cell["type"] != FLIP_FLOP_CELL or pin != "DI":
            raise _LeftError("a data bit does not go to a flip-flop")
        if _pin(cell, "LSR") not in (None, "0", "x") or not _is(cell, "LSRMUX", "LSR"):
            raise _LeftError("its flip-flops have a reset")
        out = _pin(cell, "Q")
        if not (_is(cell, "REGSET", "RESET") and _is(cell, "GSR", "DISABLED")
                and _is(cell, "LSRMODE", "LSR") and _is(cell, "CEMUX", "CE", "1")
                and out is not None and out not in self._begin_with_1):
            raise _LeftError("its flip-flops do what its register cannot do")
        if "keep" in cell.get("attributes", {}) or self._kept & {net, out}:
            raise _LeftError("its flip-flops shall be kept")
        return name

    def _check_port(self, ram: _Cell, port: str, clock: Any, rises: bool, enable: Any) -> None:
        """Refuses a port whose register would not be what the flip-flops are."""
        if not _is(ram, f"REGMODE_{port}", "NOREG"):
            raise _LeftError("its register is in use")
        if (_pin(ram, f"CLK{port}"), _is(ram, f"CLK{port}MUX", f"CLK{port}")) != (clock, rises):
            raise _LeftError("its flip-flops have another clock")
        plain = all(_is(ram, f"{pin}{port}MUX", f"{pin}{port}") for pin in ("CE", "OCE", "RST"))
        selects = all(_pin(ram, f"CS{port}{bit}") in ("0", "1") for bit in range(3))
        in_reset = _pin(ram, f"RST{port}") not in (None, "0") or not (
            _is(ram, "GSR", "DISABLED") or (_is(ram, "GSR", "AUTO") and not self._has_reset))
        if not plain or not selects or in_reset:
            raise _LeftError("it has a reset, a select or an inverted pin")
        if _pin(ram, f"CE{port}") not in ("1", enable):
            raise _LeftError("it is read with an enable that its flip-flops do not have")


def _enable(cell: _Cell) -> Any:
    """Net of the enable of a flip-flop, "1" without."""
    value = cell["parameters"].get("CEMUX", "CE")
    return "1" if str(value).strip() == "1" else _pin(cell, "CE")
