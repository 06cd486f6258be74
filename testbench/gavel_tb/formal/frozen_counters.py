# SPDX-License-Identifier: Apache-2.0
"""Copy on write: what is read is what was counted up to the freeze, no more and no less."""

from __future__ import annotations

from amaranth.hdl import Mux, Signal

from gavel_rtl.lib.frozen_counters import FrozenCounters
from gavel_tb.formal.design import Design
from gavel_tb.formal.harness import Harness, implies

_ENTRIES, _BITS, _AMOUNT_BITS = 5, 6, 2


class FrozenCountersHarness(Harness):
    """Counter x, which may be any, beside a register that is added to and one that copies it."""

    def build(self) -> None:
        """Ghost registers, claims."""
        m = self.m
        dut = FrozenCounters(_ENTRIES, _BITS, _AMOUNT_BITS)
        design = Design(dut, self.fault)
        m.submodules.dut = design.fragment
        x = self.constant(len(dut.shown), "x")
        address, shown = (self.anything(len(dut.shown), name) for name in ("address", "shown"))
        amount, freeze = self.anything(_AMOUNT_BITS, "amount"), self.anything(1, "freeze")
        m.d.comb += [dut.address.eq(address), dut.shown.eq(shown), dut.amount.eq(amount),
                     dut.freeze.eq(freeze)]
        self.suppose((x < _ENTRIES) & (address < _ENTRIES) & (shown < _ENTRIES))

        live, frozen = Signal(_BITS), Signal(_BITS)
        after = self.let("after", _BITS, live + Mux(address == x, amount, 0))
        m.d.sync += live.eq(after)
        with m.If(freeze):
            m.d.sync += frozen.eq(after)

        self.claim("a frozen counter is what was counted up to the freeze",
                   implies(shown == x, dut.value == frozen))
        # What makes this claim inductive.
        counted, copied = (design.signal(name).bit_select(x, 1) for name in ("counted", "copied"))
        self.claim("a counter stands in the memory from when it was first added to", live == Mux(
            counted, design.word("live", x), 0))
        self.claim("what is frozen is the copy or the counter", frozen == Mux(
            copied, design.word("copies", x), live))
