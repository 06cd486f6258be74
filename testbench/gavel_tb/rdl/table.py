# SPDX-License-Identifier: Apache-2.0
"""Writes the modules of names and the tables of the model, which need none of the tools."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

from gavel_model import register_entry
from gavel_tb.rdl.compiled import COUNTERS, Encoding, MapText, RegisterText

_WIDTH = 100
_HEAD = "# SPDX-License-Identifier: Apache-2.0"
_NAMES = '''
"""Names in ``rdl/{}.rdl``. Made from it by ``make registers``; do not edit."""

from __future__ import annotations

from enum import IntEnum

'''
_TABLE = '''
"""The registers of ``rdl/{}.rdl`` as data. Made by ``make registers``; do not edit."""

from __future__ import annotations

from gavel_model.register_entry import Field, Register

'''


def table_files(registers: MapText) -> dict[Path, str]:
    """The modules, where they stand, and their texts."""
    folder = Path(register_entry.__file__).parent
    module = registers.source.module
    return {folder / f"{module}_names.py": _names_text(registers),
            folder / f"{module}_table.py": _table_text(registers)}


def _names_text(registers: MapText) -> str:
    source = registers.source
    return "\n\n\n".join((
        _HEAD + _NAMES.format(source.name) + "\n".join(_places(registers)),
        *_addresses(registers),
        *(_enum(source.prefix, _camel(encoding.name), _encoding_text(registers, encoding),
                {name.upper(): value for name, value, _ in encoding.values})
          for encoding in registers.encodings()),
        *_layouts(source.prefix, (*registers.globals, *registers.port)),
    )) + "\n"


def _places(registers: MapText) -> Iterator[str]:
    if registers.base:
        yield f"GLOBAL_BASE = 0x{registers.base:04X}"
    if registers.port:
        yield f"PORT_BASE = 0x{registers.port_base:04X}"
        yield f"PORT_STRIDE = 0x{registers.port_stride:X}"
        yield '"""Words from the registers of a port to those of the next."""'


def _addresses(registers: MapText) -> Iterator[str]:
    source = registers.source
    once = ("Offsets of the registers that a switch has once, in words from ``GLOBAL_BASE``."
            if registers.base else "Word addresses of the registers that a switch has once.")
    yield _enum(source.prefix, "Global", once,
                {register.entry.name: register.entry.address for register in registers.globals},
                "02X" if registers.base else "04X")
    port = {register.entry.name: register.entry.address for register in registers.port}
    if registers.counters:
        port[COUNTERS] = registers.counters_at
    if port:
        yield _enum(source.prefix, source.port,
                    "Offsets of the registers that each port has, in words from its base.",
                    dict(sorted(port.items(), key=lambda item: item[1])), "02X")
    if registers.counters:
        yield _enum(source.prefix, "Counter",
                    f"Counters of a port; the register is at ``{source.prefix}{source.port}."
                    f"{COUNTERS}`` + the number.",
                    {register.entry.name: register.entry.address
                     for register in registers.counters})


def _table_text(registers: MapText) -> str:
    parts = [_rows("GLOBALS", "Registers that a switch has once.", registers.globals)]
    if registers.port:
        beside = ", beside the counters" if registers.counters else ""
        parts.append(_rows("PORT_REGISTERS", f"Registers that each port has{beside}.",
                           registers.port))
    return _HEAD + _TABLE.format(registers.source.name) + "\n".join(parts)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.lower().split("_"))


def _docstring(text: str) -> str:
    lines = textwrap.wrap(text, _WIDTH - 4 - 6)
    return "\n    ".join((f'"""{lines[0]}', *lines[1:])) + '"""'


def _enum(prefix: str, name: str, text: str, members: dict[str, int], form: str = "d") -> str:
    before = "" if form == "d" else "0x"
    lines = [f"class {prefix}{name.removeprefix(prefix)}(IntEnum):", f"    {_docstring(text)}", ""]
    lines += [f"    {member} = {before}{value:{form}}" for member, value in members.items()]
    return "\n".join(lines)


def _encoding_text(registers: MapText, encoding: Encoding) -> str:
    users = [f"``{register.entry.name}.{field.entry.name}``"
             for register in (*registers.globals, *registers.port) for field in register.fields
             if field.encoding == encoding]
    return f"Values of {', '.join(users)}."


def _layouts(prefix: str, registers: Iterable[RegisterText]) -> Iterator[str]:
    """Enumerations of the lowest bits, for registers with more than one field."""
    users: dict[str, list[RegisterText]] = {}
    for register in registers:
        if len(register.fields) > 1:
            users.setdefault(register.layout, []).append(register)
    for layout, alike in users.items():
        names = ", ".join(f"``{register.entry.name}``" for register in alike)
        yield _enum(prefix, _camel(layout), f"Lowest bits of the fields of {names}.",
                    {field.entry.name.upper(): field.entry.low for field in alike[0].fields})


def _rows(name: str, text: str, registers: tuple[RegisterText, ...]) -> str:
    lines = [f"{name} = ("]
    for register in registers:
        lines += _row(register.entry)
    return "\n".join((*lines, ")", f'"""{text}"""', ""))


def _row(entry: register_entry.Register) -> list[str]:
    begin = f'    Register("{entry.name}", 0x{entry.address:02X}, ('
    flags = "".join(f", {flag}={value}" for flag, value, usual in (
        ("writable", entry.writable, True), ("of_each_vc", entry.of_each_vc, False),
        ("needs", entry.needs and _literal(entry.needs), None),
        ("elements", entry.elements, 1), ("stride", entry.stride, 1)) if value != usual)
    calls = [_call(field) for field in entry.fields]
    short = f"{begin}{calls[0]},){flags}),"
    if len(calls) == 1 and len(short) <= _WIDTH:
        return [short]
    return [begin, *(line for call in calls for line in _wrapped(f"        {call},")),
            f"    ){flags}),"]


def _wrapped(line: str) -> list[str]:
    """A call, on two lines if need be."""
    if len(line) <= _WIDTH:
        return [line]
    at = line.rindex(", ", 0, _WIDTH)
    return [line[:at + 1], " " * (line.index("(") + 1) + line[at + 2:]]


def _call(field: register_entry.Field) -> str:
    said = [f'"{field.name}"', str(field.low)]
    for item in fields(field)[2:]:
        value = getattr(field, item.name)
        if value != item.default:
            plain = item.name in ("bits", "per_vc") and isinstance(value, int)
            digits = str(value) if plain else _literal(value)
            said.append(f"{item.name}={digits}")
    return f"Field({', '.join(said)})"


def _literal(value: register_entry.Amount | None) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return f"0x{value:X}" if value is not None and value > 9 else str(value)
