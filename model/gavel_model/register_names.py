# SPDX-License-Identifier: Apache-2.0
"""Names in ``rdl/gavel.rdl``. Made from it by ``make registers``; do not edit."""

from __future__ import annotations

from enum import IntEnum

PORT_BASE = 0x0400
PORT_STRIDE = 0x100
"""Words from the registers of a port to those of the next."""


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


class HeaderProfile(IntEnum):
    """Values of ``PROFILE.profile``."""

    ETHERNET = 0
    ESUN = 1
    AFH12_16 = 2
    AFH12_32 = 3
    AFH6 = 4
    UFH = 5


class ClassFrom(IntEnum):
    """Values of ``PROFILE.class_from``."""

    PROFILE = 0
    PCP_DEI = 1
    DSCP = 2


class Action(IntEnum):
    """Values of ``LLR_CONTROL.init_action``, ``LLR_CONTROL.flush_action``."""

    BEST_EFFORT = 0
    DISCARD = 1
    BLOCK = 2


class LlrTxState(IntEnum):
    """Values of ``LLR_STATUS.tx_state``."""

    OFF = 0
    INIT = 1
    ADVANCE = 2
    REPLAY = 3
    FLUSH = 4


class LlrRxState(IntEnum):
    """Values of ``LLR_STATUS.rx_state``."""

    OFF = 0
    SEND_ACKS = 1
    SEND_NACK = 2
    NACK_SENT = 3


class CreditSize(IntEnum):
    """Values of ``CBFC_SENDER.size``, ``CBFC_RECEIVER.size``."""

    BYTES_32 = 0
    BYTES_64 = 1
    BYTES_128 = 2
    BYTES_256 = 3
    BYTES_512 = 4
    BYTES_1024 = 5
    BYTES_2048 = 6


class Version(IntEnum):
    """Lowest bits of the fields of ``VERSION``."""

    PATCH = 0
    MINOR = 8
    MAJOR = 16


class TableData(IntEnum):
    """Lowest bits of the fields of ``ROUTE_DATA``, ``FDB_DATA``."""

    PORT = 0
    VALID = 31


class Profile(IntEnum):
    """Lowest bits of the fields of ``PROFILE``."""

    PROFILE = 0
    CLASS_FROM = 4


class LlrControl(IntEnum):
    """Lowest bits of the fields of ``LLR_CONTROL``."""

    LOCAL = 0
    REMOTE = 1
    INIT_ACTION = 2
    FLUSH_ACTION = 4
    REINIT = 6
    PROTECT = 7
    FORWARD_POISONED = 8


class LlrSpacing(IntEnum):
    """Lowest bits of the fields of ``LLR_SPACING``."""

    SPACING = 0
    MIN_SPACING = 16


class LlrStatus(IntEnum):
    """Lowest bits of the fields of ``LLR_STATUS``."""

    TX_STATE = 0
    RX_STATE = 4
    REPLAYS = 8


class VcControl(IntEnum):
    """Lowest bits of the fields of ``VC_CONTROL``."""

    STRICT = 0
    STOP = 8


class CbfcControl(IntEnum):
    """Lowest bits of the fields of ``CBFC_CONTROL``."""

    SENDER = 0
    RECEIVER = 8
    TOTAL = 16
    RESYNC = 17


class CreditUnit(IntEnum):
    """Lowest bits of the fields of ``CBFC_SENDER``, ``CBFC_RECEIVER``."""

    SIZE = 0
    OVERHEAD = 8


class PfcControl(IntEnum):
    """Lowest bits of the fields of ``PFC_CONTROL``."""

    RECEIVE = 0
    TRANSMIT = 8


class CbfcStatus(IntEnum):
    """Lowest bits of the fields of ``CBFC_STATUS``."""

    WAITING = 0
    PAUSED = 8
    XOFF = 16


class VcMatch(IntEnum):
    """Lowest bits of the fields of ``VC_MATCH``."""

    VALUE = 0
    MASK = 8
