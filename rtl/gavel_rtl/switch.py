# SPDX-License-Identifier: Apache-2.0
"""The switch: ports, scheduler, crossbar, registers."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.register_map import LLR_CONTROL_RESET
from gavel_model.register_names import LlrControl
from gavel_rtl.block import connect, place
from gavel_rtl.crossbar import Crossbar
from gavel_rtl.interfaces import RegisterPort, RxLink, TxLink
from gavel_rtl.observer import Observer
from gavel_rtl.port import Port
from gavel_rtl.register_stage import attach
from gavel_rtl.registers import Registers
from gavel_rtl.scheduler import Scheduler
from gavel_rtl.telemetry import Telemetry
from gavel_rtl.telemetry_stream import RecordStream


def port_pins(config: SwitchConfig, number: int) -> dict[str, wiring.Member]:
    """The pins of a port."""
    members = {f"p{number}_rx_{name}": In(member.shape)
               for name, member in RxLink(config).members.items()}
    for name, member in TxLink(config).members.items():
        members[f"p{number}_tx_{name}"] = wiring.Member(member.flow, member.shape)
    return members


def register_pins() -> dict[str, wiring.Member]:
    """The pins of the registers."""
    return {f"reg_{name}": wiring.Member(member.flow.flip(), member.shape)
            for name, member in RegisterPort().members.items()}


def telemetry_pins() -> dict[str, wiring.Member]:
    """The pins of telemetry."""
    return {"irq": Out(1)} | {
        f"m_axis_telemetry_{name}": member for name, member in RecordStream().members.items()}


ADAPTER_SETTINGS = ("protect", "up_next")
"""Pins of a port for who encodes preambles."""


class Switch(wiring.Component):
    """The whole switch: wiring, and a register for each adapter.

    Parameters
    ----------
    config
        All of it.
    with_protect
        The settings that who encodes preambles needs are pins.
    ready_known
        ``tx_ready`` is known a cycle ahead.
    telemetry
        It is watched (docs/telemetry.md).

    Members
    -------
    The pins of docs/spec.md, chapters Port pins and Registers, under their names there.

    p<i>_protect
        Bit `protect` of LLR_CONTROL of the port, as visible in the cycle: a register of its own.
    p<i>_up_next
        ``tx_up`` of the port in the next cycle.
    p<i>_ready_next
        With ``ready_known``: ``tx_ready`` of the port in the next cycle; after reset it is 1.
    irq, m_axis_telemetry_*
        Interrupt and records of telemetry.

    Cycle behaviour
    ---------------
    As docs/spec.md and docs/telemetry.md.
    """

    def __init__(self, config: SwitchConfig, *, with_protect: bool = False,
                 ready_known: bool = False, telemetry: bool = False):
        self._config = config
        self._with_protect = with_protect
        self._ready_known = ready_known
        self._telemetry = telemetry
        members: dict[str, wiring.Member] = {}
        for number in range(config.ports):
            members |= port_pins(config, number)
        members |= register_pins()
        if with_protect:
            members |= {f"p{number}_{name}": Out(1) for number in range(config.ports)
                        for name in ADAPTER_SETTINGS}
        if ready_known:
            members |= {f"p{number}_ready_next": In(1) for number in range(config.ports)}
        if telemetry:
            members |= telemetry_pins()
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        ports = [Port(config, ready_known=self._ready_known, telemetry=self._telemetry)
                 for _ in range(config.ports)]
        for number, port in enumerate(ports):
            place(m, f"port{number}", port)
            self._pins(m, number, port)
        scheduler = place(m, "scheduler", Scheduler(config))
        crossbar = place(m, "crossbar", Crossbar(config))
        registers = place(m, "registers", Registers(config))

        m.d.comb += [
            scheduler.allow.eq(Cat(port.allow for port in ports)),
            scheduler.allow_next.eq(Cat(port.allow_next for port in ports)),
            scheduler.claim.eq(Cat(port.claim for port in ports)),
            scheduler.ends.eq(Cat(port.ends for port in ports)),
            scheduler.hold.eq(Cat(port.hold for port in ports)),
            scheduler.bypass_limit.eq(registers.bypass_limit),
        ]
        for number, port in enumerate(ports):
            connect(m, port.settings, registers.settings[number])
            connect(m, port.table, registers.table)
            connect(m, port.match, scheduler.match[number])
            connect(m, port.flow_select, registers.flow_select[number])
            connect(m, port.counter_select, registers.counter_select[number])
            connect(m, crossbar.i_word[number], port.to_crossbar)
            connect(m, port.from_crossbar, crossbar.o_word[number])
            m.d.comb += [
                port.matched.eq(scheduler.matched[number]),
                port.vc_before.eq(scheduler.vc_before[number]),
                port.idle.eq(scheduler.idle[number]),
                scheduler.weights[number].eq(registers.settings[number].vc_weights),
                scheduler.weighted[number].eq(registers.settings[number].weighted),
                scheduler.strict_next[number].eq(registers.settings[number].strict_next),
                scheduler.weighted_next[number].eq(registers.settings[number].weighted_next),
                scheduler.strict[number].eq(registers.settings[number].strict),
                registers.counter[number].eq(port.counter),
                registers.llr_status[number].eq(port.llr_status),
                registers.flow_status[number].eq(port.flow_status),
                scheduler.voq_ready[number].eq(port.voq_ready),
                scheduler.voq_next[number].eq(port.voq_next),
                crossbar.connect[number].eq(port.connect),
            ]
            if self._with_protect:
                self._tell_adapter(m, number, registers.settings[number])
        pins = {name: getattr(self, f"reg_{name}") for name in ("addr", "wdata", "we", "re")}
        m.d.comb += [getattr(registers.bus, name).eq(pin) for name, pin in pins.items()]
        answers = [registers.bus.rdata]
        if self._telemetry:
            bus = self._watch(m, ports, scheduler).bus
            answers.append(attach(m, bus, pins, "telemetry", config.register_stages))
        m.d.comb += self.reg_rdata.eq(reduce(or_, answers))
        return m

    def _tell_adapter(self, m: Module, number: int, settings: wiring.PureInterface) -> None:
        # The adapter is far from the registers. As the complement, of which synthesis does not make
        # one with theirs.
        plain = Signal(name=f"plain_{number}",
                       init=~LLR_CONTROL_RESET >> LlrControl.PROTECT & 1)
        m.d.sync += plain.eq(~settings.llr.coming.protect)
        m.d.comb += [
            getattr(self, f"p{number}_protect").eq(~plain),
            getattr(self, f"p{number}_up_next").eq(settings.enable_next),
        ]

    def _watch(self, m: Module, ports: list[Port], scheduler: Scheduler) -> Telemetry:
        """Telemetry beside the ports; its register port is not connected yet."""
        telemetry = place(m, "telemetry", Telemetry(self._config))
        self._observe(m, ports, scheduler)
        for number, port in enumerate(ports):
            connect(m, telemetry.observations[number], port.observation)
            m.d.comb += [
                port.freeze.eq(telemetry.freeze),
                port.frozen_number.eq(telemetry.frozen_number),
                telemetry.frozen[number].eq(port.frozen),
            ]
        for name, member in RecordStream().members.items():
            pin, signal = getattr(self, f"m_axis_telemetry_{name}"), getattr(telemetry.axis, name)
            m.d.comb += pin.eq(signal) if member.flow is Out else signal.eq(pin)
        m.d.comb += self.irq.eq(telemetry.irq)
        return telemetry

    def _observe(self, m: Module, ports: list[Port], scheduler: Scheduler) -> None:
        """What the ports do not know of their outputs."""
        observer = place(m, "observer", Observer(self._config))
        m.d.comb += observer.done.eq(Cat(port.done for port in ports))
        for number, port in enumerate(ports):
            m.d.comb += [
                observer.voq_shown[number].eq(port.voq_shown),
                observer.reading[number].eq(port.reading),
                observer.matched_vc[number].eq(scheduler.matched_vc[number]),
                port.shown.eq(observer.shown[number]),
                port.startable.eq(observer.startable[number]),
                port.sending.eq(observer.sending[number]),
            ]

    def _pins(self, m: Module, number: int, port: Port) -> None:
        for name in port.rx.signature.members:
            m.d.comb += getattr(port.rx, name).eq(getattr(self, f"p{number}_rx_{name}"))
        for name, member in TxLink(self._config).members.items():
            pin, signal = getattr(self, f"p{number}_tx_{name}"), getattr(port.tx, name)
            m.d.comb += pin.eq(signal) if member.flow is Out else signal.eq(pin)
        if self._ready_known:
            m.d.comb += port.ready_next.eq(getattr(self, f"p{number}_ready_next"))
