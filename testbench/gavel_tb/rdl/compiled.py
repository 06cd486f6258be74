# SPDX-License-Identifier: Apache-2.0
"""Address maps as systemrdl-compiler reads them, independent of the numbers of ports and VCs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from pathlib import Path
from typing import Any

from gavel_model.register_entry import Amount, Field, Register
from gavel_tb.rdl.errors import RegisterToolError
from gavel_tb.rdl.maps import SWITCH, MapSource

PORT = "PORT"
COUNTERS = "COUNTERS"
WORD_BYTES = 4
NEEDED = "pip install 'gavel[registers]'"

_FEW, _MANY = 1, 8
"""Numbers of VCs: what differs between the two has a part for each VC."""

_WIDEST = {"ports": 64, "classes": _MANY}
"""Of the parameters that a map may have beside ``vcs``: all registers are there."""

_PARAMETER = re.compile(r"^(    longint unsigned )(\w+) = \w+(,?)$", re.MULTILINE)


@dataclass(frozen=True)
class Encoding:
    """Names of a field's values: name, value and text of each."""

    name: str
    values: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class FieldText:
    """A field with all that is said of it."""

    entry: Field
    text: str
    encoding: Encoding | None


@dataclass(frozen=True)
class RegisterText:
    """A register with all that is said of it; ``layout`` names the type of its fields, and
    ``access`` is ``ro``, ``rw`` or ``w1c``: a 1 that is written clears the bit."""

    entry: Register
    text: str
    layout: str
    access: str
    fields: tuple[FieldText, ...]
    sai: str | None


@dataclass(frozen=True)
class MapText:
    """All registers of a map: those that a switch has once, those of a port, its counters.

    ``base`` and ``port_base`` are word addresses, and so are all others, the globals' from
    ``base``, those of a port from the port's page, which begin ``port_stride`` words apart.
    """

    source: MapSource
    title: str
    text: str
    base: int
    globals: tuple[RegisterText, ...]
    port: tuple[RegisterText, ...]
    counters: tuple[RegisterText, ...]
    port_base: int
    port_stride: int
    counters_at: int

    def encodings(self) -> tuple[Encoding, ...]:
        """Each once, in order."""
        found = {field.encoding.name: field.encoding
                 for register in (*self.globals, *self.port) for field in register.fields
                 if field.encoding is not None}
        return tuple(found.values())


def source_folder() -> Path:
    """Where the ``.rdl`` files are."""
    return Path(str(resources.files("gavel_model").joinpath("rdl")))


def with_parameters(text: str, values: Mapping[str, int]) -> str:
    """The source of a map, with these values of its parameters."""
    return _PARAMETER.sub(
        lambda match: f"{match[1]}{match[2]} = {values[match[2]]}{match[3]}", text)


def compile_map(parameters: Mapping[str, int], folder: Path | None = None,
                source: MapSource = SWITCH) -> Any:
    """An addrmap with these parameters, as a node of systemrdl-compiler.

    Parameters
    ----------
    folder
        Of the ``.rdl`` files, if they are not ours.

    Raises
    ------
    RegisterToolError
        systemrdl-compiler is missing, or there is a mistake in the source.
    """
    try:
        from systemrdl.compiler import RDLCompiler
        from systemrdl.messages import RDLCompileError
    except ImportError as error:
        raise RegisterToolError(f"systemrdl-compiler is not installed: {NEEDED}") from error
    compiler = RDLCompiler()
    try:
        compiler.compile_file(str((folder or source_folder()) / f"{source.name}.rdl"))
        return compiler.elaborate(source.name, parameters=dict(parameters)).top
    except RDLCompileError as error:
        raise RegisterToolError(f"{source.name}.rdl: {error}") from error


