# SPDX-License-Identifier: Apache-2.0
"""The most cells and credits of a port that were ever in use."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import CREDIT_BITS
from gavel_rtl.telemetry_interfaces import Observation


class Watermarks(wiring.Component):
    """The largest values observed since the watermarks were cleared (docs/telemetry.md, chapter 5).

    Parameters
    ----------
    config
        V, the number of cells.

    Members
    -------
    seen
        What was observed in the cycle before.
    clear
        The watermarks were cleared in the cycle before: they forget ``seen``, too.
    cells, vc_cells, credits_used
        The largest of what is called so in ``seen``.

    Cycle behaviour
    ---------------
    ``seen`` shows in the next cycle. After reset all are 0.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "seen": In(Observation(config)),
            "clear": In(1),
            "cells": Out(config.count_bits),
            "vc_cells": Out(config.count_bits).array(config.vcs),
            "credits_used": Out(CREDIT_BITS).array(config.vcs),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pairs: list[tuple[Signal, Signal]] = [
            (self.cells, self.seen.cells),
            *zip(self.vc_cells, self.seen.vc_cells, strict=True),
            *zip(self.credits_used, self.seen.credits_used, strict=True),
        ]
        for most, now in pairs:
            with m.If(self.clear):
                m.d.sync += most.eq(0)
            with m.Elif(now > most):
                m.d.sync += most.eq(now)
        return m
