# SPDX-License-Identifier: Apache-2.0
"""The two output registers of a port (docs/spec.md, LlrTransmitter and LinkTx)."""

from __future__ import annotations

from gavel_model.pins import TxPins

IDLE_UP = TxPins(up=1)
"""Pins of an enabled port that sends nothing."""


class LinkTx:
    """Transmit side of a port's link: what `LlrTransmitter` and `ControlTransmitter` have loaded.

    Attributes
    ----------
    word
        O of the specification: the frame word on the pins, or None.
    ctl
        The ordered set on the pins, D1...D7, or None.
    init_waiting
        It is LLR_INIT, or one is to follow, as visible in the cycle; only kept up to date in INIT.
    """

    __slots__ = ("ctl", "init_waiting", "word")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.word: TxPins | None = None
        self.ctl: int | None = None
        self.init_waiting = False

    def pins(self) -> TxPins:
        """All transmit pins, of an enabled port."""
        word = self.word or IDLE_UP
        return word if self.ctl is None else word._replace(ctl_valid=1, ctl=self.ctl)
