# SPDX-License-Identifier: Apache-2.0
"""From XGMII to the receive pins of a port (docs/xgmii.md, XgmiiRx)."""

from __future__ import annotations

from enum import Enum, auto

from gavel_model import preamble
from gavel_model.link_fault import LinkFault
from gavel_model.pins import RxPins
from gavel_model.xgmii import (
    COLUMN_LANES,
    ERROR,
    LANES,
    START,
    TERMINATE,
    Fault,
    XgmiiWord,
    fault_sets,
    ordered_set,
)

_HALF_BITS = 8 * COLUMN_LANES


class _State(Enum):
    GAP = auto()
    FIRST = auto()
    BODY = auto()


def _joined(early: XgmiiWord, late: XgmiiWord) -> XgmiiWord:
    """The upper column of a word and the lower one of the next."""
    return XgmiiWord(
        early.data >> _HALF_BITS | (late.data & (1 << _HALF_BITS) - 1) << _HALF_BITS,
        early.ctl >> COLUMN_LANES | (late.ctl & 0xF) << COLUMN_LANES,
    )


class XgmiiRx:
    """Receive side of the adapter.

    Attributes
    ----------
    pins
        The receive pins of the port, as visible in the cycle.
    """

    __slots__ = ("_before", "_link_fault", "_preamble", "_shifted", "_state", "pins")

    def __init__(self) -> None:
        self._link_fault = LinkFault()
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._link_fault.reset()
        self._before = XgmiiWord(0, 0)
        self._state = _State.GAP
        self._shifted = False
        self._preamble: tuple[int, int] | None = (0, 0)
        self.pins = RxPins()

    @property
    def fault(self) -> Fault:
        """Link fault, as visible in the cycle."""
        return self._link_fault.fault

    def step(self, word: XgmiiWord, protect: bool) -> None:
        """Takes the word on XGMII, and the setting ``protect`` (docs/llr.md)."""
        before, self._before = self._before, word
        joined = _joined(before, word)
        second_half = self._state is _State.FIRST and self._shifted
        pins = self._frame_word(joined, word, 4) if self._shifted \
            else self._frame_word(before, word, 0)

        if before.character(0) == START and not second_half:
            self._begin(before, False, protect)
        elif before.character(COLUMN_LANES) == START:
            self._begin(joined, True, protect)

        for column in fault_sets(before):
            self._link_fault.step(column)
        ctl = ordered_set(before)
        self.pins = pins._replace(
            ctl_valid=int(ctl is not None), ctl=ctl or 0, up=int(self.fault is Fault.NONE)
        )

    def _frame_word(self, aligned: XgmiiWord, following: XgmiiWord, lane: int) -> RxPins:
        """The pins for eight lanes of a frame; what is behind them is in ``lane``."""
        if self._state is _State.GAP:
            return RxPins(data=aligned.data)
        sop = self._state is _State.FIRST
        llr, seq = self._preamble if sop and self._preamble is not None else (0, 0)
        err = sop and self._preamble is None
        used, last = LANES, following.character(lane)
        for place in range(LANES):
            character = aligned.character(place)
            if character == ERROR:
                err = True
            elif character is not None:
                used, last = place, character
                break
        eop = last is not None and last != ERROR
        err |= used == 0 or (eop and last != TERMINATE)
        self._state = _State.GAP if eop else _State.BODY
        return RxPins(valid=1, sop=int(sop), eop=int(eop), err=int(err), llr=llr, seq=seq,
                      empty=LANES - max(used, 1), data=aligned.data)

    def _begin(self, word: XgmiiWord, shifted: bool, protect: bool) -> None:
        """A Start: ``word`` is the preamble."""
        self._state = _State.FIRST
        self._shifted = shifted
        self._preamble = None
        if word.ctl == 1:
            self._preamble = preamble.decode(word.data.to_bytes(LANES, "little"), protect)
