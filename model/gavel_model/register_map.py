# SPDX-License-Identifier: Apache-2.0
"""Addresses, counters and reset values of the register port (docs/spec.md, Registers)."""

from __future__ import annotations

from enum import IntEnum

from gavel_model.config import SwitchConfig

ID_VALUE = 0x4741564C
"""ASCII "GAVL"."""

VERSION = (0, 3, 0)
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
PORT_STRIDE = 0x100


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
    VC_WEIGHTS = 0x0F
    VC_CONTROL = 0x10
    CBFC_CONTROL = 0x11
    CBFC_SENDER = 0x12
    CBFC_RECEIVER = 0x13
    CBFC_TOTAL_LIMIT = 0x14
    CBFC_CF_MIN = 0x15
    CBFC_CF_MAX = 0x16
    CBFC_CC_PERIOD = 0x17
    PFC_CONTROL = 0x18
    PFC_XOFF = 0x19
    PFC_XON = 0x1A
    PFC_TIME = 0x1B
    PFC_WATCHDOG = 0x1C
    PFC_RESTORE = 0x1D
    MAC_ADDRESS_HI = 0x1E
    MAC_ADDRESS_LO = 0x1F
    COUNTERS = 0x20
    CBFC_STATUS = 0x70
    CBFC_LIMIT = 0x80
    RX_VC_LIMIT = 0x88
    VC_MATCH = 0x90
    CBFC_S_CC = 0x98
    CBFC_S_CF = 0xA0
    CBFC_R_CC = 0xA8
    CBFC_R_CF = 0xB0
    VC_CELLS = 0xB8


PER_VC = (Port.CBFC_LIMIT, Port.RX_VC_LIMIT, Port.VC_MATCH, Port.CBFC_S_CC, Port.CBFC_S_CF,
          Port.CBFC_R_CC, Port.CBFC_R_CF, Port.VC_CELLS)
"""Registers that stand once for each VC: that of VC v at the offset + v."""


READ_ONLY_GLOBALS = (Global.ID, Global.VERSION, Global.PORTS, Global.DATA_WIDTH, Global.VCS,
                     Global.LATENCY, Global.STATUS)
READ_ONLY = (Port.LLR_STATUS, Port.CBFC_STATUS, Port.CBFC_S_CC, Port.CBFC_S_CF, Port.CBFC_R_CC,
             Port.CBFC_R_CF, Port.VC_CELLS)
"""Registers of a port that cannot be written, beside the counters."""


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
    RX_VC_LIMIT = 43
    RX_LOSSLESS_DROP = 44
    CBFC_TX_CF_UPDATE = 45
    CBFC_TX_CC_UPDATE = 46
    CBFC_RX_CF_UPDATE = 47
    CBFC_RX_CC_UPDATE = 48
    CBFC_RX_CF_ERROR = 49
    CBFC_RX_CC_ERROR = 50
    CBFC_RX_RECOVERED = 51
    PFC_TX = 52
    PFC_RX = 53
    PFC_WATCHDOG = 54


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
    Counter.RX_VC_LIMIT,
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


CREDIT_BITS = 20
"""Width of the credit counters and of limits in credits; they are cyclic."""

CELL_LIMIT_BITS = 17
"""Width of a number of cells in a register."""

LARGEST_CREDIT_SIZE = 6
"""Largest exponent n of a credit size of 32 * 2**n bytes."""

LEAST_OVERHEAD = -16
"""Least packet overhead of a credit, bytes."""

QUANTUM_BITS = 512
"""Bit times in a quantum of PFC (IEEE 802.3, annex 31B)."""


class CbfcControl(IntEnum):
    """Bit numbers of ``Port.CBFC_CONTROL``; the masks have a bit for each VC."""

    SENDER = 0
    RECEIVER = 8
    TOTAL = 16
    RESYNC = 17


CBFC_CONTROL_RESET = 1 << CbfcControl.RESYNC


class VcControl(IntEnum):
    """Bit numbers of ``Port.VC_CONTROL``, masks with a bit for each VC."""

    STRICT = 0
    STOP = 8


class PfcControl(IntEnum):
    """Bit numbers of ``Port.PFC_CONTROL``, masks with a bit for each VC."""

    RECEIVE = 0
    TRANSMIT = 8


class CreditUnit(IntEnum):
    """Bit numbers of ``Port.CBFC_SENDER`` and ``Port.CBFC_RECEIVER``."""

    SIZE = 0
    OVERHEAD = 8


NATIVE_CREDIT = 1 << CreditUnit.SIZE
"""64 bytes, no overhead: a credit is a cell of the ingress buffer."""


class CbfcStatus(IntEnum):
    """Bit numbers of ``Port.CBFC_STATUS``, masks with a bit for each VC."""

    WAITING = 0
    PAUSED = 8
    XOFF = 16


class VcMatch(IntEnum):
    """Bit numbers of ``Port.VC_MATCH``."""

    VALUE = 0
    MASK = 8


class ClassFrom(IntEnum):
    """What decides the VC, bits 5:4 of ``Port.PROFILE``; 3 acts as `PROFILE`."""

    PROFILE = 0
    PCP_DEI = 1
    DSCP = 2


CLASS_FROM_SHIFT = 4


def mac_address_reset(port: int) -> int:
    """48-bit reset value of ``MAC_ADDRESS``: 02-00-00-00-00-pp. Ours."""
    return 0x0200_0000_0000 | port


def port_address(port: int, offset: int) -> int:
    """Word address of a port's register."""
    return PORT_BASE + port * PORT_STRIDE + offset


def global_addresses(*, writable: bool = False) -> frozenset[int]:
    """Word addresses of the registers that a switch has once: all, or those to be written."""
    return frozenset(Global) - frozenset(READ_ONLY_GLOBALS if writable else ())


def port_offsets(vcs: int, *, writable: bool = False) -> frozenset[int]:
    """Offsets of the registers that a port with ``vcs`` VCs has: all, or those to be written."""
    names = frozenset(Port) - frozenset(READ_ONLY if writable else ()) - {Port.COUNTERS}
    found = {int(name) for name in names if name not in PER_VC}
    found |= {name + vc for name in PER_VC if name in names for vc in range(vcs)}
    if not writable:
        found |= {Port.COUNTERS + number for number in Counter}
    return frozenset(found)


def is_mapped(config: SwitchConfig, address: int, *, writable: bool = False) -> bool:
    """Whether a word address has a register, or one that can be written."""
    port, offset = divmod(address - PORT_BASE, PORT_STRIDE)
    if 0 <= port < config.ports:
        return offset in port_offsets(config.vcs, writable=writable)
    return address in global_addresses(writable=writable)


def vc_map_reset(config: SwitchConfig) -> int:
    """Reset value of ``VC_MAP``: class n goes to VC n mod V."""
    return sum((n % config.vcs) << (4 * n) for n in range(8))
