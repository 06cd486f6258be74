# SPDX-License-Identifier: Apache-2.0
"""Cells of an ingress buffer that each VC holds, and which VCs are full."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import CELL_LIMIT_BITS


class VcCells(wiring.Component):
    """Counts the cells of the frames filed and not read to their end (docs/flow_control.md,
    IngressBuffer).

    Members
    -------
    filed, filed_vc, filed_cells
        A frame is filed in this cycle (w): its VC and its cells.
    freed, freed_vc, freed_cells
        The last word of a frame was read in the cycle before (c+1): its VC and its cells.
    limit
        For each VC the cells from which on it is full.
    cells
        For each VC its cells, as visible in the cycle.
    full
        Bit v: VC v had its limit in the cycle before, by what was visible there.

    Cycle behaviour
    ---------------
    Both events of a cycle show in ``cells`` in the next one, and in ``full`` in the one after it.
    After reset no VC holds a cell, and none is full.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        vcs = config.vcs
        super().__init__({
            "filed": In(1),
            "filed_vc": In(config.vc_bits),
            "filed_cells": In(config.frame_cells_bits),
            "freed": In(1),
            "freed_vc": In(config.vc_bits),
            "freed_cells": In(config.frame_cells_bits),
            "limit": In(CELL_LIMIT_BITS).array(vcs),
            "cells": Out(config.count_bits).array(vcs),
            "full": Out(vcs),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        vcs = self._config.vcs
        gains = Signal(vcs)
        loses = Signal(vcs)
        m.d.comb += [
            gains.eq(Cat(self.filed & (self.filed_vc == vc) for vc in range(vcs))),
            loses.eq(Cat(self.freed & (self.freed_vc == vc) for vc in range(vcs))),
        ]
        # One test for all VCs spares a simulator the test for each.
        with m.If(self.filed | self.freed):
            for vc, cells in enumerate(self.cells):
                m.d.sync += cells.eq(cells + Mux(gains[vc], self.filed_cells, 0)
                                     - Mux(loses[vc], self.freed_cells, 0))
        m.d.sync += self.full.eq(Cat(cells >= limit for cells, limit in
                                     zip(self.cells, self.limit, strict=True)))
        return m
