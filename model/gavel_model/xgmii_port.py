# SPDX-License-Identifier: Apache-2.0
"""XGMII of one port: both directions, and the link fault between them (docs/xgmii.md)."""

from __future__ import annotations

from gavel_model.pins import RxPins, TxPins
from gavel_model.xgmii import IDLE_WORD, XgmiiWord
from gavel_model.xgmii_rx import XgmiiRx
from gavel_model.xgmii_tx import XgmiiTx


class XgmiiPort:
    """Wiring of `XgmiiRx` and `XgmiiTx`.

    Attributes
    ----------
    receive, transmit
        The two sides.
    """

    IDLE = IDLE_WORD
    """What a partner with nothing to say sends."""

    def __init__(self) -> None:
        self.receive = XgmiiRx()
        self.transmit = XgmiiTx()

    def reset(self) -> None:
        """Reset values."""
        self.receive.reset()
        self.transmit.reset()

    @property
    def rx(self) -> RxPins:
        """Receive pins of the switch, as visible in the cycle."""
        return self.receive.pins

    @property
    def shown(self) -> XgmiiWord:
        """The word on XGMII, as visible in the cycle."""
        return self.transmit.word

    def ready(self, tx: TxPins) -> tuple[bool, bool]:
        """Pins ``ready`` and ``ctl_ready`` of the switch, with these on its transmit pins."""
        return self.transmit.ready(tx, self.receive.fault)

    def step(self, word: XgmiiWord, tx: TxPins, protect: bool) -> None:
        """Takes the word on XGMII, the transmit pins, and the setting ``protect``."""
        self.transmit.step(tx, self.receive.fault, protect)
        self.receive.step(word, protect)
