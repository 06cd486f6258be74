# SPDX-License-Identifier: Apache-2.0
"""Addresses, counters and reset values of the register port (docs/spec.md, Registers)."""

from __future__ import annotations

from enum import IntEnum

from gavel_model.config import SwitchConfig

ID_VALUE = 0x4741564C
"""ASCII "GAVL"."""

VERSION = (0, 1, 0)
"""Version of the register map: major, minor, patch."""


class Global(IntEnum):
    """Word addresses of the registers that a switch has once."""

    ID = 0x0000
    VERSION = 0x0001
    PORTS = 0x0002
    DATA_WIDTH = 0x0003
    VCS = 0x0004
    LATENCY = 0x0005
    STATUS = 0x0006
    ROUTE_INDEX = 0x0008
    ROUTE_DATA = 0x0009
    FDB_INDEX = 0x000A
    FDB_ADDR_HI = 0x000B
    FDB_ADDR_LO = 0x000C
    FDB_DATA = 0x000D
    ESUN_ETHERTYPE = 0x000E
    BYPASS_LIMIT = 0x000F


PORT_BASE = 0x0400
PORT_STRIDE = 0x40


class Port(IntEnum):
    """Offsets of the registers that each port has, in words from its base."""

    CONTROL = 0x00
    PROFILE = 0x01
    VC_MAP = 0x02
    ECN_THRESHOLD = 0x03
    COUNTERS = 0x10


class Counter(IntEnum):
    """Counters of a port; the register is at ``Port.COUNTERS`` + the number."""

    RX_FRAMES = 0
    RX_BYTES = 1
    RX_ERR = 2
    RX_UNDERSIZE = 3
    RX_OVERSIZE = 4
    RX_FCS = 5
    RX_MAC_CONTROL = 6
    RX_HEADER = 7
    RX_TTL = 8
    RX_NO_ROUTE = 9
    RX_NO_BUFFER = 10
    RX_FRAGMENT = 11
    RX_STRAY_WORDS = 12
    RX_CTL_OS = 13
    TX_FRAMES = 14
    TX_BYTES = 15
    TX_ECN_MARKED = 16


COUNTERS = len(Counter)
COUNTER_BITS = 32
ENTRY_VALID = 1 << 31
ENTRY_PORT_MASK = 0x3F

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
)
"""Counters that stand for a frame lost; MAC Control frames are consumed, not lost."""


def port_address(port: int, offset: int) -> int:
    """Word address of a port's register."""
    return PORT_BASE + port * PORT_STRIDE + offset


def vc_map_reset(config: SwitchConfig) -> int:
    """Reset value of ``VC_MAP``: class n goes to VC n mod V."""
    return sum((n % config.vcs) << (4 * n) for n in range(8))
