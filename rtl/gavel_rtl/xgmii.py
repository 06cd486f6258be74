# SPDX-License-Identifier: Apache-2.0
"""XGMII of 64 bits: its signature and characters (docs/xgmii.md, Words)."""

from amaranth.hdl import Cat, Value, unsigned
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import Out

from gavel_model.config import ConfigError, SwitchConfig
from gavel_rtl.preamble import CHECK_BITS

LANES = 8
COLUMN_LANES = 4
DATA_BITS = 8 * LANES
ALL_CONTROL = (1 << LANES) - 1


class Character(enum.Enum, shape=unsigned(8)):
    """Control characters (IEEE 802.3, 46.3)."""

    IDLE = 0x07
    SIGNAL = 0x5C
    SEQUENCE = 0x9C
    START = 0xFB
    TERMINATE = 0xFD
    ERROR = 0xFE


class Fault(enum.Enum, shape=unsigned(2)):
    """State of a link; the value of a fault is the last byte of its set."""

    NONE = 0
    LOCAL = 1
    REMOTE = 2


def word(*characters: Character) -> int:
    """Data of a word of control characters: those given from lane 0 on, and Idles."""
    lanes = [*characters, *[Character.IDLE] * (LANES - len(characters))]
    return sum(lane.value << 8 * n for n, lane in enumerate(lanes))


IDLE_WORD = word()
ERROR_WORD = word(*[Character.ERROR] * LANES)
TERMINATE_WORD = word(Character.TERMINATE)


class Xgmii(wiring.Signature):
    """One direction of XGMII, as its driver sees it; Idle after reset.

    Members
    -------
    data
        Lane n in bits 8n+7...8n.
    ctl
        Bit n: lane n has a control character.
    """

    def __init__(self):
        super().__init__({"data": Out(DATA_BITS, init=IDLE_WORD),
                          "ctl": Out(LANES, init=ALL_CONTROL)})


class KnownOfWord(wiring.Signature):
    """What XGMII needs of the word that is shown, made before the register.

    Members
    -------
    good
        There is a word, and it has no ``err``.
    kept
        For each lane, it is no unused one of a last word.
    check
        Check byte of ``seq``.
    """

    def __init__(self):
        super().__init__({"good": Out(1), "kept": Out(LANES), "check": Out(CHECK_BITS)})


def lanes_with(character: Character, data: Value, ctl: Value) -> Value:
    """Which lanes have a control character, one bit a lane."""
    return Cat(ctl[n] & (data[8 * n:8 * n + 8] == character.value) for n in range(len(ctl)))


def require_width(config: SwitchConfig) -> None:
    """Refuses what has no XGMII.

    Raises
    ------
    ConfigError
        If the data width is not 64.
    """
    if config.data_width != DATA_BITS:
        raise ConfigError("data_width", config.data_width, f"{DATA_BITS} bits for XGMII")
