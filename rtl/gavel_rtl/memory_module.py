# SPDX-License-Identifier: Apache-2.0
"""Memories as modules of their own, one for each kind and shape, to be replaced by macros.

Blocks declare memories as Amaranth has them; where a netlist is written,
`gavel_rtl.extract_memories` puts an instance of one of these modules in the place of each.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast, get_args

from amaranth.hdl import ClockDomain, Const, MemoryData, MemoryInstance, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_rtl.lib.collisions import NO_COLLISION

Kind = Literal["ram", "ram_old", "ram_new", "ram_2clk", "lutram", "lutram_probed"]
"""What a memory is.

``ram``
    Read data come in the next cycle. What is read of a word that is being written is not used.
``ram_old``, ``ram_new``
    Read data come in the next cycle; of a word that is being written, the old or the new one. The
    new one comes from logic beside a ``ram``.
``ram_2clk``
    As ``ram``, with a clock for writing and another one for reading.
``lutram``
    Read data come in the same cycle.
``lutram_probed``
    As ``lutram``, and a simulation's probes see all words.
"""

MEMORY_NAME = re.compile(r"gavel_(?P<family>ram|lutram)_(?P<reads>\d+)r1w(?P<more>_[a-z0-9]+?)??_"
                         r"(?P<depth>\d+)x(?P<width>\d+)\b")
"""Name of a module of this file."""

ARRAY = "array"
"""Name of what keeps the words in a module of this file."""

INSIDE = "memory"
"""Name of the module beside which a ``ram_new`` has its logic."""

_PLACES = re.compile(r"^module \\?(?P<module>\w+)(?:\(|$)|"
                     rf"^  (?:cell \\)?(?P<memory>{MEMORY_NAME.pattern}) \\?(?P<name>\w+)(?: \(|$)",
                     re.MULTILINE)
"""A module and an instance of a memory module, in RTLIL and in Verilog."""

_COLLISIONS = {
    "ram": "Of a word that is being written: anything, which is not used.",
    "ram_old": "Of a word that is being written: the old one.",
    "ram_new": "Of a word that is being written: the new one.",
    "ram_2clk": "Of a word that was written since the edge before: anything, which is not used.",
    "lutram": "Of a word that is being written: the old one.",
}


@dataclass(frozen=True, kw_only=True)
class MemoryShape:
    """What tells one memory module from another. All have one write port.

    Attributes
    ----------
    kind
        See `Kind`.
    reads
        Read ports: one, but for LUT RAM.
    depth
        Words.
    width
        Bits of a word.
    """

    kind: Kind
    reads: int
    depth: int
    width: int

    @property
    def name(self) -> str:
        """Of the module, as in ``gavel_ram_1r1w_512x72``: kind, ports, words x bits."""
        family, _, more = self.kind.partition("_")
        return f"gavel_{family}_{self.reads}r1w{more and '_'}{more}_{self.depth}x{self.width}"

    @classmethod
    def of(cls, name: str) -> "MemoryShape | None":
        """The shape that a module's name tells; None if it is no memory module."""
        found = MEMORY_NAME.fullmatch(name)
        kind = found and found["family"] + (found["more"] or "")
        if found is None or kind not in get_args(Kind):
            return None
        return cls(kind=cast(Kind, kind), reads=int(found["reads"]), depth=int(found["depth"]),
                   width=int(found["width"]))

    @property
    def synchronous(self) -> bool:
        """Read data come in the next cycle, if ``en`` was 1."""
        return self.kind.startswith("ram")

    @property
    def clocks(self) -> tuple[str, str]:
        """Of the write port and of the read ports."""
        return ("w_clk", "r_clk") if self.kind == "ram_2clk" else ("clk", "clk")

    @property
    def read_ports(self) -> tuple[str, ...]:
        """What the pins of each read port begin with."""
        return ("r",) if self.reads == 1 else tuple(f"r{n}" for n in range(self.reads))

    @property
    def probes(self) -> tuple[str, ...]:
        """Pins that show the words, by address."""
        return tuple(f"probe{address}" for address in range(self.depth)
                     ) if self.kind == "lutram_probed" else ()

    def comment(self) -> str:
        """Head of the module in Verilog: what a macro in its place has to do."""
        lines = [f"{self.depth} words of {self.width} bits.",
                 f"Write: at an edge of {self.clocks[0]} with w_en 1, w_data becomes the word at "
                 "w_addr."]
        for port in self.read_ports:
            lines.append(
                f"Read: at an edge of {self.clocks[1]} with {port}_en 1, {port}_data becomes the "
                f"word at {port}_addr; else it stays." if self.synchronous else
                f"Read: {port}_data is the word at {port}_addr, in the same cycle.")
        lines.append(_COLLISIONS[self.kind.removesuffix("_probed")])
        if self.kind == "ram_new":
            lines.append("A macro takes the place of the memory inside of this module.")
        if self.probes:
            lines.append(f"Probes: {self.probes[0]} is the word at 0, and so on, for simulations. "
                         "A macro leaves them open.")
        lines.append("Contents at the start do not matter. They are cleared for simulators.")
        return "".join(f"// {line}\n" for line in lines)


