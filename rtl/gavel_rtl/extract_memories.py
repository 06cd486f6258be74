# SPDX-License-Identifier: Apache-2.0
"""Puts instances of memory modules in the places of a netlist's memories."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.back import rtlil
from amaranth.hdl import Fragment
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring

from gavel_rtl.lib.collisions import NO_COLLISION
from gavel_rtl.memory_module import Kind, MemoryModule, MemoryShape

_ATTRIBUTES = r"(?P<attributes>(?:  attribute .*\n)*)"
_MEMORY = re.compile(_ATTRIBUTES + r"  memory width (?P<width>\d+) size (?P<depth>\d+) "
                     r"\\(?P<name>\S+)\n", re.MULTILINE)
_PORT = re.compile(r'^(?:  attribute .*\n)*  cell \$mem(?P<side>rd|wr|init)_v2 .*\n'
                   r'    parameter \\MEMID "\\\\(?P<memory>\S+)"\n(?P<rest>(?:    .*\n)*)  end\n',
                   re.MULTILINE)
_FIELD = re.compile(r"^    (?:parameter|connect) \\(\w+) (.*)$", re.MULTILINE)
_BIT = re.compile(r"\\\S+ \[\d+\]|\S+ \[\d+\]|1'[01]")
_ALWAYS = re.compile(r"\d+'1+")
_CONSTANT = re.compile(r"\d+'[01]+")
_ZEROS = re.compile(r"\d+'0+")


@dataclass(frozen=True)
class _Port:
    """A read or write port, and its parameters and connections by name."""

    writes: bool
    fields: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields[name]


class UnknownMemoryError(ValueError):
    """A memory of which no module of `gavel_rtl.memory_module` can take the place."""


def extract_memories(module: str) -> tuple[str, list[MemoryShape]]:
    """A module in RTLIL with instances for its memories, and their shapes.

    An instance has the memory's name; the array in it is `gavel_rtl.memory_module.ARRAY`. Ports
    that read a constant address are those of probes.

    Raises
    ------
    UnknownMemoryError
        If a memory has another number of write ports than one, an enable for each of several parts
        of a word, contents, or read ports that differ in kind.
    """
    ports: dict[str, list[_Port]] = {}

    def collect(found: re.Match[str]) -> str:
        if found["side"] == "init":
            raise UnknownMemoryError(f"the memory {found['memory']} has contents")
        ports.setdefault(found["memory"], []).append(
            _Port(found["side"] == "wr", dict(_FIELD.findall(found["rest"]))))
        return ""

    memories = list(_MEMORY.finditer(module))
    if not memories:
        return module, []
    # At the end of the module all of its wires are known.
    body, end, rest = _PORT.sub(collect, _MEMORY.sub("", module)).rpartition("\nend\n")
    instances = [_instance(memory, ports.get(memory["name"], [])) for memory in memories]
    text = "\n".join(text for text, _ in instances)
    return f"{body}\n{text}{end}{rest}", [shape for _, shape in instances]


def memory_module(shape: MemoryShape) -> str:
    """A memory module in RTLIL, as Amaranth writes it."""
    module = MemoryModule(shape)
    fragment = Fragment.get(module, None)
    fragment.add_domains(*module.domains)
    ports = {name: (getattr(module, name), PortDirection.Input if member.flow is wiring.In
                    else PortDirection.Output)
             for name, member in module.signature.members.items()}
    ports |= {domain.clk.name: (domain.clk, PortDirection.Input) for domain in module.domains}
    return rtlil.convert(fragment, name=shape.name, ports=ports, emit_src=False)


def _instance(memory: re.Match[str], ports: Sequence[_Port]) -> tuple[str, MemoryShape]:
    name, depth, width = memory["name"], int(memory["depth"]), int(memory["width"])
    writes = [port for port in ports if port.writes]
    if len(writes) != 1:
        raise UnknownMemoryError(f"the memory {name} has {len(writes)} write ports, must have one")
    (write,) = writes
    reads, probes = [], []
    for port in ports:
        if not port.writes:
            is_probe = port["CLK_ENABLE"] == "0" and _CONSTANT.fullmatch(port["ADDR"])
            (probes if is_probe else reads).append(port)
    promised = any(f"\\{attribute} " in memory["attributes"] for attribute in NO_COLLISION)
    shape = MemoryShape(kind=_kind(name, write, reads, promised=promised, probed=bool(probes)),
                        reads=len(reads), depth=depth, width=width)
    pins = {"w_en": _enable(name, write["EN"]), "w_addr": write["ADDR"], "w_data": write["DATA"],
            shape.clocks[0]: write["CLK"]}
    for prefix, read in zip(shape.read_ports, reads, strict=True):
        if shape.synchronous:
            pins |= {f"{prefix}_en": read["EN"], shape.clocks[1]: read["CLK"]}
        pins |= {f"{prefix}_addr": read["ADDR"], f"{prefix}_data": read["DATA"]}
    lines = []
    for address, pin in enumerate(shape.probes):
        lines.append(f"  wire width {width} \\{name}_{pin}")
        pins[pin] = f"\\{name}_{pin}"
        lines += [f"  connect {probe['DATA']} {pins[pin]}" for probe in probes
                  if int(probe["ADDR"].partition("'")[2], 2) == address]
    kept = "".join(line for line in memory["attributes"].splitlines(keepends=True)
                   if not any(f"\\{attribute} " in line for attribute in NO_COLLISION))
    lines += [f"{kept}  cell \\{shape.name} \\{name}",
              *(f"    connect \\{pin} {signal}" for pin, signal in pins.items()), "  end"]
    return "".join(f"{line}\n" for line in lines), shape


def _kind(name: str, write: _Port, reads: Sequence[_Port], *, promised: bool,
          probed: bool) -> Kind:
    clocked = {read["CLK_ENABLE"] == "1" for read in reads}
    if clocked == {False}:
        return "lutram_probed" if probed else "lutram"
    if clocked != {True} or len(reads) != 1 or probed:
        raise UnknownMemoryError(f"the memory {name} has {len(reads)} read ports of a kind for "
                                 "which there is no module")
    (read,) = reads
    if not all(_ZEROS.fullmatch(read[reset]) for reset in ("ARST", "SRST")):
        raise UnknownMemoryError(f"the read data of the memory {name} have a reset")
    if read["CLK"] != write["CLK"]:
        return "ram_2clk"
    if promised:
        return "ram"
    return "ram_old" if _ZEROS.fullmatch(read["TRANSPARENCY_MASK"]) else "ram_new"


def _enable(name: str, enable: str) -> str:
    """The one bit that is repeated for each bit of a word."""
    if _ALWAYS.fullmatch(enable):
        return "1'1"
    bits = set(_BIT.findall(enable)) or {enable}
    if len(bits) != 1:
        raise UnknownMemoryError(f"the memory {name} writes parts of a word, must write it whole")
    return bits.pop()
