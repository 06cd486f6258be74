# SPDX-License-Identifier: Apache-2.0
"""From the transmit pins of a port to XGMII (docs/xgmii.md, XgmiiTx)."""

from __future__ import annotations

from enum import Enum, auto

from gavel_model import preamble
from gavel_model.pins import TxPins
from gavel_model.xgmii import (
    ERROR_WORD,
    IDLE_WORD,
    LANES,
    REMOTE_FAULT_WORD,
    TERMINATE_WORD,
    Fault,
    XgmiiWord,
    data_word,
    ordered_set_word,
    preamble_word,
)

GAP_BYTES = 12
"""Mean gap between frames, Terminate included (IEEE 802.3, 46.2.1)."""

MAX_DEFICIT = 7
"""Bytes by which the gaps may be short of that together (IEEE 802.3, 81.3.1.4)."""


class _State(Enum):
    GAP = auto()
    FIRST = auto()
    BODY = auto()
    END = auto()


class XgmiiTx:
    """Transmit side of the adapter.

    Attributes
    ----------
    word
        The word on XGMII, as visible in the cycle.
    aborted, discarded
        In the cycle before, a frame was cut off, or its first word thrown away.
    """

    __slots__ = ("_after_set", "_owed", "_state", "aborted", "discarded", "word")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._state = _State.GAP
        self._owed = 0
        self._after_set = False
        self.word = IDLE_WORD
        self.aborted = False
        self.discarded = False

    def _may_begin(self, pins: TxPins) -> bool:
        return bool(pins.valid and pins.sop) and self._owed <= MAX_DEFICIT

    def _takes_set(self, pins: TxPins) -> bool:
        return bool(pins.ctl_valid) and not (self._after_set and self._may_begin(pins))

    def ready(self, pins: TxPins, fault: Fault) -> tuple[bool, bool]:
        """Pins ``ready`` and ``ctl_ready``, with these on the other pins in the cycle."""
        match self._state:
            case _State.GAP if fault is not Fault.NONE or not pins.up:
                return True, True
            case _State.GAP:
                return not pins.sop, self._takes_set(pins)
            case _State.FIRST:
                return True, False
            case _State.BODY:
                return not pins.sop, False
            case _State.END:
                return False, False

    def step(self, pins: TxPins, fault: Fault, protect: bool) -> None:
        """Takes the pins, the link fault that `XgmiiRx` shows, and ``protect`` (docs/llr.md)."""
        self.aborted = self.discarded = False
        match self._state:
            case _State.GAP:
                self.word = self._gap(pins, fault, protect)
            case _State.FIRST | _State.BODY:
                self.word = self._frame(pins)
            case _State.END:
                self._owed = max(0, self._owed - LANES)
                self._state = _State.GAP
                self.word = TERMINATE_WORD

    def _gap(self, pins: TxPins, fault: Fault, protect: bool) -> XgmiiWord:
        word = IDLE_WORD
        takes_set = self._takes_set(pins)
        may_begin = self._may_begin(pins)
        self._after_set = False
        if not pins.up or fault is not Fault.NONE:
            self.discarded = bool(pins.valid and pins.sop)
            if not pins.up or fault is Fault.LOCAL:
                word = REMOTE_FAULT_WORD
        elif takes_set:
            self._after_set = True
            word = ordered_set_word(pins.ctl)
        elif may_begin:
            self._state = _State.FIRST
            return preamble_word(preamble.encode(pins.seq if pins.llr else None, protect))
        self._owed = max(0, self._owed - LANES)
        return word

    def _frame(self, pins: TxPins) -> XgmiiWord:
        first, self._state = self._state is _State.FIRST, _State.BODY
        missing = not pins.valid or (pins.sop and not first)
        self.aborted = bool(missing)
        last = missing or pins.eop
        used = LANES - pins.empty if pins.eop else LANES
        if missing or pins.err:
            word, used = ERROR_WORD, LANES
        else:
            word = data_word(pins.data.to_bytes(LANES, "little")[:used])
        if last:
            self._state = _State.END if used == LANES else _State.GAP
            # What is left of the word is the first of the gap.
            self._owed += GAP_BYTES - (LANES - used)
        return word
