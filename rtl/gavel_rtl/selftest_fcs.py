# SPDX-License-Identifier: Apache-2.0
"""Puts the FCS into the frames of a self-test generator."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_rtl.fcs_lanes import fcs_lanes
from gavel_rtl.fcs_update import change_constant
from gavel_rtl.lib.crc import CRC_BITS, INITIAL, back, crc32_advance, multiply
from gavel_rtl.selftest_interfaces import BareWord

_ONES = (1 << CRC_BITS) - 1


class SelfTestFcs(wiring.Component):
    """Registers R1...R4 and O of a generator (docs/selftest.md, chapter 5).

    A frame goes through the CRC in whole words, with 0 where its FCS and what follows it stand.
    The register is kept four bytes back: behind a last word it is the complement of the FCS if no
    lane of that word is unused; for every unused lane it goes back a byte more.

    Parameters
    ----------
    config
        W.

    Members
    -------
    step
        All registers move.
    i_word
        Without FCS, to R1.
    o_word
        Register O, with FCS; ``spoilt`` means nothing.
    busy
        There is a word in R1...R4 or O.

    Cycle behaviour
    ---------------
    A word comes out five steps later. Words of a frame come in steps without a gap. After reset
    there are no words.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "step": In(1),
            "i_word": In(BareWord(config)),
            "o_word": Out(BareWord(config)),
            "busy": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        words = [BareWord(config).create(path=(f"r{n}",)) for n in range(1, 5)]
        state, fcs, last_fcs = Signal(CRC_BITS), Signal(CRC_BITS), Signal(CRC_BITS)
        columns = tuple(change_constant(config, bit, 0) for bit in range(config.data_width))
        start = back(INITIAL, 8 * FCS_BYTES)
        first, second, third, fourth = words
        before = Signal(CRC_BITS)
        m.d.comb += before.eq(Mux(first.sop, Const(start, CRC_BITS), state))
        found = self._finish(m, state, second)
        place = Signal(CRC_BITS)
        empty = Signal(config.empty_bits)
        begins = Signal()
        m.d.comb += [
            begins.eq(third.valid & third.eop & ~third.sop),
            place.eq(Mux(fourth.eop, last_fcs, Mux(begins, fcs, 0))),
            empty.eq(Mux(fourth.eop, fourth.empty, third.empty)),
            self.busy.eq(self.o_word.valid | first.valid | second.valid | third.valid
                         | fourth.valid),
        ]
        inserted = fcs_lanes(m, config.word_bytes, place, empty, fourth.eop)
        with m.If(self.step):
            m.d.sync += [
                fcs.eq(found),
                last_fcs.eq(fcs),
            ]
            with m.If(first.valid):
                m.d.sync += state.eq(crc32_advance(before, config.word_bytes)
                                     ^ multiply(first.data, columns))
            for target, source in zip((*words, self.o_word), (self.i_word, *words), strict=True):
                for name in target.signature.members:
                    value = getattr(source, name)
                    if target is self.o_word and name == "data":
                        value = value | inserted
                    m.d.sync += getattr(target, name).eq(value)
        return m

    def _finish(self, m: Module, state: Value, word: wiring.PureInterface) -> Value:
        """The FCS of a frame whose last word is ``word``."""
        for bit in range(self._config.empty_bits):
            columns = tuple(back(1 << n, 8 << bit) for n in range(CRC_BITS))
            earlier = Signal(CRC_BITS, name=f"back_{1 << bit}")
            m.d.comb += earlier.eq(Mux(word.empty[bit], multiply(state, columns), state))
            state = earlier
        return state ^ _ONES ^ word.spoilt
