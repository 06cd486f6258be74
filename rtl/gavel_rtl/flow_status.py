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
    Combinational; with ``register_stages`` ``value`` is that of the cycle before. A freed count is
    a difference, and that is made behind the register.
    """

    def __init__(self, config: SwitchConfig):
        self._domain = "sync" if config.register_stages else "comb"
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
        wanted = dict(zip(VC_COUNTS, self.select.vc_count, strict=True))
        sender_freed, receiver_freed = wanted[Port.CBFC_S_CF], wanted[Port.CBFC_R_CF]
        count, less = Signal(CREDIT_BITS), Signal(CREDIT_BITS)
        gap = Const(0, CbfcStatus.PAUSED - CbfcStatus.WAITING - len(self.waiting))
        bits = Cat(self.waiting, gap, self.paused, gap, self.xoff)
        status = Signal(len(bits))
        m.d[self._domain] += [
            count.eq(select([
                (wanted[Port.CBFC_S_CC] | sender_freed, consumed),
                (wanted[Port.CBFC_R_CC] | receiver_freed, received),
                (wanted[Port.VC_CELLS], cells),
            ])),
            less.eq(select([(sender_freed, used), (receiver_freed, stored)])),
            status.eq(select([(self.select.status, bits)])),
        ]
        m.d.comb += self.value.eq((count - less)[:CREDIT_BITS] | status)
        return m

    def _of_vc(self, m: Module, name: str) -> Signal:
        """The element of the VC addressed."""
        values: list[Value] = getattr(self, name)
        chosen = Signal(len(Value.cast(values[0])), name=f"{name}_of_vc")
        m.d.comb += chosen.eq(select(list(zip(self.select.vc, values, strict=True))))
        return chosen
