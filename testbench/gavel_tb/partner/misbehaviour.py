# SPDX-License-Identifier: Apache-2.0
"""The switchboard of a partner's misbehaviour."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class Fault(Enum):
    """One way to break the rules of docs/llr.md or docs/flow_control.md, or to be a bad link.

    What ``value`` of `Switchboard.arm` means stands with each.
    """

    SKIP = auto()
    """A frame gets its number, but is not sent for the first time."""

    REPEAT = auto()
    """A frame is sent twice with the same number."""

    BAD_FCS = auto()
    """A frame is sent for the first time with a bit flipped."""

    POISON = auto()
    """A frame is sent with a poisoned FCS, in replays, too."""

    WRONG_SEQ = auto()
    """A frame is sent for the first time with a number higher by ``value``."""

    NO_ECHO = auto()
    """The echo of an INIT is not sent."""

    LATE_ECHO = auto()
    """The echo comes ``value`` cycles late."""

    ECHO_VALUE = auto()
    """The echo's sequence number is higher by ``value``."""

    ECHO_DATA = auto()
    """The echo's data is higher by ``value``."""

    NO_ACK = auto()
    """An ACK is not sent, and held to be sent."""

    NO_NACK = auto()
    """A NACK is not sent, and held to be sent."""

    FLIPPED_SET = auto()
    """Bit ``value`` (0...55) of an ordered set is flipped."""

    NO_CF = auto()
    """A CF_Update is not sent, and held to be sent."""

    CF_AGAIN = auto()
    """A CF_Update is sent a second time, at once."""

    CF_COUNT = auto()
    """The first count of a CF_Update is higher by ``value``."""

    CF_VC = auto()
    """The first count of a CF_Update is said to be that of VC ``value``."""

    NO_CC = auto()
    """A CC_Update is not sent, and held to be sent."""

    CC_AGAIN = auto()
    """A CC_Update is sent a second time."""

    CC_COUNT = auto()
    """The counts of a CC_Update are higher by ``value``."""

    CHEAP = auto()
    """A frame is counted as one of a credit less than it costs."""

    UNPAID = auto()
    """A frame is sent without credits for it."""

    NO_PAUSE = auto()
    """A PFC frame is not heeded."""

    PFC_SHAPE = auto()
    """A PFC frame enables the classes of ``value``, too."""

    NO_REFRESH = auto()
    """A pause that has half passed is not asked for again, and held to be asked for."""


class Extra(Enum):
    """Ordered sets that nobody asked for, for `LlrPartner.inject`."""

    OLD_NACK = auto()
    """NACK of ``value`` frames before the newest one that the partner has acknowledged."""

    ACK_AHEAD = auto()
    """ACK of a frame ``value`` after the newest one that was accepted."""

    NACK_AHEAD = auto()
    """NACK of a frame ``value`` after the newest one that was accepted."""

    INIT = auto()
    """INIT with the number of the next first transmission plus ``value``."""

    UNKNOWN = auto()
    """An ordered set of type ``value``."""


class Armed(NamedTuple):
    """A fault that is still to happen so many times."""

    times: int
    value: int


class Switchboard:
    """Faults that are armed.

    Attributes
    ----------
    happened
        How often each has happened.
    """

    def __init__(self) -> None:
        self._armed: dict[Fault, Armed] = {}
        self.happened: dict[Fault, int] = dict.fromkeys(Fault, 0)

    def __bool__(self) -> bool:
        """Whether any is armed."""
        return bool(self._armed)

    def arm(self, fault: Fault, times: int = 1, value: int = 1) -> None:
        """The next ``times`` occasions go wrong."""
        self._armed[fault] = Armed(times, value)

    def clear(self, fault: Fault) -> None:
        """Takes a fault back."""
        self._armed.pop(fault, None)

    def take(self, fault: Fault) -> int | None:
        """On an occasion: the value if the fault happens now, None if it does not."""
        armed = self._armed.get(fault)
        if armed is None:
            return None
        if armed.times > 1:
            self._armed[fault] = Armed(armed.times - 1, armed.value)
        else:
            del self._armed[fault]
        self.happened[fault] += 1
        return armed.value
