# SPDX-License-Identifier: Apache-2.0
"""The registers of flow control of a port."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import (
    CF_SPACING_BITS,
    LEAST_CF_SPACING,
    MAX_PORTS,
    TIMER_BITS,
    SwitchConfig,
)
from gavel_model.mac_control import PFC_TIME_BITS
from gavel_model.register_map import (
    CBFC_CONTROL_RESET,
    CELL_LIMIT_BITS,
    CREDIT_BITS,
    LARGEST_CREDIT_SIZE,
    LEAST_OVERHEAD,
    NATIVE_CREDIT,
    SPACING_BITS,
    CbfcControl,
    CreditUnit,
    PfcControl,
    Port,
    VcControl,
    VcMatch,
    mac_address_reset,
    refused_bits,
)
from gavel_rtl.flow_interfaces import (
    CREDIT_SIZE_BITS,
    FLOW_SETTINGS,
    OVERHEAD_BITS,
    VC_SETTINGS,
    FlowSelect,
    FlowSettings,
)
from gavel_rtl.interfaces import VC_MATCH_BITS
from gavel_rtl.lib.one_hot import select
from gavel_rtl.llr_registers import REGISTER_BITS

PORT_NUMBER_BITS = (MAX_PORTS - 1).bit_length()
_WEIGHT_BITS = 4
_EXACT = 0x3F
"""Mask of VC_MATCH that looks at all bits of the class."""


class FlowRegisters(wiring.Component):
    """Settings of flow control (docs/flow_control.md, Settings).

    Parameters
    ----------
    config
        V, reset values.

    Members
    -------
    number
        Number of the port, for the reset value of its address.
    select
        The register addressed.
    we, wdata
        Write to the register addressed.
    value
        Value of the register addressed, 0 if it is none of these.
    settings, vc_match, vc_limit, vc_weights, strict
        The settings.

    Cycle behaviour
    ---------------
    A write is visible in the next cycle; ``value`` is combinational.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        vcs = config.vcs
        super().__init__({
            "number": In(PORT_NUMBER_BITS),
            "select": In(FlowSelect(config)),
            "we": In(1),
            "wdata": In(REGISTER_BITS),
            "value": Out(REGISTER_BITS),
            "settings": Out(FlowSettings(config)),
            "vc_match": Out(VC_MATCH_BITS).array(vcs),
            "vc_limit": Out(CELL_LIMIT_BITS).array(vcs),
            "vc_weights": Out(REGISTER_BITS),
            "strict": Out(vcs),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._shown: list[tuple[Value, Value]] = []
        """What selects a register, and what it holds."""
        self._schedule(m)
        self._credits(m)
        self._pauses(m)
        self._address(m)
        self._per_vc(m)
        value = Signal(REGISTER_BITS, name="any_value")
        m.d.comb += [value.eq(select(self._shown)), self.value.eq(value)]
        return m

    def _schedule(self, m: Module) -> None:
        vcs = self._config.vcs
        weights = self._field(m, Port.VC_WEIGHTS, "vc_weights", 0, _WEIGHT_BITS * vcs)
        strict = self._field(m, Port.VC_CONTROL, "strict_vcs", VcControl.STRICT, vcs)
        stop = self._field(m, Port.VC_CONTROL, "stop", VcControl.STOP, vcs)
        m.d.comb += [
            self.vc_weights.eq(weights),
            self.strict.eq(strict),
            self.settings.stop.eq(stop),
        ]

    def _credits(self, m: Module) -> None:
        config, settings = self._config, self.settings
        control = Port.CBFC_CONTROL
        for name, low, bits in (
            ("sender", CbfcControl.SENDER, config.vcs),
            ("receiver", CbfcControl.RECEIVER, config.vcs),
            ("total", CbfcControl.TOTAL, 1),
            ("resync", CbfcControl.RESYNC, 1),
        ):
            reset = CBFC_CONTROL_RESET >> low & (1 << bits) - 1
            refused = refused_bits(config).get(control, 0) >> low & (1 << bits) - 1
            stored = self.wdata[low:][:bits] & ~Const(refused, bits) if refused else None
            field = self._field(m, control, name, low, bits, reset, stored)
            m.d.comb += getattr(settings, name).eq(field)
        for register, size in (
            (Port.CBFC_SENDER, settings.sender_size),
            (Port.CBFC_RECEIVER, settings.receiver_size),
        ):
            name = register.name.lower()
            wanted = self.wdata[CreditUnit.SIZE:][:CREDIT_SIZE_BITS]
            overhead = self.wdata[CreditUnit.OVERHEAD:][:OVERHEAD_BITS]
            least = LEAST_OVERHEAD & (1 << OVERHEAD_BITS) - 1
            m.d.comb += [
                size.exponent.eq(self._field(
                    m, register, f"{name}_exponent", CreditUnit.SIZE, CREDIT_SIZE_BITS,
                    NATIVE_CREDIT >> CreditUnit.SIZE,
                    Mux(wanted > LARGEST_CREDIT_SIZE, LARGEST_CREDIT_SIZE, wanted))),
                size.overhead.eq(self._field(
                    m, register, f"{name}_overhead", CreditUnit.OVERHEAD, OVERHEAD_BITS, 0,
                    Mux(overhead[-1] & (overhead < least), least, overhead))),
            ]
        spacing = self.wdata[:SPACING_BITS]
        m.d.comb += [
            settings.total_limit.eq(self._field(
                m, Port.CBFC_TOTAL_LIMIT, "total_limit", 0, CREDIT_BITS, config.buffer_cells)),
            settings.cf_min.eq(self._field(
                m, Port.CBFC_CF_MIN, "cf_min", 0, SPACING_BITS, config.cf_min_spacing,
                Mux(spacing < LEAST_CF_SPACING, LEAST_CF_SPACING, spacing))),
            settings.cf_max.eq(self._field(
                m, Port.CBFC_CF_MAX, "cf_max", 0, CF_SPACING_BITS, config.cf_max_spacing)),
            settings.cc_period.eq(self._field(
                m, Port.CBFC_CC_PERIOD, "cc_period", 0, TIMER_BITS, config.cc_period)),
        ]

    def _pauses(self, m: Module) -> None:
        config, settings = self._config, self.settings
        for register, name, low, bits, reset in (
            (Port.PFC_CONTROL, "pfc_receive", PfcControl.RECEIVE, config.vcs, 0),
            (Port.PFC_CONTROL, "pfc_transmit", PfcControl.TRANSMIT, config.vcs, 0),
            (Port.PFC_XOFF, "xoff", 0, CELL_LIMIT_BITS, config.buffer_cells // 4),
            (Port.PFC_XON, "xon", 0, CELL_LIMIT_BITS, config.buffer_cells // 8),
            (Port.PFC_TIME, "pfc_time", 0, PFC_TIME_BITS, (1 << PFC_TIME_BITS) - 1),
            (Port.PFC_WATCHDOG, "watchdog", 0, TIMER_BITS, 0),
            (Port.PFC_RESTORE, "restore", 0, TIMER_BITS, 0),
        ):
            field = self._field(m, register, name, low, bits, reset)
            m.d.comb += getattr(settings, name).eq(field)

    def _address(self, m: Module) -> None:
        """Both halves. What is kept is the difference to the port's number: so the reset value,
        and with it the module, is the same for all ports."""
        reset, low_bits = mac_address_reset(0), REGISTER_BITS
        low = self._field(m, Port.MAC_ADDRESS_LO, "mac_address_lo", 0, low_bits,
                          reset & (1 << low_bits) - 1, self.wdata ^ self.number, self.number)
        high = self._field(m, Port.MAC_ADDRESS_HI, "mac_address_hi", 0, 48 - low_bits,
                           reset >> low_bits)
        m.d.comb += self.settings.mac_address.eq(Cat(low ^ self.number, high))

    def _per_vc(self, m: Module) -> None:
        config = self._config
        share = config.buffer_cells // config.vcs
        for register, field, shown in zip(VC_SETTINGS, (
            [(CREDIT_BITS, share)] * config.vcs,
            [(CELL_LIMIT_BITS, (1 << CELL_LIMIT_BITS) - 1)] * config.vcs,
            [(VC_MATCH_BITS, _EXACT << VcMatch.MASK | vc) for vc in range(config.vcs)],
        ), (self.settings.limit, self.vc_limit, self.vc_match), strict=True):
            of_vc = []
            for vc, (bits, reset) in enumerate(field):
                kept = Signal(bits, init=reset, name=f"{register.name.lower()}_{vc}")
                selected = self.select.vc_setting[VC_SETTINGS.index(register)]
                stored = self.wdata[:bits]
                if register is Port.VC_MATCH:
                    stored = stored & (_EXACT << VcMatch.MASK | _EXACT)
                with m.If(self.we & selected & self.select.vc[vc]):
                    m.d.sync += kept.eq(stored)
                m.d.comb += shown[vc].eq(kept)
                of_vc.append((self.select.vc[vc], kept))
            self._shown.append((selected, select(of_vc)))

    def _field(self, m: Module, register: Port, name: str, low: int, bits: int, reset: int = 0,
               stored: Value | None = None, change: Value | int = 0) -> Signal:
        """What a register keeps of ``wdata`` from bit ``low`` on, or ``stored``; it is read with
        ``change`` exclusive-ored."""
        field = Signal(bits, init=reset, name=name)
        selected = self.select.setting[FLOW_SETTINGS.index(register)]
        with m.If(self.we & selected):
            m.d.sync += field.eq(self.wdata[low:low + bits] if stored is None else stored)
        self._shown.append((selected, Cat(Const(0, low), field ^ change)))
        return field
