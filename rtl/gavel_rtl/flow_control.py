# SPDX-License-Identifier: Apache-2.0
"""Credits and priority flow control: their place beside the scheduler."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig


class FlowControl(wiring.Component):
    """Lets every VC of every output send.

    Here the credit counters and pause timers stand when the link layer has them
    (docs/spec.md, Places kept for the link layer).

    Parameters
    ----------
    config
        P and V.

    Members
    -------
    mac_control
        Bit i: input i consumed a MAC Control frame in this cycle.
    allow
        P*V bits: output j may send a frame of VC v.

    Cycle behaviour
    ---------------
    Constant, no state.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({"mac_control": In(config.ports), "allow": Out(config.voqs)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.allow.eq(~0)
        return m
