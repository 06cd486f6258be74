# SPDX-License-Identifier: Apache-2.0
"""The registers of a port's self-test that software writes."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import config_values
from gavel_model.selftest_map import PORT_OF, WRITABLE, SelfTestRegister
from gavel_rtl.register_fields import REGISTER_BITS, RegisterFields
from gavel_rtl.selftest_interfaces import SelfTestSettings


class SelfTestPortSettings(wiring.Component):
    """Settings of one port (docs/selftest.md, Registers).

    Parameters
    ----------
    config
        P, V, the header profile, `max_frame_bytes`.

    Members
    -------
    select
        One-hot, as in `WRITABLE`: the register addressed.
    we, wdata
        Write to it.
    settings
        As visible in the cycle.
    value
        The register addressed; 0 if none is.

    Cycle behaviour
    ---------------
    A write is visible in the next cycle; ``value`` is combinational.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "select": In(len(WRITABLE)),
            "we": In(1),
            "wdata": In(REGISTER_BITS),
            "settings": Out(SelfTestSettings(config)),
            "value": Out(REGISTER_BITS),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        values = config_values(self._config)
        fields = RegisterFields(m, self.we, self.wdata, values)
        kept = {name: fields.add(PORT_OF[name], self.select[n])
                for n, name in enumerate(WRITABLE) if PORT_OF[name].is_there(values)}
        register = SelfTestRegister
        destinations = [kept[name]["mask"] for name in (
            register.DESTINATIONS, register.DESTINATIONS_HI) if name in kept]
        for name, value in {
            "mode": kept[register.MODE]["mode"],
            "order": kept[register.ORDER]["random"],
            "destinations": Cat(destinations),
            "classes": kept[register.CLASSES]["mask"],
            "shortest": kept[register.LENGTH]["shortest"],
            "longest": kept[register.LENGTH]["longest"],
            "load": kept[register.LOAD]["load"],
            "payload": kept[register.PAYLOAD]["kind"],
            "seed": kept[register.SEED]["seed"],
            "count": kept[register.COUNT]["frames"],
            "inject_every": kept[register.INJECT]["every"],
            "inject_how": kept[register.INJECT]["how"],
        }.items():
            m.d.comb += getattr(self.settings, name).eq(value)
        m.d.comb += self.value.eq(fields.value())
        return m
