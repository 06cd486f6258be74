# SPDX-License-Identifier: Apache-2.0
"""Addresses, counters and reset values of the register port (docs/spec.md, Registers)."""

from __future__ import annotations

from enum import IntEnum

from gavel_model.config import SwitchConfig

ID_VALUE = 0x4741564C
"""ASCII "GAVL"."""

VERSION = (0, 2, 0)
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
PORT_STRIDE = 0x80


class Port(IntEnum):
    """Offsets of the registers that each port has, in words from its base."""

    CONTROL = 0x00
    PROFILE = 0x01
    VC_MAP = 0x02
    ECN_THRESHOLD = 0x03
    LLR_CONTROL = 0x04
    LLR_WINDOW_FRAMES = 0x05
    LLR_WINDOW_CELLS = 0x06
    LLR_REPLAY_TIMER = 0x07
    LLR_PCS_LOST = 0x08
    LLR_DATA_AGE = 0x09
    LLR_REPLAY_COUNT = 0x0A
    LLR_SPACING = 0x0B
    LLR_INIT_SEQ = 0x0C
    LLR_INIT_DATA = 0x0D
    LLR_STATUS = 0x0E
    COUNTERS = 0x20


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
    RX_LLR = 17
    RX_POISONED = 18
    LLR_TX_INIT_CTL_OS = 19
    LLR_TX_INIT_ECHO_CTL_OS = 20
    LLR_TX_ACK_CTL_OS = 21
    LLR_TX_NACK_CTL_OS = 22
    LLR_TX_DISCARD = 23
    LLR_TX_OK = 24
    LLR_TX_POISONED = 25
    LLR_TX_REPLAY = 26
    LLR_RX_INIT_CTL_OS = 27
    LLR_RX_INIT_ECHO_CTL_OS = 28
    LLR_RX_ACK_CTL_OS = 29
    LLR_RX_NACK_CTL_OS = 30
    LLR_RX_ACK_NACK_SEQ_ERROR = 31
    LLR_RX_OK = 32
    LLR_RX_POISONED = 33
    LLR_RX_BAD = 34
    LLR_RX_EXPECTED_SEQ_GOOD = 35
    LLR_RX_EXPECTED_SEQ_POISONED = 36
    LLR_RX_EXPECTED_SEQ_BAD = 37
    LLR_RX_MISSING_SEQ = 38
    LLR_RX_DUPLICATE_SEQ = 39
    LLR_RX_REPLAY = 40
    LLR_RX_CTL_UNKNOWN = 41
    LLR_TX_FLUSH = 42


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
    Counter.RX_POISONED,
    Counter.LLR_TX_DISCARD,
)
"""Counters that stand for a frame lost. MAC Control frames are consumed, not lost, and what
link-level retry does not accept is sent again."""


class LlrControl(IntEnum):
    """Bit numbers of ``Port.LLR_CONTROL``; the two actions have two bits."""

    LOCAL = 0
    REMOTE = 1
    INIT_ACTION = 2
    FLUSH_ACTION = 4
    REINIT = 6
    PROTECT = 7
    FORWARD_POISONED = 8


class Action(IntEnum):
    """What happens to frames while link-level retry is in INIT or FLUSH."""

    BEST_EFFORT = 0
    DISCARD = 1
    BLOCK = 2


LLR_CONTROL_BITS = 9
LLR_CONTROL_RESET = (
    Action.BLOCK << LlrControl.INIT_ACTION | Action.DISCARD << LlrControl.FLUSH_ACTION
    | 1 << LlrControl.REINIT | 1 << LlrControl.PROTECT
)
SPACING_BITS = 16
"""Each half of ``Port.LLR_SPACING``: ACK spacing below, spacing of any two sets above."""


def port_address(port: int, offset: int) -> int:
    """Word address of a port's register."""
    return PORT_BASE + port * PORT_STRIDE + offset


def vc_map_reset(config: SwitchConfig) -> int:
    """Reset value of ``VC_MAP``: class n goes to VC n mod V."""
    return sum((n % config.vcs) << (4 * n) for n in range(8))
