# SPDX-License-Identifier: Apache-2.0
"""The switch with its self-test; wiring only."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from gavel_model.config import SwitchConfig
from gavel_rtl.block import place
from gavel_rtl.interfaces import RegisterPort, RxLink, TxLink
from gavel_rtl.register_stage import attach
from gavel_rtl.selftest import SelfTest
from gavel_rtl.switch import ADAPTER_SETTINGS, Switch, telemetry_pins


class TestedSwitch(wiring.Component):
    """A switch that can send frames to itself, with the pins of a `Switch`.

    Parameters
    ----------
    config, with_protect, telemetry
        As of `Switch`.

    Members
    -------
    As of `Switch`.

    Cycle behaviour
    ---------------
    docs/selftest.md; with every ``MODE`` 0, which is so after reset, as docs/spec.md.
    """

    def __init__(self, config: SwitchConfig, *, with_protect: bool = False,
                 telemetry: bool = False):
        self._config = config
        self._with_protect = with_protect
        self._telemetry = telemetry
        self._switch = Switch(config, with_protect=with_protect, telemetry=telemetry)
        super().__init__(dict(self._switch.signature.members))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        switch = place(m, "switch", self._switch)
        test = place(m, "self_test", SelfTest(config))
        for number in range(config.ports):
            self._port(m, switch, test, number)
            if self._with_protect:
                m.d.comb += [
                    getattr(self, pin).eq(getattr(switch, pin))
                    for pin in (f"p{number}_{name}" for name in ADAPTER_SETTINGS)]
        pins = {name: getattr(self, f"reg_{name}")
                for name, member in RegisterPort().members.items() if member.flow is Out}
        tested = attach(m, test.bus, pins, "self_test", config.register_stages)
        m.d.comb += [
            *(getattr(switch, f"reg_{name}").eq(pin) for name, pin in pins.items()),
            self.reg_rdata.eq(switch.reg_rdata | tested),
        ]
        for name, member in telemetry_pins().items() if self._telemetry else ():
            pin, inner = getattr(self, name), getattr(switch, name)
            m.d.comb += pin.eq(inner) if member.flow is Out else inner.eq(pin)
        return m

    def _port(self, m: Module, switch: Switch, test: SelfTest, number: int) -> None:
        for name in RxLink(self._config).members:
            pin = f"p{number}_rx_{name}"
            m.d.comb += [
                getattr(test.mac_rx[number], name).eq(getattr(self, pin)),
                getattr(switch, pin).eq(getattr(test.rx[number], name)),
            ]
        for name, member in TxLink(self._config).members.items():
            pin = f"p{number}_tx_{name}"
            chain = [getattr(self, pin), getattr(test.mac_tx[number], name),
                     getattr(test.tx[number], name), getattr(switch, pin)]
            if member.flow is not Out:
                chain.reverse()
            # Through the self-test its own logic leads.
            m.d.comb += [chain[0].eq(chain[1]), chain[2].eq(chain[3])]
