# SPDX-License-Identifier: Apache-2.0
"""Registers between the transmit pins of a port and XGMII (docs/xgmii.md, TxSlice)."""

from __future__ import annotations

from collections import deque

from gavel_model.pins import TxPins

_PLACES = 2
_NO_WORD = TxPins()


class TxSlice:
    """Two places for words and two for ordered sets.

    Attributes
    ----------
    ready, ctl_ready
        Pins of the switch, as visible in the cycle.
    """

    __slots__ = ("_sets", "_shown", "_waiting", "ctl_ready", "ready")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._shown: TxPins | None = None
        self._waiting: TxPins | None = None
        self._sets: deque[int] = deque()
        self.ready = True
        self.ctl_ready = True

    def link(self, up: int) -> TxPins:
        """Transmit pins as XGMII sees them in the cycle, with this ``up`` of the switch."""
        word = self._shown or _NO_WORD
        return word._replace(up=up, ctl_valid=int(bool(self._sets)),
                             ctl=self._sets[0] if self._sets else 0)

    def step(self, pins: TxPins, ready: bool, ctl_ready: bool) -> None:
        """Takes the transmit pins of the switch, and the two bits from XGMII."""
        coming = pins if pins.valid and self.ready else None
        if self._sets and ctl_ready:
            self._sets.popleft()
        if pins.ctl_valid and self.ctl_ready:
            self._sets.append(pins.ctl)
        if self._waiting is None:
            self._waiting = coming
        if self._shown is None or ready:
            self._shown = None
            if self._waiting is not None and not (self._waiting.sop and self._sets):
                self._shown, self._waiting = self._waiting, None
        first = any(word is not None and word.sop for word in (self._shown, self._waiting))
        self.ready = self._waiting is None
        self.ctl_ready = len(self._sets) < _PLACES and not first
