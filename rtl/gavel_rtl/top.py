# SPDX-License-Identifier: Apache-2.0
"""The top level: the switch with an adapter at every port and one at the registers."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from amaranth.hdl import Const, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.top_options import TopOptions, xgmii_config
from gavel_rtl.axi_lite import AxiLite, AxiLiteBus
from gavel_rtl.axi_stream_port import AxiStreamPort
from gavel_rtl.block import place
from gavel_rtl.interfaces import LINK_MEMBERS, READY_MEMBERS, RegisterPort
from gavel_rtl.rx_crossing import RxCrossing
from gavel_rtl.switch import Switch, port_pins, register_pins, telemetry_pins
from gavel_rtl.tested_switch import TestedSwitch
from gavel_rtl.tx_crossing import TxCrossing
from gavel_rtl.word_join import WordJoin
from gavel_rtl.word_split import WordSplit
from gavel_rtl.xgmii_port import XgmiiPort

SWITCH = "switch"
"""Instance name of the switch."""

_ADAPTERS = {"xgmii": XgmiiPort, "axi_stream": AxiStreamPort}
"""Adapters by the name of their pins. Each has the members ``rx``, ``tx`` towards the switch, and
its ``pins``."""


def _link(component: wiring.Component, prefix: str) -> SimpleNamespace:
    """The flat pins of a component as a link."""
    return SimpleNamespace(**{name: getattr(component, f"{prefix}_{name}")
                              for name in (*LINK_MEMBERS, *READY_MEMBERS)
                              if hasattr(component, f"{prefix}_{name}")})


def _drive(m: Module, target: Any, source: Any, names: Iterable[str]) -> None:
    m.d.comb += [getattr(target, name).eq(getattr(source, name)) for name in names]


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
    ``axi_lite`` the channels of `AxiLite` as ``s_axil_*``, else ``reg_*``. With ``telemetry`` its
    pins, ``irq`` and ``m_axis_telemetry_*``. With ``crossing`` an event of `RxCrossing` more for
    each port, ``p<i>_rx_overflow``; the pins of port i are then of clock domains ``p<i>_rx`` and
    ``p<i>_tx``, all others of ``sync``. A switch that is wider than XGMII has `WordJoin` and
    `WordSplit` between the two.

    Cycle behaviour
    ---------------
    That of the blocks: docs/spec.md, docs/xgmii.md, docs/axi_stream.md,
    docs/axi_lite.md, docs/clocks.md, docs/width.md, docs/telemetry.md.

    Raises
    ------
    ConfigError
        If the switch cannot have these surroundings.
    """

    def __init__(self, config: SwitchConfig, options: TopOptions):
        self._options = options
        self.clock_domains = ("sync", *options.clocks(config.ports))
        self._config = options.switch_config(config)
        members: dict[str, wiring.Member] = {}
        for number in range(config.ports):
            members |= self._port_members(number)
        if options.registers == "axi_lite":
            members |= {f"s_axil_{name}": wiring.Member(member.flow.flip(), member.shape)
                        for name, member in AxiLiteBus().members.items()}
        else:
            members |= register_pins()
        if options.telemetry:
            members |= telemetry_pins()
        super().__init__(members)

    def _port_members(self, number: int) -> dict[str, wiring.Member]:
        options = self._options
        if options.ports == "segment":
            pins = port_pins(self._config, number)
        else:
            of_adapter = _ADAPTERS[options.ports].pins(self._config)
            pins = {f"p{number}_{name}": member for name, member in of_adapter.items()}
        return pins | {f"p{number}_rx_overflow": Out(1)} if options.crossing else pins

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, options = self._config, self._options
        kind = TestedSwitch if options.self_test else Switch
        # With it the self-test stands between adapter and switch.
        ready_known = (options.ports == "xgmii" and not options.self_test
                       and XgmiiPort.has_slice(config, crossing=options.crossing))
        switch = place(m, SWITCH, kind(
            config, with_protect=options.ports == "xgmii", telemetry=options.telemetry,
            **({"ready_known": True} if ready_known else {})))
        for number in range(config.ports):
            rx, tx, wanted, known = self._outside(m, number)
            for name, value in known.items() if ready_known else ():
                m.d.comb += getattr(switch, f"p{number}_{name}").eq(value)
            switch_rx, switch_tx = (_link(switch, f"p{number}_{side}") for side in ("rx", "tx"))
            if options.crossing:
                settings = getattr(switch, f"p{number}_protect", Const(0))
                rx, tx = self._crossings(m, number, rx, tx, wanted.get("protect", ()), settings)
            else:
                m.d.comb += [pin.eq(getattr(switch, f"p{number}_{name}"))
                             for name, pins in wanted.items() for pin in pins]
            _drive(m, switch_rx, rx, LINK_MEMBERS)
            _drive(m, tx, switch_tx, LINK_MEMBERS)
            _drive(m, switch_tx, tx, READY_MEMBERS)
        self._registers(m, switch)
        for name in telemetry_pins() if options.telemetry else ():
            self._pin(m, name, getattr(switch, name))
        return m

    def _outside(self, m: Module, number: int,
                 ) -> tuple[Any, Any, dict[str, tuple[Value, ...]], dict[str, Value]]:
        """Where words come from and go to, and for which pins the adapter wants settings of the
        switch, if there is one, by their names there; what it knows for the switch, likewise."""
        config, options = self._config, self._options
        if options.ports == "segment":
            return _link(self, f"p{number}_rx"), _link(self, f"p{number}_tx"), {}, {}
        known = {}
        if options.ports == "xgmii":
            adapter = XgmiiPort(xgmii_config(config), crossing=options.crossing)
            if XgmiiPort.has_slice(config, crossing=options.crossing):
                known["ready_next"] = adapter.tx_ready_next
            wanted = {"protect": (adapter.rx_protect, adapter.tx_protect)}
            if not options.crossing:
                wanted["up_next"] = (adapter.tx_up_next,)
        else:
            adapter = AxiStreamPort(config, strip=options.fcs == "strip",
                                    crossing=options.crossing)
            wanted = {}
        place(m, f"port{number}_{options.ports}", adapter, self._domains(number))
        for name in adapter.pins(config):
            self._pin(m, f"p{number}_{name}", getattr(adapter, name))
        return adapter.rx, adapter.tx, wanted, known

    def _domains(self, number: int) -> dict[str, str] | None:
        """Clock domains of a port."""
        if not self._options.crossing:
            return None
        return {side: f"p{number}_{side}" for side in ("rx", "tx")}

    def _crossings(self, m: Module, number: int, rx: Any, tx: Any, protect: tuple[Value, ...],
                   settings: Value) -> tuple[Any, Any]:
        """Puts a crossing between the two ends of each direction; returns those of the switch."""
        domains = self._domains(number)
        config, slices = self._config, self._options.slices(self._config)
        receive = place(m, f"port{number}_rx_crossing", RxCrossing(config, joined=slices > 1),
                        domains)
        transmit = place(m, f"port{number}_tx_crossing", TxCrossing(config, slices=slices), domains)
        if slices > 1:
            rx, tx = self._widened(m, number, rx, tx)
        _drive(m, receive.port, rx, LINK_MEMBERS)
        _drive(m, tx, transmit.port, LINK_MEMBERS)
        _drive(m, transmit.port, tx, READY_MEMBERS)
        m.d.comb += [receive.core_protect.eq(settings), transmit.core_protect.eq(settings),
                     getattr(self, f"p{number}_rx_overflow").eq(receive.overflow)]
        for pin, crossing in zip(protect, (receive, transmit), strict=False):
            m.d.comb += pin.eq(crossing.port_protect)
        return receive.core, transmit.core

    def _widened(self, m: Module, number: int, rx: Any, tx: Any) -> tuple[Any, Any]:
        """Both ends of an adapter as wide as the switch."""
        join = place(m, f"port{number}_word_join", WordJoin(self._config),
                     {"sync": f"p{number}_rx"})
        split = place(m, f"port{number}_word_split", WordSplit(self._config),
                      {"sync": f"p{number}_tx"})
        _drive(m, join.i_link, rx, LINK_MEMBERS)
        _drive(m, tx, split.o_link, LINK_MEMBERS)
        _drive(m, split.o_link, tx, READY_MEMBERS)
        return join.o_link, split.i_link

    def _pin(self, m: Module, name: str, inner: Value) -> None:
        """Connects a pin to what stands behind it."""
        pin, inner = Value.cast(getattr(self, name)), Value.cast(inner)
        is_input = self.signature.members[name].flow is In
        m.d.comb += inner.eq(pin) if is_input else pin.eq(inner)

    def _registers(self, m: Module, switch: Switch) -> None:
        if self._options.registers == "plain":
            for name in register_pins():
                self._pin(m, name, getattr(switch, name))
            return
        axi_lite = place(m, "axi_lite", AxiLite(self._config, self._options.address_maps))
        for name in AxiLiteBus().members:
            self._pin(m, f"s_axil_{name}", getattr(axi_lite.axil, name))
        for name, member in RegisterPort().members.items():
            pin, signal = getattr(switch, f"reg_{name}"), getattr(axi_lite.bus, name)
            m.d.comb += pin.eq(signal) if member.flow is Out else signal.eq(pin)
