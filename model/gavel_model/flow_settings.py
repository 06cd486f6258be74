# SPDX-License-Identifier: Apache-2.0
"""Settings of flow control of one port (docs/flow_control.md, Settings)."""

from __future__ import annotations

from collections.abc import Mapping

from gavel_model.config import SwitchConfig
from gavel_model.credit_unit import CreditUnit
from gavel_model.mac_control import PFC_CLASSES
from gavel_model.register_map import (
    QUANTUM_BITS,
    CbfcControl,
    PfcControl,
    Port,
    VcControl,
    reset_values,
)

_LOW_BITS = 32
_NIBBLE = 15


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
        self.load(reset_values(config))

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
