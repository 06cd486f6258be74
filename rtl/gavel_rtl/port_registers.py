# SPDX-License-Identifier: Apache-2.0
"""The registers that each port has."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.register_map import CELL_LIMIT_BITS, CLASS_FROM_SHIFT, vc_map_reset
from gavel_rtl.block import connect, place
from gavel_rtl.flow_interfaces import FlowSelect, FlowSettings
from gavel_rtl.flow_registers import PORT_NUMBER_BITS, FlowRegisters
from gavel_rtl.interfaces import CLASS_FROM_BITS, PROFILE_BITS, VC_MATCH_BITS
from gavel_rtl.llr_interfaces import LlrSettings
from gavel_rtl.llr_registers import LLR_REGISTERS, LLR_STATUS_BITS, REGISTER_BITS, LlrRegisters


class PortRegisters(wiring.Component):
    """Settings of one port, and its part of the read multiplexer (docs/spec.md, Registers).

    Parameters
    ----------
    config
        Reset values.

    Members
    -------
    number
        Number of the port.
    selected
        The register addressed belongs to this port.
    control_selected, profile_selected, vc_map_selected, ecn_threshold_selected
        Offset of the register addressed.
    llr_selected
        The same for the registers of link-level retry, as in `LLR_REGISTERS`.
    flow_select
        The same for those of flow control.
    we, wdata
        Write to the register addressed.
    counter
        Value of the counter addressed, 0 if none is.
    llr_status
        Value of LLR_STATUS.
    flow_status
        Value of the read-only register of flow control addressed, 0 if none is.
    value
        Value of the register addressed if it belongs to this port, else 0.
    The others are settings, as in `gavel_rtl.interfaces.PortSettings`.

    Cycle behaviour
    ---------------
    A write is visible in the next cycle; ``value`` is combinational.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        vcs = config.vcs
        super().__init__({
            "number": In(PORT_NUMBER_BITS),
            "selected": In(1),
            "control_selected": In(1),
            "profile_selected": In(1),
            "vc_map_selected": In(1),
            "ecn_threshold_selected": In(1),
            "llr_selected": In(len(LLR_REGISTERS)),
            "flow_select": In(FlowSelect(config)),
            "we": In(1),
            "wdata": In(REGISTER_BITS),
            "counter": In(REGISTER_BITS),
            "llr_status": In(LLR_STATUS_BITS),
            "flow_status": In(REGISTER_BITS),
            "value": Out(REGISTER_BITS),
            "enable": Out(1, init=1),
            "profile": Out(PROFILE_BITS, init=PROFILE_NAMES.index(config.profile)),
            "class_from": Out(CLASS_FROM_BITS),
            "vc_map": Out(32, init=vc_map_reset(config)),
            "vc_match": Out(VC_MATCH_BITS).array(vcs),
            "vc_limit": Out(CELL_LIMIT_BITS).array(vcs),
            "vc_weights": Out(32),
            "strict": Out(vcs),
            "ecn_threshold": Out(16, init=config.ecn_threshold),
            "llr": Out(LlrSettings(config)),
            "flow": Out(FlowSettings(config)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = Signal(REGISTER_BITS, name="any_value")
        llr_registers = place(m, "llr_registers", LlrRegisters(self._config))
        flow_registers = place(m, "flow_registers", FlowRegisters(self._config))
        connect(m, self.llr, llr_registers.settings)
        connect(m, self.flow, flow_registers.settings)
        connect(m, flow_registers.select, self.flow_select)
        m.d.comb += [
            llr_registers.selected.eq(self.llr_selected),
            llr_registers.we.eq(self.we & self.selected),
            llr_registers.wdata.eq(self.wdata),
            llr_registers.status.eq(self.llr_status),
            flow_registers.number.eq(self.number),
            flow_registers.we.eq(self.we & self.selected),
            flow_registers.wdata.eq(self.wdata),
            self.vc_weights.eq(flow_registers.vc_weights),
            self.strict.eq(flow_registers.strict),
        ]
        for vc in range(self._config.vcs):
            m.d.comb += [
                self.vc_match[vc].eq(flow_registers.vc_match[vc]),
                self.vc_limit[vc].eq(flow_registers.vc_limit[vc]),
            ]
        total = self.counter | self.flow_status | llr_registers.value | flow_registers.value
        for register, selected, low in (
            (self.enable, self.control_selected, 0),
            (self.profile, self.profile_selected, 0),
            (self.class_from, self.profile_selected, CLASS_FROM_SHIFT),
            (self.vc_map, self.vc_map_selected, 0),
            (self.ecn_threshold, self.ecn_threshold_selected, 0),
        ):
            with m.If(self.we & self.selected & selected):
                m.d.sync += register.eq(self.wdata[low:low + len(register)])
            total = total | Mux(selected, Cat(Const(0, low), register), 0)
        m.d.comb += [
            value.eq(total),
            self.value.eq(Mux(self.selected, value, 0)),
        ]
        return m
