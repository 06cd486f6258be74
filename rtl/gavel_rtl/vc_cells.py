# SPDX-License-Identifier: Apache-2.0
"""Cells of an ingress buffer that each VC holds, and which VCs are full."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import CELL_LIMIT_BITS
from gavel_rtl.lib.one_hot import select
from gavel_rtl.lib.sums import add_three


class VcCells(wiring.Component):
    """Counts the cells of the frames filed and not read to their end (docs/flow_control.md,
    IngressBuffer).

    Members
    -------
    filed, filed_vc, filed_more
        A frame is filed in this cycle (w): its VC, and its cells without one of them.
    freed, freed_vc, freed_cells
        The last word of a frame is read in this cycle (c): its VC and its cells.
    limit
        For each VC the cells from which on it is full.
    cells
        For each VC its cells, as visible in the cycle.
    full
        Bit v: VC v had its limit in the cycle before, by what was visible there.
    full_next
        ``full`` of the next cycle.

    Cycle behaviour
    ---------------
    A frame that is filed shows in ``cells`` in the next cycle, one that is freed in the one after
    that; ``full`` follows by a cycle. After reset no VC holds a cell, and none is full.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        vcs = config.vcs
        super().__init__({
            "filed": In(1),
            "filed_vc": In(config.vc_bits),
            "filed_more": In(config.frame_cells_bits),
            "freed": In(1),
            "freed_vc": In(config.vc_bits),
            "freed_cells": In(config.frame_cells_bits),
            "limit": In(CELL_LIMIT_BITS).array(vcs),
            "cells": Out(config.count_bits).array(vcs),
            "full": Out(vcs),
            "full_next": Out(vcs),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        vcs = self._config.vcs
        bits = self._config.count_bits
        gains = Signal(vcs)
        more = Signal(bits)
        m.d.comb += [
            gains.eq(Cat(self.filed & (self.filed_vc == vc) for vc in range(vcs))),
            more.eq(self.filed_more),
        ]
        losses = [Signal.like(self.freed_cells, name=f"lost_{vc}") for vc in range(vcs)]
        m.d.sync += [lost.eq(Mux(self.freed & (self.freed_vc == vc), self.freed_cells, 0))
                     for vc, lost in enumerate(losses)]
        # Whether a frame is filed is the last to come: it selects one of two sums. Of a Mux tools
        # make one sum, behind what selects its numbers.
        for vc, (cells, lost) in enumerate(zip(self.cells, losses, strict=True)):
            not_lost = Signal(bits, name=f"not_lost_{vc}")
            m.d.comb += not_lost.eq(~Cat(lost, Const(0, bits)))
            m.d.sync += cells.eq(select([
                (gains[vc], add_three(cells, more, not_lost, Const(1, 1), Const(1, 1))),
                (~gains[vc], cells - lost)]))
        m.d.comb += self.full_next.eq(Cat(cells >= limit for cells, limit in
                                          zip(self.cells, self.limit, strict=True)))
        m.d.sync += self.full.eq(self.full_next)
        return m
