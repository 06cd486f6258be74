# SPDX-License-Identifier: Apache-2.0
"""Settings of flow control of one port (docs/flow_control.md, Settings)."""

from __future__ import annotations

from collections.abc import Mapping

from gavel_model.config import CF_SPACING_BITS, LEAST_CF_SPACING, TIMER_BITS, SwitchConfig
from gavel_model.credit_unit import CreditUnit, stored_unit
from gavel_model.mac_control import PFC_CLASSES, PFC_TIME_BITS
from gavel_model.register_map import (
    CBFC_CONTROL_RESET,
    CELL_LIMIT_BITS,
    CREDIT_BITS,
    NATIVE_CREDIT,
    QUANTUM_BITS,
    CbfcControl,
    PfcControl,
    Port,
    VcControl,
    mac_address_reset,
    vc_map_reset,
)

_CF_MIN_BITS = 16
_MASK_BITS = 8
_LOW_BITS = 32
_NIBBLE = 15


def writable_masks(config: SwitchConfig) -> dict[int, int]:
    """Registers that hold the settings, by offset, and the bits of a write that each keeps."""
    vcs = config.vcs
    each = (1 << vcs) - 1
    two_masks = each | each << _MASK_BITS
    unit = 0xFF07
    timer = (1 << TIMER_BITS) - 1
    cells = (1 << CELL_LIMIT_BITS) - 1
    limit = (1 << CREDIT_BITS) - 1
    masks: dict[int, int] = {
        Port.VC_WEIGHTS: (1 << 4 * vcs) - 1,
        Port.VC_CONTROL: two_masks,
        Port.CBFC_CONTROL: two_masks | 1 << CbfcControl.TOTAL | 1 << CbfcControl.RESYNC,
        Port.CBFC_SENDER: unit,
        Port.CBFC_RECEIVER: unit,
        Port.CBFC_TOTAL_LIMIT: limit,
        Port.CBFC_CF_MIN: (1 << _CF_MIN_BITS) - 1,
        Port.CBFC_CF_MAX: (1 << CF_SPACING_BITS) - 1,
        Port.CBFC_CC_PERIOD: timer,
        Port.PFC_CONTROL: two_masks,
        Port.PFC_XOFF: cells,
        Port.PFC_XON: cells,
        Port.PFC_TIME: (1 << PFC_TIME_BITS) - 1,
        Port.PFC_WATCHDOG: timer,
        Port.PFC_RESTORE: timer,
        Port.MAC_ADDRESS_HI: 0xFFFF,
        Port.MAC_ADDRESS_LO: 0xFFFFFFFF,
    }
    for vc in range(vcs):
        masks[Port.CBFC_LIMIT + vc] = limit
        masks[Port.RX_VC_LIMIT + vc] = cells
    return masks


def reset_values(config: SwitchConfig, port: int) -> dict[int, int]:
    """Reset values of the registers of `writable_masks`, of the port with this number."""
    cells = config.buffer_cells
    address = mac_address_reset(port)
    values: dict[int, int] = {
        Port.VC_WEIGHTS: 0,
        Port.VC_CONTROL: 0,
        Port.CBFC_CONTROL: CBFC_CONTROL_RESET,
        Port.CBFC_SENDER: NATIVE_CREDIT,
        Port.CBFC_RECEIVER: NATIVE_CREDIT,
        Port.CBFC_TOTAL_LIMIT: cells,
        Port.CBFC_CF_MIN: config.cf_min_spacing,
        Port.CBFC_CF_MAX: config.cf_max_spacing,
        Port.CBFC_CC_PERIOD: config.cc_period,
        Port.PFC_CONTROL: 0,
        Port.PFC_XOFF: cells // 4,
        Port.PFC_XON: cells // 8,
        Port.PFC_TIME: (1 << PFC_TIME_BITS) - 1,
        Port.PFC_WATCHDOG: 0,
        Port.PFC_RESTORE: 0,
        Port.MAC_ADDRESS_HI: address >> _LOW_BITS,
        Port.MAC_ADDRESS_LO: address & (1 << _LOW_BITS) - 1,
    }
    for vc in range(config.vcs):
        values[Port.CBFC_LIMIT + vc] = cells // config.vcs
        values[Port.RX_VC_LIMIT + vc] = (1 << CELL_LIMIT_BITS) - 1
    return values


def stored(masks: Mapping[int, int], offset: int, value: int) -> int:
    """What a write of ``value`` leaves in a register of `writable_masks`, given those."""
    value &= masks[offset]
    if offset in (Port.CBFC_SENDER, Port.CBFC_RECEIVER):
        return stored_unit(value)
    if offset == Port.CBFC_CF_MIN:
        return max(value, LEAST_CF_SPACING)
    return value


