# SPDX-License-Identifier: Apache-2.0
"""XGMII of one port: both directions, and the link fault between them (docs/xgmii.md)."""

from __future__ import annotations

from typing import NamedTuple

from gavel_model.pins import RxPins, TxPins
from gavel_model.xgmii import IDLE_WORD, XgmiiWord
from gavel_model.xgmii_rx import XgmiiRx
from gavel_model.xgmii_tx import XgmiiTx


class XgmiiInputs(NamedTuple):
    """Input pins in one cycle; Idle by default."""

    xgmii_rxd: int = IDLE_WORD.data
    xgmii_rxc: int = IDLE_WORD.ctl


class XgmiiOutputs(NamedTuple):
    """Output pins in one cycle."""

    xgmii_txd: int
    xgmii_txc: int
    xgmii_fault: int
    xgmii_aborted: int
    xgmii_discarded: int


class XgmiiPort:
    """Wiring of `XgmiiRx` and `XgmiiTx`.

    Attributes
    ----------
    receive, transmit
        The two sides.
    """

    inputs = XgmiiInputs

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
    def outputs(self) -> XgmiiOutputs:
        """All output pins, as visible in the cycle."""
        transmit = self.transmit
        return XgmiiOutputs(*transmit.word, int(self.receive.fault), int(transmit.aborted),
                            int(transmit.discarded))

    def ready(self, inputs: XgmiiInputs, tx: TxPins) -> tuple[bool, bool]:
        """Pins ``ready`` and ``ctl_ready`` of the switch, with these on its transmit pins; the
        input pins mean nothing for them."""
        del inputs
        return self.transmit.ready(tx, self.receive.fault)

    def step(self, inputs: XgmiiInputs, tx: TxPins, protect: bool) -> None:
        """Takes the input pins, the transmit pins of the switch, and the setting ``protect``."""
        self.transmit.step(tx, self.receive.fault, protect)
        self.receive.step(XgmiiWord(*inputs), protect)
