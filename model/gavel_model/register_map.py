# SPDX-License-Identifier: Apache-2.0
"""Addresses, counters and reset values of the register port (docs/spec.md, Registers).

The names and the table are made from ``rdl/gavel.rdl``; here is what follows from them.
"""

from __future__ import annotations

from gavel_model.address_map import AddressMap
from gavel_model.config import SwitchConfig
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_model.register_entry import Field, Register, amount
from gavel_model.register_names import (
    PORT_BASE,
    PORT_STRIDE,
    Action,
    CbfcControl,
    CbfcStatus,
    ClassFrom,
    Counter,
    CreditUnit,
    Global,
    LlrControl,
    LlrSpacing,
    PfcControl,
    Port,
    Profile,
    TableData,
    VcControl,
    VcMatch,
)
from gavel_model.register_table import GLOBALS, PORT_REGISTERS

__all__ = [
    "GLOBALS", "PORT_BASE", "PORT_REGISTERS", "PORT_STRIDE", "Action", "CbfcControl", "CbfcStatus",
    "ClassFrom", "Counter", "CreditUnit", "Global", "LlrControl", "LlrSpacing", "PfcControl",
    "Port", "Profile", "TableData", "VcControl", "VcMatch",
]

GLOBAL_OF = {Global[register.name]: register for register in GLOBALS}
"""Each register that a switch has once."""

PORT_OF = {Port[register.name]: register for register in PORT_REGISTERS}
"""Each register of a port, beside the counters; what stands once for each VC once."""


def _field(offset: Port, name: str) -> Field:
    return next(field for field in PORT_OF[offset].fields if field.name == name)


ID_VALUE = GLOBAL_OF[Global.ID].reset({})
"""ASCII "GAVL"."""

_VERSION = GLOBAL_OF[Global.VERSION].reset({})
VERSION = (_VERSION >> 16, _VERSION >> 8 & 0xFF, _VERSION & 0xFF)
"""Version of the register map: major, minor, patch."""

WORD_BITS = 32
"""Width of a register."""

PER_VC = tuple(offset for offset, register in PORT_OF.items() if register.of_each_vc)
"""Registers that stand once for each VC: that of VC v at the offset + v."""

COUNTERS = len(Counter)
COUNTER_BITS = 32

SWITCH_MAP = AddressMap(
    base=0, globals=GLOBALS, port_base=PORT_BASE, port_stride=PORT_STRIDE,
    port=(*PORT_REGISTERS, *(
        Register(counter.name, Port.COUNTERS + counter,
                 (Field("count", 0, bits=COUNTER_BITS, reset=None),), writable=False)
        for counter in Counter)))
"""All registers of a switch."""

ENTRY_VALID = 1 << TableData.VALID
ENTRY_PORT_MASK = GLOBAL_OF[Global.ROUTE_DATA].fields[0].mask({})

DROPS = (
    Counter.RX_ERR,
    Counter.RX_UNDERSIZE,
    Counter.RX_OVERSIZE,
    Counter.RX_FCS,
    Counter.RX_HEADER,
    Counter.RX_TTL,
    Counter.RX_NO_ROUTE,
    Counter.RX_NO_BUFFER,
    Counter.RX_FRAGMENT,
    Counter.RX_POISONED,
    Counter.RX_VC_LIMIT,
    Counter.LLR_TX_DISCARD,
)
"""Counters that stand for a frame lost. MAC Control frames are consumed, not lost, and what
link-level retry does not accept is sent again."""

LLR_CONTROL_BITS = PORT_OF[Port.LLR_CONTROL].mask({}).bit_length()
LLR_CONTROL_RESET = PORT_OF[Port.LLR_CONTROL].reset({})
SPACING_BITS = int(LlrSpacing.MIN_SPACING)
"""Each half of ``Port.LLR_SPACING``: ACK spacing below, spacing of any two sets above."""

CREDIT_BITS = _field(Port.CBFC_LIMIT, "credits").width({})
"""Width of the credit counters and of limits in credits; they are cyclic."""

CELL_LIMIT_BITS = _field(Port.RX_VC_LIMIT, "cells").width({})
"""Width of a number of cells in a register."""

