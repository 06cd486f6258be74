# SPDX-License-Identifier: Apache-2.0
"""The top level: the switch with an adapter at every port and one at the registers."""

from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.top_options import TopOptions
from gavel_rtl.axi_lite import AxiLite, AxiLiteBus
from gavel_rtl.axi_stream_port import AxiStreamPort
from gavel_rtl.block import place
from gavel_rtl.interfaces import LINK_MEMBERS, RegisterPort
from gavel_rtl.switch import Switch, port_pins, register_pins
from gavel_rtl.tested_switch import TestedSwitch
from gavel_rtl.xgmii_port import XgmiiPort

SWITCH = "switch"
"""Instance name of the switch."""

_ADAPTERS = {"xgmii": XgmiiPort, "axi_stream": AxiStreamPort}
"""Adapters by the name of their pins. Each has the members ``rx``, ``tx`` towards the switch, and
its ``pins``."""


class Top(wiring.Component):
    """The switch and what stands around it; wiring only.

    Parameters
    ----------
    config
        The switch.
    options
        Its surroundings.

    Members
    -------
    Flat names, ``p<i>_`` before those of a port: with ``ports`` = ``segment`` the pins of the
    switch, else those of the adapter (`XgmiiPort`, `AxiStreamPort`). With ``registers`` =
    ``axi_lite`` the channels of `AxiLite` as ``s_axil_*``, else ``reg_*``.

    Cycle behaviour
    ---------------
    That of the blocks: docs/spec.md, docs/xgmii.md, docs/axi_stream.md,
    docs/axi_lite.md.

    Raises
    ------
    ConfigError
        If the switch cannot have these surroundings.
    """

    def __init__(self, config: SwitchConfig, options: TopOptions):
        self._options = options
        self._config = options.switch_config(config)
        members: dict[str, wiring.Member] = {}
        for number in range(config.ports):
            members |= self._port_members(number)
        if options.registers == "axi_lite":
            members |= {f"s_axil_{name}": wiring.Member(member.flow.flip(), member.shape)
                        for name, member in AxiLiteBus().members.items()}
        else:
            members |= register_pins()
        super().__init__(members)

    def _port_members(self, number: int) -> dict[str, wiring.Member]:
        if self._options.ports == "segment":
            return port_pins(self._config, number)
        pins = _ADAPTERS[self._options.ports].pins(self._config)
        return {f"p{number}_{name}": member for name, member in pins.items()}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        kind = TestedSwitch if self._options.self_test else Switch
        switch = place(m, SWITCH, kind(self._config, with_protect=self._options.ports == "xgmii"))
        for number in range(self._config.ports):
            if self._options.ports == "segment":
                for name in self._port_members(number):
                    self._pin(m, name, getattr(switch, name))
            else:
                self._adapter(m, switch, number)
        self._registers(m, switch)
        return m

    def _pin(self, m: Module, name: str, inner: Value) -> None:
        """Connects a pin to what stands behind it."""
        pin, inner = Value.cast(getattr(self, name)), Value.cast(inner)
        is_input = self.signature.members[name].flow is In
        m.d.comb += inner.eq(pin) if is_input else pin.eq(inner)

    def _adapter(self, m: Module, switch: Switch, number: int) -> None:
        kind = self._options.ports
        if kind == "xgmii":
            adapter = XgmiiPort(self._config)
            protect = getattr(switch, f"p{number}_protect")
            m.d.comb += [adapter.rx_protect.eq(protect), adapter.tx_protect.eq(protect)]
        else:
            adapter = AxiStreamPort(self._config, strip=self._options.fcs == "strip")
        place(m, f"port{number}_{kind}", adapter)
        for name in adapter.pins(self._config):
            self._pin(m, f"p{number}_{name}", getattr(adapter, name))
        for name in LINK_MEMBERS:
            m.d.comb += [
                getattr(switch, f"p{number}_rx_{name}").eq(getattr(adapter.rx, name)),
                getattr(adapter.tx, name).eq(getattr(switch, f"p{number}_tx_{name}")),
            ]
        m.d.comb += [
            getattr(switch, f"p{number}_tx_ready").eq(adapter.tx.ready),
            getattr(switch, f"p{number}_tx_ctl_ready").eq(adapter.tx.ctl_ready),
        ]

    def _registers(self, m: Module, switch: Switch) -> None:
        if self._options.registers == "plain":
            for name in register_pins():
                self._pin(m, name, getattr(switch, name))
            return
        axi_lite = place(m, "axi_lite", AxiLite(self._config, self_test=self._options.self_test))
        for name in AxiLiteBus().members:
            self._pin(m, f"s_axil_{name}", getattr(axi_lite.axil, name))
        for name, member in RegisterPort().members.items():
            pin, signal = getattr(switch, f"reg_{name}"), getattr(axi_lite.bus, name)
            m.d.comb += pin.eq(signal) if member.flow is Out else signal.eq(pin)
