# SPDX-License-Identifier: Apache-2.0
"""What can be read of a port's flow control."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import CREDIT_BITS, CbfcStatus, Port
from gavel_rtl.flow_interfaces import VC_COUNTS, FlowSelect
from gavel_rtl.lib.one_hot import select
from gavel_rtl.register_fields import REGISTER_BITS


class FlowStatus(wiring.Component):
    """Read-only registers of flow control (docs/flow_control.md, Settings).

    Parameters
    ----------
    config
        V, B.

    Members
    -------
    select
        The register addressed.
    waiting, paused, xoff
        Bits of CBFC_STATUS.
    consumed, used, received, stored, vc_cells
        Of each VC; S_CF and R_CF are differences of these.
    value
        Value of the register addressed, 0 if it is none of these.

    Cycle behaviour
    ---------------
    Combinational.
    """

    def __init__(self, config: SwitchConfig):
        vcs = config.vcs
        super().__init__({
            "select": In(FlowSelect(config)),
            "waiting": In(vcs),
            "paused": In(vcs),
            "xoff": In(vcs),
            "consumed": In(CREDIT_BITS).array(vcs),
            "used": In(CREDIT_BITS).array(vcs),
            "received": In(CREDIT_BITS).array(vcs),
            "stored": In(CREDIT_BITS).array(vcs),
            "vc_cells": In(config.count_bits).array(vcs),
            "value": Out(REGISTER_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        consumed, used, received, stored, cells = (self._of_vc(m, name) for name in (
            "consumed", "used", "received", "stored", "vc_cells"))
        sender_freed, receiver_freed = Signal(CREDIT_BITS), Signal(CREDIT_BITS)
        m.d.comb += [
            sender_freed.eq(consumed - used),
            receiver_freed.eq(received - stored),
        ]
        counts = {
            Port.CBFC_S_CC: consumed,
            Port.CBFC_S_CF: sender_freed,
            Port.CBFC_R_CC: received,
            Port.CBFC_R_CF: receiver_freed,
            Port.VC_CELLS: cells,
        }
        gap = Const(0, CbfcStatus.PAUSED - CbfcStatus.WAITING - len(self.waiting))
        m.d.comb += self.value.eq(select([
            *((self.select.vc_count[n], counts[register]) for n, register in enumerate(VC_COUNTS)),
            (self.select.status, Cat(self.waiting, gap, self.paused, gap, self.xoff)),
        ]))
        return m

    def _of_vc(self, m: Module, name: str) -> Signal:
        """The element of the VC addressed."""
        values: list[Value] = getattr(self, name)
        chosen = Signal(len(Value.cast(values[0])), name=f"{name}_of_vc")
        m.d.comb += chosen.eq(select(list(zip(self.select.vc, values, strict=True))))
        return chosen
