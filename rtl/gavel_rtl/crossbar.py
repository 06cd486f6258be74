# SPDX-License-Identifier: Apache-2.0
"""The crossbar: words of the inputs to the outputs they are connected to."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.block import place
from gavel_rtl.interfaces import SwitchWord

_BESIDE_DATA = ("sop", "eop", "next_eop", "empty", "profile", "mark", "poisoned", "vc", "length")

SLICE_BITS = 64
"""Most bits of data that one slice switches."""


def _any(values: list[Value]) -> Value:
    """OR of all values, as a balanced tree."""
    while len(values) > 1:
        pairs = [a | b for a, b in zip(values[::2], values[1::2], strict=False)]
        values = pairs + values[len(pairs) * 2:]
    return values[0]


def _selected(connect: Sequence[Value], words: Sequence[Value], output: int) -> list[Value]:
    """For each input its word if it goes to ``output``, and 0 if not."""
    return [Mux(row[output], word, Const(0, len(word)))
            for row, word in zip(connect, words, strict=True)]


class CrossbarSlice(wiring.Component):
    """Some bits of the data of every word: P multiplexers of P inputs, one-hot AND-OR.

    The data come late, out of the buffer's memory, so they go straight into the registers and are
    selected behind them.

    Parameters
    ----------
    ports
        P.
    width
        Bits that this slice switches.

    Members
    -------
    connect
        For each input P bits, one-hot: the output that its word goes to; 0 without a word.
    i_data, o_data
        For each input and each output its bits.

    Cycle behaviour
    ---------------
    One register, and the AND-OR; 0 where no input was connected.
    """

    def __init__(self, *, ports: int, width: int):
        self._ports = ports
        self._width = width
        super().__init__({
            "connect": In(ports).array(ports),
            "i_data": In(width).array(ports),
            "o_data": Out(width).array(ports),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        data = [Signal(self._width, name=f"data_{i}") for i in range(self._ports)]
        connected = [Signal(self._ports, name=f"connected_{i}") for i in range(self._ports)]
        m.d.sync += [
            *(register.eq(word) for register, word in zip(data, self.i_data, strict=True)),
            *(register.eq(row) for register, row in zip(connected, self.connect, strict=True)),
        ]
        m.d.comb += [word.eq(_any(_selected(connected, data, j)))
                     for j, word in enumerate(self.o_data)]
        return m


class Crossbar(wiring.Component):
    """The crossbar (docs/spec.md, Crossbar); the data in equal bit slices.

    Parameters
    ----------
    config
        P and W.

    Members
    -------
    connect
        For each input P bits, one-hot: the output that its word goes to; 0 without a word.
    i_word
        For each input its word (cycle e-1).
    o_word
        For each output its word in cycle e, all members 0 without one.

    Cycle behaviour
    ---------------
    One register: before the multiplexers of the data, behind those of all else. At most one input
    connects to an output in a cycle; the scheduler sees to it.
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
        beside = [Cat(getattr(word, name) for name in _BESIDE_DATA) for word in self.i_word]
        for j, word in enumerate(self.o_word):
            m.d.sync += [
                word.valid.eq(Cat(row[j] for row in self.connect).any()),
                Cat(getattr(word, name) for name in _BESIDE_DATA).eq(
                    _any(_selected(self.connect, beside, j))),
            ]
        self._switch_data(m)
        return m

    def _switch_data(self, m: Module) -> None:
        ports, width = self._config.ports, self._config.data_width
        step = min(width, SLICE_BITS)
        for number in range(width // step):
            part = place(m, f"slice{number}", CrossbarSlice(ports=ports, width=step))
            for port in range(ports):
                m.d.comb += [
                    part.connect[port].eq(self.connect[port]),
                    part.i_data[port].eq(self.i_word[port].data.word_select(number, step)),
                    self.o_word[port].data.word_select(number, step).eq(part.o_data[port]),
                ]
