# SPDX-License-Identifier: Apache-2.0
"""The register between the choice of an ordered set and the set."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.ordered_set import DATA_BITS, VALUE_BITS
from gavel_model.pins import CTL_BITS
from gavel_rtl.block import place
from gavel_rtl.flow_interfaces import CreditEntries
from gavel_rtl.ordered_set import OrderedSetWriter

KIND_BITS = 3
"""Low bits of D1; a CF_Update is told apart by a bit of its own."""

_TOLD_APART = "answer", "init", "credits"
"""Kinds behind which something is counted."""


class ControlStage(wiring.Component):
    """Holds what the next ordered set says, and puts it together for LinkTx (docs/llr.md,
    ControlTransmitter, with ``control_stages`` = 1).

    Members
    -------
    chosen
        A set is chosen in this cycle; never while one is held.
    chosen_answer, chosen_init, chosen_credits
        And it is an ACK or NACK, an INIT, a CF_Update.
    is_credits, kind, value, data, credits
        What it says: `credits` if it is a CF_Update, else the three before. Taken in every cycle
        in which none is held, so it need not be known whether one is chosen, nor which.
    protect
        There is a check in the set that is loaded, as visible in the cycle.
    free
        The register of LinkTx is empty, or taken in this cycle.
    held
        The stage holds a set.
    holds_answer, holds_init, holds_credits
        And what it is, as above.
    init_waiting
        An INIT is in the stage or in the register of LinkTx.
    ctl
        The set that is held, or 0.

    Cycle behaviour
    ---------------
    What is chosen is held from the next cycle on, and to the first with ``free``, that one
    included. All outputs are of registers and of ``protect``. After reset nothing is held.
    """

    def __init__(self):
        super().__init__({
            "chosen": In(1),
            **{f"chosen_{name}": In(1) for name in _TOLD_APART},
            "is_credits": In(1),
            "kind": In(KIND_BITS),
            "value": In(VALUE_BITS),
            "data": In(DATA_BITS),
            "credits": In(CreditEntries()),
            "protect": In(1),
            "free": In(1),
            "held": Out(1),
            **{f"holds_{name}": Out(1) for name in _TOLD_APART},
            "init_waiting": Out(1),
            "ctl": Out(CTL_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held = self.held
        writer = place(m, "writer", OrderedSetWriter())
        taken = [(getattr(writer, name), getattr(self, name))
                 for name in ("kind", "is_credits", "value", "data")]
        taken += [(getattr(writer.credits, name), getattr(self.credits, name))
                  for name in CreditEntries().members]
        for shown, value in taken:
            register = Signal(len(value), name=f"{value.name}_held")
            m.d.comb += Value.cast(shown).eq(register)
            with m.If(~held):
                m.d.sync += register.eq(value)
        # Each a register of its own, since much waits for it.
        with m.If(~held | self.free):
            m.d.sync += [
                held.eq(self.chosen),
                *(getattr(self, f"holds_{name}").eq(getattr(self, f"chosen_{name}"))
                  for name in _TOLD_APART),
            ]
        shows_init = Signal()
        with m.If(self.free):
            m.d.sync += shows_init.eq(self.holds_init)
        m.d.sync += self.init_waiting.eq(
            self.chosen_init | self.holds_init | (shows_init & ~self.free))

        m.d.comb += [
            writer.protect.eq(self.protect),
            self.ctl.eq(Mux(held, writer.ctl, Const(0, CTL_BITS))),
        ]
        return m
