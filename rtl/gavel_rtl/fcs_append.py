# SPDX-License-Identifier: Apache-2.0
"""Puts the frame check sequence behind frames that come without."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_rtl.interfaces import RxLink
from gavel_rtl.lib.crc import CRC_BITS, INITIAL, crc32_retreat, crc32_step

QUEUE_WORDS = 16
"""Words that wait while FCS take words of their own."""


class FcsAppend(wiring.Component):
    """Appends the FCS to the frames of receive pins (docs/axi_stream.md, FcsAppend).

    The CRC is that of whole words, unused lanes 0; for the FCS it is taken back by the unused
    lanes, half of their number's bits in each of two stages.

    Parameters
    ----------
    config
        W.

    Members
    -------
    i_link, o_link
        Receive pins without, and with, the FCS. ``llr``, ``seq`` and ordered sets are 0.
    overflow
        In the cycle before, a word was lost.

    Cycle behaviour
    ---------------
    A word in c is shown in c+4, later if frames before it need a word more. ``up`` is not delayed.
    Nothing is held after reset.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "i_link": In(RxLink(config)),
            "o_link": Out(RxLink(config)),
            "overflow": Out(1),
        })
        self._word = data.StructLayout({
            "sop": 1, "eop": 1, "err": 1, "empty": config.empty_bits, "data": config.data_width,
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = self._queue = SyncFIFO(width=self._word.size, depth=QUEUE_WORDS)
        self._accept(m)
        # Between the stages: one of them holds a last word whose FCS does not fit.
        self._stall = Signal(name="stall")
        self._rest = Signal(name="rest")
        m.d.comb += self._queue.r_en.eq(~self._stall)
        m.d.sync += self._rest.eq(self._stall)
        self._show(m, *self._stages(m))
        return m

    def _accept(self, m: Module) -> None:
        """Words go into the queue; behind a lost one the rest of its frame is marked."""
        link, queue = self.i_link, self._queue
        entry = Signal(self._word)
        lost = Signal()
        m.d.comb += [
            entry.sop.eq(link.sop),
            entry.eop.eq(link.eop),
            entry.err.eq(link.err | (lost & ~link.sop)),
            entry.empty.eq(link.empty),
            entry.data.eq(link.data),
            queue.w_data.eq(entry),
            queue.w_en.eq(link.valid),
        ]
        m.d.sync += self.overflow.eq(link.valid & ~queue.w_rdy)
        with m.If(link.valid):
            m.d.sync += lost.eq(~queue.w_rdy)

    def _stages(self, m: Module) -> tuple[Signal, Value, Signal]:
        """B, C and D; of D whether it holds a word, the word, and its turned FCS."""
        word = self._word(self._queue.r_data)
        valid, words = [], []
        for stage in "bcd":
            valid.append(Signal(name=f"valid_{stage}"))
            words.append(Signal(self._word, name=f"word_{stage}"))
        b, c, d = words
        crc = Signal(CRC_BITS)
        crc_before = Signal(CRC_BITS)
        crc_c = Signal(CRC_BITS)
        fcs = Signal(CRC_BITS)
        half = (self._config.empty_bits + 1) // 2
        bits = range(self._config.empty_bits)
        behind_last = Signal()
        m.d.comb += crc_before.eq(Mux(word.sop | behind_last, INITIAL, crc))
        near = self._taken_back(m, "near", crc, b.empty, bits[:half])
        far = self._taken_back(m, "far", crc_c, c.empty, bits[half:])
        turned = Signal(CRC_BITS)
        with m.Switch(c.empty[:2]):
            for turn in range(FCS_BYTES):
                with m.Case(turn):
                    # Lane n can only hold FCS byte (n + empty) mod 4.
                    m.d.comb += turned.eq((~far).rotate_right(8 * turn))
        with m.If(~self._stall):
            m.d.sync += [
                Cat(valid).eq(Cat(self._queue.r_rdy, valid)),
                b.eq(word), c.eq(b), d.eq(c), crc_c.eq(near), fcs.eq(turned),
            ]
            with m.If(self._queue.r_rdy):
                m.d.sync += [
                    crc.eq(crc32_step(crc_before, word.data)),
                    behind_last.eq(word.eop),
                ]
        return valid[-1], d, fcs

    @staticmethod
    def _taken_back(m: Module, name: str, state: Signal, empty: Value,
                    bits: Sequence[int]) -> Signal:
        """The CRC register ``state`` before the unused lanes, as far as these bits of their number
        tell."""
        for bit in bits:
            earlier = Signal(CRC_BITS, name=f"{name}_{bit}")
            m.d.comb += earlier.eq(Mux(empty[bit], crc32_retreat(state, 1 << bit), state))
            state = earlier
        return state

    def _show(self, m: Module, valid: Signal, word: Value, fcs: Signal) -> None:
        link, lanes = self.o_link, self._config.word_bytes
        fits = Signal()
        last = Signal()
        # Counted from the highest lane down, the FCS stands in lanes empty-4...empty-1; what
        # passes the highest lane stands in the lowest lanes of a word of its own.
        from_top = Signal(lanes + FCS_BYTES)
        m.d.comb += [
            from_top.eq(((1 << FCS_BYTES) - 1) << word.empty),
            fits.eq(word.empty >= FCS_BYTES),
            last.eq(valid & word.eop),
            self._stall.eq(last & ~fits & ~self._rest),
            link.valid.eq(valid),
            link.sop.eq(valid & word.sop & ~self._rest),
            link.eop.eq(last & (fits | self._rest)),
            link.err.eq(valid & word.err & ~self._rest),
            link.empty.eq(Mux(link.eop, word.empty - FCS_BYTES, 0)),
            link.up.eq(self.i_link.up),
        ]
        in_word = Cat(reversed(from_top[FCS_BYTES:]))
        in_rest = Cat(reversed(from_top[:FCS_BYTES]))
        for lane in range(lanes):
            part = fcs.word_select(lane % FCS_BYTES, 8)
            here = Mux(last & in_word[lane], part, word.data.word_select(lane, 8))
            rest = Mux(in_rest[lane], part, 0) if lane < FCS_BYTES else 0
            m.d.comb += link.data.word_select(lane, 8).eq(Mux(self._rest, rest, here))
