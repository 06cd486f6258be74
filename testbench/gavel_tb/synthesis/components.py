# SPDX-License-Identifier: Apache-2.0
"""Single blocks as designs to synthesize, with registers around them."""

from __future__ import annotations

from typing import NamedTuple

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring

from gavel_rtl.block import place
from gavel_rtl.netlist import Library
from gavel_rtl.verilog import write_verilog


class Rtlil(NamedTuple):
    """RTLIL text and the name of its top module."""

    text: str
    top: str


class Registered(wiring.Component):  # type: ignore[misc]  # Amaranth has no types
    """A block with a register at each of its pins, so that its paths begin and end in it.

    Parameters
    ----------
    component
        The block; pins are its own.
    """

    def __init__(self, component: wiring.Component):
        self._component = component
        super().__init__(component.signature)

    def elaborate(self, platform: object) -> Module:
        """Registers, and the block between them."""
        m = Module()
        block = place(m, "block", self._component)
        outer = list(self.signature.flatten(self))
        inner = list(block.signature.flatten(block))
        for (path, member, pin), (_, _, own) in zip(outer, inner, strict=True):
            pin, own = Value.cast(pin), Value.cast(own)
            register = Signal(len(pin), name="__".join(map(str, path)) + "_register")
            if member.flow is wiring.In:
                m.d.sync += register.eq(pin)
                m.d.comb += own.eq(register)
            else:
                m.d.sync += register.eq(own)
                m.d.comb += pin.eq(register)
        return m


def block_rtlil(component: wiring.Component, *, registered: bool = True) -> Rtlil:
    """RTLIL of one block, by the writer of the whole switch.

    Parameters
    ----------
    component
        Not elaborated before.
    registered
        With `Registered` around it.
    """
    library = Library()
    top = library.add(Registered(component) if registered else component)
    return Rtlil(library.netlist(top).rtlil, top)


def block_verilog(component: wiring.Component, *, registered: bool = True) -> tuple[str, str]:
    """Verilog of one block, as it is delivered, and the name of its top module; else as
    `block_rtlil`, which says nothing of collisions in memories."""
    text, top = block_rtlil(component, registered=registered)
    return write_verilog(text), top
