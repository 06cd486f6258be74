# SPDX-License-Identifier: Apache-2.0
"""The transmit side of link-level retry: its place in the pipeline."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.interfaces import EgressWord


class LlrTransmitter(wiring.Component):
    """Passes every word on.

    Here the sequence numbers, the replay buffer and the ACK / NACK handling of link-level retry
    stand when the link layer has them (docs/spec.md, Places kept for the link layer).

    Parameters
    ----------
    config
        W.

    Cycle behaviour
    ---------------
    Combinational, no state.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({"i_word": In(EgressWord(config)), "o_word": Out(EgressWord(config))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.o_word.valid.eq(self.i_word.valid),
            self.o_word.sop.eq(self.i_word.sop),
            self.o_word.eop.eq(self.i_word.eop),
            self.o_word.empty.eq(self.i_word.empty),
            self.o_word.data.eq(self.i_word.data),
        ]
        return m
