# SPDX-License-Identifier: Apache-2.0
"""The registers that each port has."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.register_map import vc_map_reset
from gavel_rtl.block import connect, place
from gavel_rtl.interfaces import PROFILE_BITS
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
    selected
        The register addressed belongs to this port.
    control_selected, profile_selected, vc_map_selected, ecn_threshold_selected
        Offset of the register addressed.
    llr_selected
        The same for the registers of link-level retry, as in `LLR_REGISTERS`.
    we, wdata
        Write to the register addressed.
    counter
        Value of the counter addressed, 0 if none is.
    llr_status
        Value of LLR_STATUS.
    value
        Value of the register addressed if it belongs to this port, else 0.
    enable, profile, vc_map, ecn_threshold, llr
        The settings.

    Cycle behaviour
    ---------------
    A write is visible in the next cycle; ``value`` is combinational.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "selected": In(1),
            "control_selected": In(1),
            "profile_selected": In(1),
            "vc_map_selected": In(1),
            "ecn_threshold_selected": In(1),
            "llr_selected": In(len(LLR_REGISTERS)),
            "we": In(1),
            "wdata": In(REGISTER_BITS),
            "counter": In(REGISTER_BITS),
            "llr_status": In(LLR_STATUS_BITS),
            "value": Out(REGISTER_BITS),
            "enable": Out(1, init=1),
            "profile": Out(PROFILE_BITS, init=PROFILE_NAMES.index(config.profile)),
            "vc_map": Out(32, init=vc_map_reset(config)),
            "ecn_threshold": Out(16, init=config.ecn_threshold),
            "llr": Out(LlrSettings(config)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = Signal(REGISTER_BITS, name="any_value")
        llr_registers = place(m, "llr_registers", LlrRegisters(self._config))
        connect(m, self.llr, llr_registers.settings)
        m.d.comb += [
            llr_registers.selected.eq(self.llr_selected),
            llr_registers.we.eq(self.we & self.selected),
            llr_registers.wdata.eq(self.wdata),
            llr_registers.status.eq(self.llr_status),
        ]
        total = self.counter | llr_registers.value
        for register, selected in (
            (self.enable, self.control_selected),
            (self.profile, self.profile_selected),
            (self.vc_map, self.vc_map_selected),
            (self.ecn_threshold, self.ecn_threshold_selected),
        ):
            with m.If(self.we & self.selected & selected):
                m.d.sync += register.eq(self.wdata[:len(register)])
            total = total | Mux(selected, register, 0)
        m.d.comb += [
            value.eq(total),
            self.value.eq(Mux(self.selected, value, 0)),
        ]
        return m
