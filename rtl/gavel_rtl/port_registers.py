# SPDX-License-Identifier: Apache-2.0
"""The registers that each port has."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import MAX_PORTS, SwitchConfig
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_model.register_map import (
    CELL_LIMIT_BITS,
    PORT_OF,
    PORT_REGISTERS,
    Port,
    VcMatch,
    config_values,
)
from gavel_rtl.flow_interfaces import ComingFlowSettings, FlowSettings
from gavel_rtl.interfaces import CLASS_FROM_BITS, PROFILE_BITS, VC_MATCH_BITS
from gavel_rtl.lib.delay import delayed
from gavel_rtl.llr_interfaces import ComingLlrSettings, LlrSettings
from gavel_rtl.register_fields import (
    REGISTER_BITS,
    EarlyWrite,
    RegisterFields,
    has_limits,
    kept_bits,
)

PORT_NUMBER_BITS = (MAX_PORTS - 1).bit_length()
LLR_STATUS_BITS = 16

ONCE = tuple(Port[register.name] for register in PORT_REGISTERS
             if register.writable and not register.of_each_vc)
EACH = tuple(Port[register.name] for register in PORT_REGISTERS
             if register.writable and register.of_each_vc)
"""Registers that can be written: those that a port has once, those that it has for each VC."""

LIMITED = tuple((offset, field) for offset in ONCE for field in PORT_OF[offset].fields
                if has_limits(field))
"""Fields of the former of which not every value is stored."""


def limited_widths(config: SwitchConfig) -> list[int]:
    """Widths of what is kept of the fields in `LIMITED`."""
    return [kept_bits(field, config_values(config)) for _, field in LIMITED]


_LLR = {
    "window_frames": (Port.LLR_WINDOW_FRAMES, "frames"),
    "window_cells": (Port.LLR_WINDOW_CELLS, "cells"),
    "replay_timer": (Port.LLR_REPLAY_TIMER, "cycles"),
    "pcs_lost": (Port.LLR_PCS_LOST, "cycles"),
    "data_age": (Port.LLR_DATA_AGE, "cycles"),
    "replay_count": (Port.LLR_REPLAY_COUNT, "replays"),
    "spacing": (Port.LLR_SPACING, "spacing"),
    "min_spacing": (Port.LLR_SPACING, "min_spacing"),
    "init_seq": (Port.LLR_INIT_SEQ, "seq"),
    "init_data": (Port.LLR_INIT_DATA, "data"),
} | {field.name: (Port.LLR_CONTROL, field.name) for field in PORT_OF[Port.LLR_CONTROL].fields}
"""Members of `LlrSettings`, and the fields that they are."""

_FLOW = {
    "stop": (Port.VC_CONTROL, "stop"),
    "total_limit": (Port.CBFC_TOTAL_LIMIT, "credits"),
    "cf_min": (Port.CBFC_CF_MIN, "spacing"),
    "cf_max": (Port.CBFC_CF_MAX, "spacing"),
    "cc_period": (Port.CBFC_CC_PERIOD, "cycles"),
    "pfc_receive": (Port.PFC_CONTROL, "receive"),
    "pfc_transmit": (Port.PFC_CONTROL, "transmit"),
    "xoff": (Port.PFC_XOFF, "cells"),
    "xon": (Port.PFC_XON, "cells"),
    "pfc_time": (Port.PFC_TIME, "quanta"),
    "watchdog": (Port.PFC_WATCHDOG, "cycles"),
    "restore": (Port.PFC_RESTORE, "cycles"),
    "vc_map": (Port.VC_MAP, "vc_of_class"),
    "receiver_exponent": (Port.CBFC_RECEIVER, "size"),
    "receiver_overhead": (Port.CBFC_RECEIVER, "overhead"),
} | {field.name: (Port.CBFC_CONTROL, field.name) for field in PORT_OF[Port.CBFC_CONTROL].fields}
"""Members of `FlowSettings` and of its ``coming``, and the fields that they are."""


def _asked_early(config: SwitchConfig) -> frozenset[tuple[str, str]]:
    """Fields of which somebody asks what is coming."""
    fields = {(Port.CONTROL, "enable"), (Port.PROFILE, "profile"), (Port.VC_CONTROL, "strict")}
    fields |= {_LLR[name] for name in ComingLlrSettings().members}
    fields |= {_FLOW[name] for name in ComingFlowSettings(config).members}
    return frozenset((offset.name, field) for offset, field in fields)


class PortSelect(wiring.Signature):
    """Which register of a port is addressed, the same for all ports.

    Members
    -------
    once, each
        One-hot, as in `ONCE` and `EACH`.
    vc
        One-hot: the VC in an address of `EACH`, 0 for one that there is not. Meaningless with
        others.
    llr_status
        LLR_STATUS.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "once": Out(len(ONCE)),
            "each": Out(len(EACH)),
            "vc": Out(config.vcs),
            "llr_status": Out(1),
        })