def read_map(source: MapSource = SWITCH) -> MapText:
    """An address map, for any number of ports and VCs.

    Raises
    ------
    RegisterToolError
        As `compile_map`.
    """
    text = (source_folder() / f"{source.name}.rdl").read_text("utf-8")
    named = {match[2] for match in _PARAMETER.finditer(text)}
    few, many = (
        compile_map({name: value for name, value in {**_WIDEST, "vcs": vcs}.items()
                     if name in named}, source=source) for vcs in (_FEW, _MANY))
    ports = [top.get_child_by_name(PORT) for top in (few, many)]
    counters = [port and port.get_child_by_name(COUNTERS) for port in ports]
    base = few.get_property("base_address", default=0)
    return MapText(
        source=source,
        title=few.get_property("name"),
        text=_text(few),
        base=base // WORD_BYTES,
        globals=_registers(few, many),
        port=_registers(*ports),
        counters=_registers(*counters),
        port_base=(base + ports[0].raw_address_offset) // WORD_BYTES if ports[0] else 0,
        port_stride=ports[0].array_stride // WORD_BYTES if ports[0] else 1,
        counters_at=counters[0].address_offset // WORD_BYTES if counters[0] else 0,
    )


def _of(parent: Any) -> Iterator[Any]:
    """Registers right below a node, which may be None, or in a group there that stands many
    times."""
    from systemrdl.node import RegfileNode, RegNode

    for child in parent.children(unroll=False) if parent else ():
        if isinstance(child, RegNode):
            yield child
        elif isinstance(child, RegfileNode) and child.inst_name not in (PORT, COUNTERS):
            yield from _of(child)


def _text(node: Any) -> str:
    return re.sub(r"\s+", " ", node.get_property("desc") or "").strip()


def _registers(few: Any, many: Any) -> tuple[RegisterText, ...]:
    return tuple(_register(one, other) for one, other in zip(_of(few), _of(many), strict=True))


def _register(few: Any, many: Any) -> RegisterText:
    fields = tuple(_field(one, other)
                   for one, other in zip(few.fields(), many.fields(), strict=True))
    layout = few.inst.original_def.type_name or few.inst_name
    grows = few.is_array and few.n_elements != many.n_elements
    # A group is a part of its map or of the page of a port.
    group = few.parent if few.parent.inst_name not in (few.owning_addrmap.inst_name, PORT, COUNTERS
                                                       ) else None
    many_times = group or few
    return RegisterText(
        entry=Register(
            name=few.inst_name,
            address=((group.raw_address_offset if group else 0)
                     + few.raw_address_offset) // WORD_BYTES,
            fields=tuple(field.entry for field in fields),
            writable=few.has_sw_writable,
            of_each_vc=grows,
            needs=few.get_property("needs"),
            elements=many_times.n_elements if many_times.is_array and not grows else 1,
            stride=many_times.array_stride // WORD_BYTES
            if many_times.is_array and not grows else 1,
        ),
        text=_text(few),
        layout=layout.removesuffix("_t"),
        access=_access(few),
        fields=fields,
        sai=few.get_property("sai"),
    )


def _access(register: Any) -> str:
    if not register.has_sw_writable:
        return "ro"
    effects = {field.get_property("onwrite") for field in register.fields()}
    return "w1c" if {effect and effect.name for effect in effects} == {"woclr"} else "rw"


def _field(few: Any, many: Any) -> FieldText:
    per_vc = (many.width - few.width) // (_MANY - _FEW)
    reset: Amount | None = few.get_property("reset_from") or few.get_property("reset")
    encode = few.get_property("encode")
    bits: Amount = few.get_property("bits_from") or few.width - per_vc * _FEW
    return FieldText(
        entry=Field(
            name=few.inst_name, low=few.low, bits=bits, per_vc=per_vc,
            reset=None if reset is None else _amount(reset),
            at_least=_limit(few, "at_least"), at_most=_limit(few, "at_most"),
            needs=few.get_property("needs")),
        text=_text(few),
        encoding=None if encode is None else _encoding(encode),
    )


def _amount(value: Any) -> Amount:
    if isinstance(value, str) and not re.fullmatch(r"-?\d+", value):
        return value
    return int(value.value if isinstance(value, Enum) else value)


def _limit(field: Any, name: str) -> Amount | None:
    value = field.get_property(name)
    return None if value is None else _amount(value)


def _encoding(encode: Any) -> Encoding:
    return Encoding(
        encode.type_name.removesuffix("_e"),
        tuple((member.name, member.value, re.sub(r"\s+", " ", member.rdl_desc or ""))
              for member in encode))