class FlowSettings:
    """Fields of the registers, as visible in the cycle. All blocks of a port share one object.

    Masks have bit v for VC v.

    Attributes
    ----------
    weights
        Weight of each VC, 1...15; None: there are no weights.
    strict, stop
        VCs with strict priority; VCs that are not dequeued.
    sender, receiver
        VCs with credits, to the peer and from it.
    total, resync
        One limit for all VCs; resynchronisation.
    sender_unit, receiver_unit
        What the peer's, and our, credits stand for.
    longest
        M: credits of a longest frame, by the sender's unit.
    limits, total_limit
        Credits of each VC, and in total mode.
    cf_min, cf_max
        Bytes of line time between two CF_Updates.
    cc_period
        Cycles between two CC_Updates; 0 = never.
    pfc_receive, pfc_transmit
        VCs that listen to PFC, and that send it.
    pfc_xoff, pfc_xon
        Cells of a VC.
    pfc_time, refresh
        Quanta that a PFC frame says; cycles until it is said again.
    quantum
        Cycles in a quantum.
    watchdog, restore
        Cycles; ``watchdog`` 0 = off.
    mac_address
        48-bit address of the port.
    vc_limits
        Cells of each VC in the ingress buffer.
    vc_of_class
        VC of each of the eight classes.
    """

    __slots__ = (
        "_longest_frame", "_vcs", "cc_period", "cf_max", "cf_min", "limits", "longest",
        "mac_address", "pfc_receive", "pfc_time", "pfc_transmit", "pfc_xoff", "pfc_xon", "quantum",
        "receiver", "receiver_unit", "refresh", "restore", "resync", "sender", "sender_unit",
        "stop", "strict", "total", "total_limit", "vc_limits", "vc_of_class", "watchdog", "weights",
    )

    def __init__(self, config: SwitchConfig) -> None:
        self._vcs = config.vcs
        self._longest_frame = config.max_frame_bytes
        self.quantum = QUANTUM_BITS // config.data_width
        self.load({**reset_values(config, 0), Port.VC_MAP: vc_map_reset(config)})

    def load(self, registers: Mapping[int, int]) -> None:
        """Takes the values of the registers, ``VC_MAP`` among them, by offset."""
        each = (1 << self._vcs) - 1
        channels = range(self._vcs)
        weights = registers[Port.VC_WEIGHTS]
        self.weights = [weights >> 4 * vc & _NIBBLE or 1 for vc in channels] if weights else None
        control = registers[Port.VC_CONTROL]
        self.strict = control >> VcControl.STRICT & each
        self.stop = control >> VcControl.STOP & each
        control = registers[Port.CBFC_CONTROL]
        self.sender = control >> CbfcControl.SENDER & each
        self.receiver = control >> CbfcControl.RECEIVER & each
        self.total = bool(control >> CbfcControl.TOTAL & 1)
        self.resync = bool(control >> CbfcControl.RESYNC & 1)
        self.sender_unit = CreditUnit(registers[Port.CBFC_SENDER])
        self.receiver_unit = CreditUnit(registers[Port.CBFC_RECEIVER])
        self.longest = self.sender_unit.credits(self._longest_frame)
        self.limits = [registers[Port.CBFC_LIMIT + vc] for vc in channels]
        self.total_limit = registers[Port.CBFC_TOTAL_LIMIT]
        self.cf_min = registers[Port.CBFC_CF_MIN]
        self.cf_max = registers[Port.CBFC_CF_MAX]
        self.cc_period = registers[Port.CBFC_CC_PERIOD]
        control = registers[Port.PFC_CONTROL]
        self.pfc_receive = control >> PfcControl.RECEIVE & each
        self.pfc_transmit = control >> PfcControl.TRANSMIT & each
        self.pfc_xoff = registers[Port.PFC_XOFF]
        self.pfc_xon = registers[Port.PFC_XON]
        self.pfc_time = registers[Port.PFC_TIME]
        self.refresh = self.pfc_time * self.quantum // 2
        self.watchdog = registers[Port.PFC_WATCHDOG]
        self.restore = registers[Port.PFC_RESTORE]
        self.mac_address = (registers[Port.MAC_ADDRESS_HI] << _LOW_BITS
                            | registers[Port.MAC_ADDRESS_LO])
        self.vc_limits = [registers[Port.RX_VC_LIMIT + vc] for vc in channels]
        self.vc_of_class = classes_of(registers[Port.VC_MAP], self._vcs)


def classes_of(vc_map: int, vcs: int) -> list[int]:
    """VC of each of the eight classes by register ``VC_MAP``."""
    return [min(vc_map >> 4 * n & _NIBBLE, vcs - 1) for n in range(PFC_CLASSES)]
