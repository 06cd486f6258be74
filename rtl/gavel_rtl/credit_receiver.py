# SPDX-License-Identifier: Apache-2.0
"""Credits that frames from the peer took, and that our buffer has given back."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.ordered_set import CF_BITS
from gavel_model.register_map import COUNTERS, CREDIT_BITS, Counter
from gavel_rtl.credits import cost_bits, evenly_divided, oddly_divided
from gavel_rtl.flow_interfaces import FlowSettings
from gavel_rtl.interfaces import CountedFrame, FreedFrame
from gavel_rtl.lib.sums import add_three


class CreditReceiver(wiring.Component):
    """R_CC, ``stored`` and R_CF of each VC (docs/flow_control.md, Receiver).

    Parameters
    ----------
    config
        V, B and the longest frame.

    Members
    -------
    settings
        Registers as visible in the cycle.
    counted, freed
        From IngressBuffer, w+1 and c+1.
    vc_cells
        Cells of each VC in the buffer.
    cc_update, cc
        A CC_Update came in the cycle before, w+1, and its count for each VC.
    received, stored, released
        R_CC, ``stored``, and the low 15 bits of R_CF, which is their difference.
    count
        Counter events.

    Cycle behaviour
    ---------------
    What happens in a cycle shows in the next; lengths come a cycle before. ``released`` and
    ``count`` are combinational. A CC_Update and a frame that counts never come in one cycle. A VC
    without ``receiver`` is held at 0, ``stored`` only once the buffer has none of its frames.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        vcs = config.vcs
        super().__init__({
            "settings": In(FlowSettings(config)),
            "counted": In(CountedFrame(config)),
            "freed": In(FreedFrame(config)),
            "vc_cells": In(config.count_bits).array(vcs),
            "cc_update": In(1),
            "cc": In(CREDIT_BITS).array(vcs),
            "received": Out(CREDIT_BITS).array(vcs),
            "stored": Out(CREDIT_BITS).array(vcs),
            "released": Out(CF_BITS).array(vcs),
            "count": Out(COUNTERS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        vcs = self._config.vcs
        # Whether the size of a credit has an odd exponent.
        self._is_odd = Signal(name="is_odd")
        m.d.sync += self._is_odd.eq(self.settings.coming.receiver_exponent[0])
        self._came, self._left = (self._price(m, length, name) for length, name in (
            (self.counted.length_coming, "came"), (self.freed.length_coming, "left")))
        recovered, impossible = Signal(vcs), Signal(vcs)
        m.d.comb += [
            self.count[Counter.CBFC_RX_RECOVERED].eq(self.cc_update & recovered.any()),
            self.count[Counter.CBFC_RX_CC_ERROR].eq(self.cc_update & impossible.any()),
        ]
        for vc in range(vcs):
            self._keep(m, vc)
            missing = Signal(CREDIT_BITS, name=f"missing_{vc}")
            m.d.comb += [
                missing.eq(self.cc[vc] - self.received[vc]),
                recovered[vc].eq(self.settings.receiver[vc] & missing.any() & ~missing[-1]),
                impossible[vc].eq(self.settings.receiver[vc] & missing[-1]),
            ]
        return m

    def _price(self, m: Module, length: Value, name: str) -> Signal:
        """Half credits of a frame. Its length comes a cycle before: so do its sum with the overhead
        of this one, and the division by the even part of the exponent."""
        coming = self.settings.coming
        total = Signal(len(length) + 1, name=f"{name}_total")
        price = Signal(cost_bits(self._config) + 1, name=name)
        even, begun = evenly_divided(
            total, length, coming.receiver_overhead, coming.receiver_exponent)
        quotient, some = Signal(len(even), name=f"{name}_even"), Signal(name=f"{name}_begun")
        m.d.comb += [
            total.eq(length + coming.receiver_overhead),
            price.eq(oddly_divided(quotient, some, self._is_odd)),
        ]
        m.d.sync += [quotient.eq(even), some.eq(begun)]
        return price

    def _keep(self, m: Module, vc: int) -> None:
        """The state of one VC."""
        counted, freed = self.counted, self.freed
        received, stored = self.received[vc], self.stored[vc]
        came, left = (Signal.like(self._came, name=f"{name}_{vc}") for name in ("came", "left"))
        receiver, holds_frames = self.settings.receiver[vc], self.vc_cells[vc].any()
        m.d.comb += [
            came.eq(Mux(counted.vcs[vc], self._came, 0)),
            left.eq(Mux(freed.vcs[vc], self._left, 0)),
            self.released[vc].eq(received - stored),
        ]
        m.d.sync += received.eq(Mux(
            receiver, Mux(self.cc_update, self.cc[vc], (Cat(1, received) + came)[1:]), 0))
        filed = Signal.like(came, name=f"filed_{vc}")
        wide = [Signal(CREDIT_BITS, name=f"{name}_credits_{vc}") for name in ("filed", "left")]
        m.d.comb += [
            filed.eq(Mux(counted.filed, came, 0)),
            wide[0].eq(filed[1:]),
            wide[1].eq(left[1:]),
        ]
        with m.If(receiver | holds_frames):
            m.d.sync += stored.eq(
                add_three(stored, wide[0], ~wide[1], filed[0], ~left[0]))
        with m.Else():
            m.d.sync += stored.eq(0)
