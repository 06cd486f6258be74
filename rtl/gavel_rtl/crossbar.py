# SPDX-License-Identifier: Apache-2.0
"""The crossbar: words of the inputs to the outputs they are connected to."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.block import place
from gavel_rtl.interfaces import SwitchWord

_MEMBERS = ("valid", "sop", "eop", "next_eop", "empty", "profile", "mark", "poisoned",
            "vc", "length", "data")


SLICE_BITS = 64
"""Most bits of a word that one slice switches."""


def _any(values: list[Value]) -> Value:
    """OR of all values, as a balanced tree."""
    while len(values) > 1:
        pairs = [a | b for a, b in zip(values[::2], values[1::2], strict=False)]
        values = pairs + values[len(pairs) * 2:]
    return values[0]


def _members(word: wiring.PureInterface) -> Value:
    return Cat(getattr(word, name) for name in _MEMBERS)


class CrossbarSlice(wiring.Component):
    """Some bits of every word: P multiplexers of P inputs, one-hot AND-OR.

    Parameters
    ----------
    ports
        P.
    width
        Bits of a word that this slice switches.

    Members
    -------
    connect
        For each input P bits, one-hot: the output that its word goes to; 0 without a word.
    i_word, o_word
        For each input and each output its bits.

    Cycle behaviour
    ---------------
    One register, 0 where no input is connected.
    """

    def __init__(self, *, ports: int, width: int):
        self._ports = ports
        self._width = width
        super().__init__({
            "connect": In(ports).array(ports),
            "i_word": In(width).array(ports),
            "o_word": Out(width).array(ports),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        nothing = Const(0, self._width)
        for j, word in enumerate(self.o_word):
            gated = [Mux(self.connect[i][j], self.i_word[i], nothing) for i in range(self._ports)]
            selected = Signal(self._width, name=f"selected_{j}")
            m.d.comb += selected.eq(_any(gated))
            m.d.sync += word.eq(selected)
        return m


class Crossbar(wiring.Component):
    """The crossbar (docs/spec.md, Crossbar), made of equal bit slices.

    Parameters
    ----------
    config
        P and W.

    Members
    -------
    connect
        For each input P bits, one-hot: the output that its word goes to; 0 without a word.
    i_word
        For each input its word, all members 0 without one (cycle c+1).
    o_word
        For each output the word in its register (cycle c+2).

    Cycle behaviour
    ---------------
    One register. At most one input connects to an output in a cycle; the scheduler sees to it.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "connect": In(config.ports).array(config.ports),
            "i_word": In(SwitchWord(config)).array(config.ports),
            "o_word": Out(SwitchWord(config)).array(config.ports),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports = self._config.ports
        width = len(_members(self.i_word[0]))
        slices = -(-width // SLICE_BITS)
        step = -(-width // slices)
        placed = [CrossbarSlice(ports=ports, width=step) for _ in range(slices)]
        for number, part in enumerate(placed):
            place(m, f"slice{number}", part)
            low = number * step
            for port in range(ports):
                m.d.comb += [
                    part.connect[port].eq(self.connect[port]),
                    part.i_word[port].eq(_members(self.i_word[port])[low:low + step]),
                ]
        for port in range(ports):
            m.d.comb += _members(self.o_word[port]).eq(Cat(part.o_word[port] for part in placed))
        return m
