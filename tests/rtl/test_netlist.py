# SPDX-License-Identifier: Apache-2.0
"""Modules of a class that is placed more than once."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_rtl.block import place
from gavel_rtl.netlist import Library


class Repeater(wiring.Component):
    """What comes in goes out."""

    def __init__(self, bits):
        super().__init__({"i": In(bits), "o": Out(bits)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(self.i)
        return m


class Chain(wiring.Component):
    """Two of them."""

    def __init__(self, *bits):
        self._bits = bits
        super().__init__({"i": In(8), "o": Out(8)})

    def elaborate(self, platform):
        m = Module()
        last = self.i
        for number, bits in enumerate(self._bits):
            repeater = place(m, f"repeater{number}", Repeater(bits))
            m.d.comb += repeater.i.eq(last)
            last = repeater.o
        m.d.comb += self.o.eq(last)
        return m


def test_a_class_is_one_module():
    library = Library()
    assert library.netlist(library.add(Chain(8, 8))).instances["gavel_repeater"] == 2


def test_a_class_with_pins_of_two_widths_is_refused():
    with pytest.raises(ValueError, match="gavel_repeater would stand for components"):
        Library().add(Chain(8, 4))