LARGEST_CREDIT_SIZE = amount(_field(Port.CBFC_SENDER, "size").at_most, {})
"""Largest exponent n of a credit size of 32 * 2**n bytes."""

LEAST_OVERHEAD = amount(_field(Port.CBFC_SENDER, "overhead").at_least, {})
"""Least packet overhead of a credit, bytes."""

QUANTUM_BITS = 512
"""Bit times in a quantum of PFC (IEEE 802.3, annex 31B)."""

CBFC_CONTROL_RESET = PORT_OF[Port.CBFC_CONTROL].reset({})
NATIVE_CREDIT = PORT_OF[Port.CBFC_SENDER].reset({})
"""64 bytes, no overhead: a credit is a cell of the ingress buffer."""

CLASS_FROM_SHIFT = int(Profile.CLASS_FROM)


def mac_address_reset(port: int) -> int:
    """48-bit reset value of ``MAC_ADDRESS``: 02-00-00-00-00-pp. Ours."""
    low = PORT_OF[Port.MAC_ADDRESS_LO]
    return (PORT_OF[Port.MAC_ADDRESS_HI].reset({}) << low.fields[0].width({})
            | low.reset({"port": port}))


def port_address(port: int, offset: int) -> int:
    """Word address of a port's register."""
    return PORT_BASE + port * PORT_STRIDE + offset


def vc_map_reset(config: SwitchConfig) -> int:
    """Reset value of ``VC_MAP``: class n goes to VC n mod V."""
    return sum((n % config.vcs) << (4 * n) for n in range(8))


def config_values(config: SwitchConfig, port: int = 0, vc: int = 0) -> dict[str, int]:
    """What reset values and limits of a port's register, or of its register of a VC, come from.

    Returns
    -------
    Those that are parameters of ``rdl/gavel.rdl`` have the same names there.
    """
    names = (
        "ports", "data_width", "vcs", "latency_cycles", "bypass_limit", "esun_ethertype",
        "ecn_threshold", "buffer_cells", "replay_frames", "replay_cells", "max_frame_bytes",
        "max_frame_cells", "replay_timer", "pcs_lost_timer", "data_age_timer", "replay_count",
        "ctl_spacing", "ctl_min_spacing", "cf_min_spacing", "cf_max_spacing", "cc_period",
    )
    profile = PROFILE_NAMES.index(config.profile)
    return {
        **{name: getattr(config, name) for name in names},
        "preamble": int(config.mac == "preamble"),
        "profile_number": profile,
        "classes": min(config.vcs, 1 << PROFILES[profile].traffic_class.width),
        "low_ports": min(config.ports, WORD_BITS),
        "high_ports": max(0, config.ports - WORD_BITS),
        "vc_map": vc_map_reset(config),
        "share_of_a_vc": config.buffer_cells // config.vcs,
        "xoff": config.buffer_cells // 4,
        "xon": config.buffer_cells // 8,
        "port": port,
        "vc": vc,
    }


def port_registers(vcs: int, *, writable: bool = False) -> dict[int, tuple[Register, int]]:
    """Registers of a port with ``vcs`` VCs, all or those to be written, beside the counters: of
    each offset the register, and the VC that it is of, else 0."""
    return {
        register.address + vc: (register, vc)
        for register in PORT_REGISTERS if register.writable or not writable
        for vc in range(vcs if register.of_each_vc else 1)}


def reset_values(config: SwitchConfig, port: int = 0) -> dict[int, int]:
    """Reset value of each register of a port that can be written, by offset."""
    return {offset: register.reset(config_values(config, port, vc))
            for offset, (register, vc) in port_registers(config.vcs, writable=True).items()}


def writable_masks(config: SwitchConfig) -> dict[int, int]:
    """Bits of each register of a port that can be written, by offset."""
    values = config_values(config)
    return {offset: sum(field.mask(values) for field in register.fields
                        if field.is_there(values))
            for offset, (register, _) in port_registers(config.vcs, writable=True).items()}


def is_of_flow_control(offset: int) -> bool:
    """Whether a register of a port that can be written belongs to docs/flow_control.md."""
    return Port.VC_WEIGHTS <= offset < Port.VC_MATCH
