# SPDX-License-Identifier: Apache-2.0
"""XGMII of one port: both directions, and the link fault between them (docs/xgmii.md)."""

from __future__ import annotations

from typing import NamedTuple

from gavel_model.pins import RxPins, TxPins
from gavel_model.tx_slice import TxSlice
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
    """Wiring of `XgmiiRx`, `XgmiiTx`, and `TxSlice` if there is one.

    Parameters
    ----------
    transmit_stages
        As of `SwitchConfig`.

    Attributes
    ----------
    receive, transmit
        The two sides.
    """

    inputs = XgmiiInputs

    def __init__(self, transmit_stages: int = 0) -> None:
        self.receive = XgmiiRx()
        self.transmit = XgmiiTx()
        self._slice = TxSlice() if transmit_stages else None

    def reset(self) -> None:
        """Reset values."""
        self.receive.reset()
        self.transmit.reset()
        if self._slice:
            self._slice.reset()

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
        if self._slice:
            return self._slice.ready, self._slice.ctl_ready
        return self.transmit.ready(tx, self.receive.fault)

    def step(self, inputs: XgmiiInputs, tx: TxPins, protect: bool) -> None:
        """Takes the input pins, the transmit pins of the switch, and the setting ``protect``."""
        fault = self.receive.fault
        if self._slice:
            link = self._slice.link(tx.up)
            self._slice.step(tx, *self.transmit.ready(link, fault))
        else:
            link = tx
        self.transmit.step(link, fault, protect)
        self.receive.step(XgmiiWord(*inputs), protect)
