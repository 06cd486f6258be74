# SPDX-License-Identifier: Apache-2.0
"""The place of link-layer retry on the receive side."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import FrameWord, Verdict


class LlrReceiver(wiring.Component):
    """Stands between `LinkRx` and the parser, and lets every frame through (spec chapter 15).

    With link-layer retry it checks the sequence number of each eligible frame once its verdict
    is known, passes only the expected one, and asks for ACK and NACK ordered sets.

    Members
    -------
    i_word, i_empty, i_verdict
        From LinkRx: word and empty in t+1, verdict in t+2.
    o_word, o_empty, o_verdict
        To the parser and the ingress buffer, in the same cycles.

    Cycle behaviour
    ---------------
    Combinational.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "i_word": In(FrameWord(config)),
            "i_empty": In(config.empty_bits),
            "i_verdict": In(Verdict(config)),
            "o_word": Out(FrameWord(config)),
            "o_empty": Out(config.empty_bits),
            "o_verdict": Out(Verdict(config)),
        })

    def elaborate(self, platform):
        m = Module()
        connect(m, flipped(self.i_word), flipped(self.o_word))
        connect(m, flipped(self.i_verdict), flipped(self.o_verdict))
        m.d.comb += self.o_empty.eq(self.i_empty)
        return m