class PortRegisters(wiring.Component):
    """Settings of one port, and its part of the read multiplexer (docs/spec.md, Registers).

    Parameters
    ----------
    config
        V, reset values, limits.

    Members
    -------
    number
        Number of the port.
    reads, writes
        A register of this port is read, or written.
    writes_once
        It is written, as in `ONCE`: what waits for a write need not wait for a selection. Not with
        ``register_stages``, where it is made of ``early_writes_once``.
    select
        Which one it is.
    wdata
        What is written.
    early_writes_once, early_wdata, early_limited
        With ``register_stages``: ``writes_once`` and ``wdata`` of the next cycle, and what of each
        field in `LIMITED` is to be stored then.
    counter
        Value of the counter that was addressed in the cycle before, 0 if none was.
    llr_status
        Value of LLR_STATUS.
    flow_status
        Value of the read-only register of flow control addressed, 0 if none is; with
        ``register_stages`` that was addressed in the cycle before.
    value
        Value of the register that was read in the cycle before, with ``register_stages`` in the
        one before that, 0 if it is not one of this port.
    The others are settings, as in `gavel_rtl.interfaces.PortSettings`.

    Cycle behaviour
    ---------------
    A write is visible in the next cycle; ``value`` is what was visible as it was read. With
    ``register_stages`` a counter and a register of flow control count only if they are of this
    port, and what is coming is a register, written with the early write.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        vcs = config.vcs
        access = {
            "early_writes_once": In(len(ONCE)),
            "early_wdata": In(REGISTER_BITS),
            "early_limited": In(sum(limited_widths(config))),
        } if config.register_stages else {"writes_once": In(len(ONCE))}
        super().__init__({
            **access,
            "number": In(PORT_NUMBER_BITS),
            "reads": In(1),
            "writes": In(1),
            "select": In(PortSelect(config)),
            "wdata": In(REGISTER_BITS),
            "counter": In(REGISTER_BITS),
            "llr_status": In(LLR_STATUS_BITS),
            "flow_status": In(REGISTER_BITS),
            "value": Out(REGISTER_BITS),
            "enable": Out(1),
            "enable_next": Out(1),
            "profile": Out(PROFILE_BITS),
            "profile_is": Out(len(PROFILES), init=1 << PROFILE_NAMES.index(config.profile)),
            "class_from": Out(CLASS_FROM_BITS),
            "vc_map": Out(32),
            "vc_match": Out(VC_MATCH_BITS).array(vcs),
            "vc_limit": Out(CELL_LIMIT_BITS).array(vcs),
            "vc_weights": Out(32),
            "weighted": Out(1),
            "strict": Out(vcs),
            "strict_next": Out(vcs),
            "weighted_next": Out(1),
            "ecn_threshold": Out(16),
            "llr": Out(LlrSettings(config)),
            "flow": Out(FlowSettings(config)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        late = self._config.register_stages
        early = self._early() if late else None
        registers = RegisterFields(m, self.writes, self.wdata, config_values(self._config),
                                   self.number, early)
        once = {offset: registers.add(PORT_OF[offset], self.select.once[n],
                                      self._writes_once(m, n, offset, early))
                for n, offset in enumerate(ONCE)}
        each = {offset: registers.add_each(PORT_OF[offset], self.select.each[n], self.select.vc)
                for n, offset in enumerate(EACH)}
        registers.show(self.select.llr_status, self.llr_status)
        self._connect(m, registers, once, each)
        value, did_read = Signal(REGISTER_BITS, name="value_read"), Signal(name="did_read")
        if late:
            m.d.sync += [
                value.eq(Mux(self.reads, registers.value(), 0)),
                self.value.eq(value | self.flow_status | self.counter),
            ]
        else:
            m.d.sync += [
                did_read.eq(self.reads),
                value.eq(Mux(self.reads, registers.value() | self.flow_status, 0)),
            ]
            m.d.comb += self.value.eq(value | Mux(did_read, self.counter, 0))
        return m

    def _writes_once(self, m: Module, n: int, offset: Port, early: EarlyWrite | None) -> Value:
        """A register is written; 0 if all of it is written early."""
        if early is None:
            return self.writes_once[n]
        register = PORT_OF[offset]
        if all(early.has(register, field) for field in register.fields):
            return Const(0, 1)
        return delayed(m, self.early_writes_once[n], f"writes_{register.name.lower()}", 1)

    def _early(self) -> EarlyWrite:
        limited, low = {}, 0
        for (offset, field), width in zip(LIMITED, limited_widths(self._config), strict=True):
            limited[offset.name, field.name] = self.early_limited[low:low + width]
            low += width
        return EarlyWrite(
            {offset.name: self.early_writes_once[n] for n, offset in enumerate(ONCE)},
            self.early_wdata, limited, _asked_early(self._config))

    def _connect(self, m: Module, registers: RegisterFields, once: dict[Port, dict[str, Value]],
                 each: dict[Port, dict[str, list[Value]]]) -> None:
        """The settings are fields."""
        m.d.comb += [
            self.enable.eq(once[Port.CONTROL]["enable"]),
            self.enable_next.eq(registers.coming(PORT_OF[Port.CONTROL], "enable")),
            self.profile.eq(once[Port.PROFILE]["profile"]),
            self.class_from.eq(once[Port.PROFILE]["class_from"]),
            self.vc_map.eq(once[Port.VC_MAP]["vc_of_class"]),
            self.ecn_threshold.eq(once[Port.ECN_THRESHOLD]["cells"]),
            self.vc_weights.eq(once[Port.VC_WEIGHTS]["weights"]),
            self.strict.eq(once[Port.VC_CONTROL]["strict"]),
            self.flow.mac_address.eq(Cat(once[Port.MAC_ADDRESS_LO]["address"],
                                         once[Port.MAC_ADDRESS_HI]["address"])),
        ]
        strict_next, profile_next = (
            registers.coming(PORT_OF[offset], field)
            for offset, field in ((Port.VC_CONTROL, "strict"), (Port.PROFILE, "profile")))
        m.d.comb += [
            self.weighted_next.eq(registers.coming_any(PORT_OF[Port.VC_WEIGHTS], "weights")),
            self.strict_next.eq(strict_next),
        ]
        m.d.sync += [
            self.flow.receives.eq(
                registers.coming_any(PORT_OF[Port.CBFC_CONTROL], "receiver")),
            self.weighted.eq(self.weighted_next),
            self.profile_is.eq(1 << Mux(profile_next < len(PROFILES), profile_next, 0)),
        ]
        for settings, names in ((self.llr, _LLR), (self.flow, _FLOW)):
            m.d.comb += [getattr(settings, name).eq(once[offset][field])
                         for name, (offset, field) in names.items()
                         if name in settings.signature.members]
        for coming, names in ((self.llr.coming, _LLR), (self.flow.coming, _FLOW)):
            for name in coming.signature.members:
                offset, field = names[name]
                m.d.comb += getattr(coming, name).eq(registers.coming(PORT_OF[offset], field))
        for size, offset in ((self.flow.sender_size, Port.CBFC_SENDER),
                             (self.flow.receiver_size, Port.CBFC_RECEIVER)):
            m.d.comb += [size.exponent.eq(once[offset]["size"]),
                         size.overhead.eq(once[offset]["overhead"])]
        for vc in range(self._config.vcs):
            value, mask = (each[Port.VC_MATCH][field][vc] for field in ("value", "mask"))
            m.d.comb += [
                self.flow.limit[vc].eq(each[Port.CBFC_LIMIT]["credits"][vc]),
                self.vc_limit[vc].eq(each[Port.RX_VC_LIMIT]["cells"][vc]),
                self.vc_match[vc].eq(Cat(value, Const(0, VcMatch.MASK - len(value)), mask)),
            ]
