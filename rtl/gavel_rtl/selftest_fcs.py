# SPDX-License-Identifier: Apache-2.0
"""Puts tail and FCS into the frames of a self-test generator."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.selftest_format import GROUP_BYTES
from gavel_rtl.lib.crc import CRC_BITS, INITIAL, data_columns, multiply, retreat, rows
from gavel_rtl.lib.xor_network import shared_xor
from gavel_rtl.selftest_interfaces import BareWord, MadeWord
from gavel_rtl.selftest_words import CONTINUED_BITS

_LONGEST = GROUP_BYTES - 1 + FCS_BYTES
"""Bytes of a tail and the FCS."""


class SelfTestFcs(wiring.Component):
    """Registers R1, R2 and O of a generator (docs/selftest.md, chapters 2 and 5).

    A frame goes through the CRC in whole words, with 0 from the tail on. What the register was
    before the tail is then that before this word, or that behind it as many zero bytes back as the
    word has from the tail on.

    Parameters
    ----------
    config
        W.

    Members
    -------
    step
        All registers move.
    i_word
        Without tail and FCS, to R1.
    before
        Last bits of the word in R1.
    o_word
        Register O.
    busy
        There is a word in R1, R2 or O.

    Cycle behaviour
    ---------------
    A word comes out three steps later. Words of a frame come in steps without a gap. After reset
    there are no words.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "step": In(1),
            "i_word": In(BareWord(config)),
            "before": Out(CONTINUED_BITS),
            "o_word": Out(MadeWord(config)),
            "busy": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, out = self._config, self.o_word
        first, second = (BareWord(config).create(path=(name,)) for name in ("r1", "r2"))
        before, state_before, state = (Signal(CRC_BITS, name=name) for name in (
            "crc_before", "state_before", "state"))
        mixed = Signal(config.data_width)
        m.d.comb += [
            before.eq(Mux(first.sop, INITIAL, state)),
            mixed.eq(first.data ^ before),
            self.before.eq(first.data[-CONTINUED_BITS:]),
            self.busy.eq(out.valid | first.valid | second.valid),
        ]
        end = self._end(m, second, state_before, state)
        with m.If(self.step):
            with m.If(first.valid):
                crc = shared_xor(m, mixed, rows(data_columns(len(mixed))), "crc_parts")
                m.d.sync += [state.eq(crc), state_before.eq(before)]
            for target, source in ((first, self.i_word), (second, first), (out, second)):
                for name in target.signature.members:
                    value = getattr(source, name)
                    m.d.sync += getattr(target, name).eq(
                        value | end if target is out and name == "data" else value)
        return m

    def _end(self, m: Module, word: wiring.PureInterface, before: Signal,
             state: Signal) -> Value:
        """Tail and FCS as far as they stand in the word in R2."""
        groups = self._config.word_bytes // GROUP_BYTES
        covered = state
        # Groups from the tail on, the tail's own included: all, or fewer, which go back.
        for bit in range((groups - 1).bit_length()):
            columns = tuple(retreat(1 << n, 8 * GROUP_BYTES << bit) for n in range(CRC_BITS))
            earlier = Signal(CRC_BITS, name=f"back_{GROUP_BYTES << bit}")
            m.d.comb += earlier.eq(Mux((-word.group)[bit], multiply(covered, columns), covered))
            covered = earlier
        crc = Signal(CRC_BITS)
        m.d.comb += crc.eq(before if groups == 1 else Mux(word.group == 0, before, covered))
        # Byte i of tail and FCS is byte i of the register, or 0; those of the FCS are inverted.
        inverted = Signal(_LONGEST)
        m.d.comb += inverted.eq(Const((1 << FCS_BYTES) - 1, _LONGEST) << word.tail)
        spoilt = Cat(Const(0, 3), ~word.tail[2] & word.spoilt, Const(0, 3),
                     word.tail[2] & word.spoilt)
        octets = [crc[8 * n:8 * n + 8] if n < FCS_BYTES else Const(0, 8)
                  for n in range(GROUP_BYTES)]
        here = Cat(octet ^ inverted[n].replicate(8) ^ spoilt[n]
                   for n, octet in enumerate(octets))
        beyond = Cat(inverted[n].replicate(8) for n in range(GROUP_BYTES, _LONGEST))
        parts = []
        for group in range(groups):
            part = Mux(word.has_tail & (word.group == group), here, 0)
            comes = word.has_rest if group == 0 else word.has_tail & (word.group == group - 1)
            parts.append((part | Mux(comes, beyond, 0))[:8 * GROUP_BYTES])
        return Cat(parts)
