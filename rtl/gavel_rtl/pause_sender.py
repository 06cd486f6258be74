# SPDX-License-Identifier: Apache-2.0
"""Pauses that we ask of the peer."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import QUANTUM_BITS
from gavel_rtl.flow_interfaces import FlowSettings


class PauseSender(wiring.Component):
    """Which VCs are to be paused, and when the peer is told (docs/flow_control.md, PFC).

    Parameters
    ----------
    config
        V, W, B.

    Members
    -------
    settings
        Registers as visible in the cycle.
    vc_cells
        Cells of each VC in the buffer.
    taken
        A PFC frame is taken in this cycle.
    xoff
        Bit v: VC v is to be paused.
    wanted
        A PFC frame is to be sent; in the cycle behind ``taken`` it means nothing.

    Cycle behaviour
    ---------------
    What ``vc_cells`` show in a cycle shows in ``xoff`` and ``wanted`` in the next, in ``wanted``
    with ``gate_stages`` = 2 in the one after it. A change of ``xoff`` that would have shown in
    ``wanted`` by the cycle of ``taken`` is told by a further frame.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "settings": In(FlowSettings(config)),
            "vc_cells": In(config.count_bits).array(config.vcs),
            "taken": In(1),
            "xoff": Out(config.vcs),
            "wanted": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        settings = self.settings
        changes, repeats = Signal(), Signal()
        changed = Signal()
        xoff = Signal(self._config.vcs, name="xoff_after")
        for vc, cells in enumerate(self.vc_cells):
            m.d.comb += xoff[vc].eq(settings.pfc_transmit[vc] & (
                (cells >= settings.xoff) | (self.xoff[vc] & (cells > settings.xon))))

        # Twice the cycles since the last frame, and how long it holds, a power of two of cycles a
        # quantum. The former may stop at the largest that the latter can be. That a frame is taken
        # is known late: ``since`` stands for 0 in the next cycle.
        shift = (QUANTUM_BITS // self._config.data_width).bit_length() - 1
        holds = Cat(Const(0, shift), settings.pfc_time)
        since = Signal(len(holds) - 1, init=-1)
        just_taken = Signal()
        after, before = xoff, self.xoff
        if self._config.gate_stages > 1:
            # From the cells to ``xoff`` is far enough.
            after, before = self.xoff, Signal.like(self.xoff, name="xoff_before")
            m.d.sync += before.eq(self.xoff)
        m.d.comb += [
            changes.eq((after ^ before).any()),
            repeats.eq(self.xoff.any() & Mux(
                just_taken, holds <= 1, Cat(Const(1, 1), since) >= holds)),
        ]
        m.d.sync += [
            just_taken.eq(self.taken),
            changed.eq(changes),
            since.eq(Mux(just_taken, 1, Mux(since.all(), since, since + 1))),
            self.xoff.eq(xoff),
            # In the cycle behind ``taken`` nobody looks: a change that came with it counts then.
            self.wanted.eq(changes | repeats | Mux(just_taken, changed, self.wanted)),
        ]
        return m