def memory_places(design: str) -> Iterator[tuple[str, str, str]]:
    """Module, name and memory module of each instance of one, in RTLIL or Verilog."""
    module = ""
    for found in _PLACES.finditer(design):
        if found["module"]:
            module = found["module"]
        else:
            yield module, found["name"], found["memory"]


class MemoryModule(wiring.Component):  # type: ignore[misc]  # Amaranth carries no types
    """The module of a shape.

    Parameters
    ----------
    shape
        Of any kind.

    Members
    -------
    w_en, w_addr, w_data
        The write port.
    r_en, r_addr, r_data
        The read port; of several, that of number n begins with ``r<n>``. LUT RAM has no enable.
    probe0, probe1, ...
        The words; of kind ``lutram_probed``.

    Attributes
    ----------
    domains
        Clock domains, which have no reset: that of the write port first.

    Cycle behaviour
    ---------------
    As `MemoryShape.comment` says.
    """

    def __init__(self, shape: MemoryShape):
        self._shape = shape
        address, word = (shape.depth - 1).bit_length(), shape.width
        members = {"w_en": In(1), "w_addr": In(address), "w_data": In(word)}
        for port in shape.read_ports:
            members |= {f"{port}_en": In(1)} if shape.synchronous else {}
            members |= {f"{port}_addr": In(address), f"{port}_data": Out(word)}
        members |= {name: Out(word) for name in shape.probes}
        super().__init__(members)
        names = ("w", "r") if shape.kind == "ram_2clk" else ("sync",)
        self.domains = tuple(ClockDomain(name, reset_less=True) for name in names)

    def elaborate(self, platform: object) -> Module:
        """The words, and what is beside them."""
        shape = self._shape
        m = Module()
        promised = NO_COLLISION if shape.kind in ("ram", "ram_new") else {}
        words = MemoryData(shape=shape.width, depth=shape.depth, init=[])
        memory = MemoryInstance(data=words, attrs=promised)
        m.submodules[INSIDE if shape.kind == "ram_new" else ARRAY] = memory
        memory.write_port(domain=self.domains[0].name, addr=self.w_addr, data=self.w_data,
                          en=self.w_en)
        domain = self.domains[-1].name if shape.synchronous else "comb"
        for port in shape.read_ports:
            enable = getattr(self, f"{port}_en") if shape.synchronous else Const(1)
            data = getattr(self, f"{port}_data")
            if shape.kind == "ram_new":
                data = self._bypass(m)
            memory.read_port(domain=domain, addr=getattr(self, f"{port}_addr"), data=data,
                             en=enable, transparent_for=())
        for index, name in enumerate(shape.probes):
            memory.read_port(domain="comb", addr=Const(index, len(self.w_addr)),
                             data=getattr(self, name), en=Const(1), transparent_for=())
        return m

    def _bypass(self, m: Module) -> Signal:
        """Shows what was written in the cycle in which the same word was read; returns what takes
        the data of the memory."""
        collided = Signal()
        written = Signal(self._shape.width)
        stored = Signal(self._shape.width)
        hit = self.w_en & (self.w_addr == self.r_addr)
        m.d.sync += [
            collided.eq(Mux(self.r_en, hit, collided)),
            written.eq(Mux(self.r_en, self.w_data, written)),
        ]
        m.d.comb += self.r_data.eq(Mux(collided, written, stored))
        return stored
