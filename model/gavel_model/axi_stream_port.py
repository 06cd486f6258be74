# SPDX-License-Identifier: Apache-2.0
"""AXI4-Stream of one port: both directions (docs/axi_stream.md)."""

from __future__ import annotations

from typing import NamedTuple

from gavel_model.axi_stream_rx import AxiStreamRx, AxiStreamWord
from gavel_model.axi_stream_tx import AxiStreamTx
from gavel_model.config import SwitchConfig
from gavel_model.fcs_append import FcsAppend
from gavel_model.pins import RxPins, TxPins


class AxiStreamInputs(NamedTuple):
    """Input pins in one cycle."""

    s_axis_tvalid: int = 0
    s_axis_tdata: int = 0
    s_axis_tkeep: int = 0
    s_axis_tlast: int = 0
    s_axis_tuser: int = 0
    m_axis_tready: int = 1
    link_up: int = 1


class AxiStreamOutputs(NamedTuple):
    """Output pins in one cycle."""

    m_axis_tvalid: int
    m_axis_tdata: int
    m_axis_tkeep: int
    m_axis_tlast: int
    m_axis_tuser: int
    axis_overflow: int
    axis_discarded: int
    s_axis_tready: int = 1


class AxiStreamPort:
    """Wiring of `AxiStreamRx`, `FcsAppend` and `AxiStreamTx`.

    Parameters
    ----------
    config
        W.
    strip
        The MAC removes the FCS on receive and adds one on transmit.

    Attributes
    ----------
    receive, transmit, append
        The parts; ``append`` is None without ``strip``.
    """

    inputs = AxiStreamInputs

    def __init__(self, config: SwitchConfig, *, strip: bool) -> None:
        self.receive = AxiStreamRx(config)
        self.append = FcsAppend(config) if strip else None
        self.transmit = AxiStreamTx(config, strip=strip)

    def reset(self) -> None:
        """Reset values."""
        self.receive.reset()
        self.transmit.reset()
        if self.append is not None:
            self.append.reset()

    @property
    def rx(self) -> RxPins:
        """Receive pins of the switch, as visible in the cycle."""
        pins = self.receive.pins
        return pins if self.append is None else self.append.pins(pins.up)

    @property
    def outputs(self) -> AxiStreamOutputs:
        """All output pins, as visible in the cycle."""
        overflow = self.append is not None and self.append.overflow
        return AxiStreamOutputs(*self.transmit.word, int(overflow), int(self.transmit.discarded))

    def ready(self, inputs: AxiStreamInputs, tx: TxPins) -> tuple[bool, bool]:
        """Pins ``ready`` and ``ctl_ready`` of the switch, with these on the other pins."""
        return self.transmit.ready(tx, inputs.m_axis_tready, inputs.link_up), True

    def step(self, inputs: AxiStreamInputs, tx: TxPins, protect: bool) -> None:
        """Takes the input pins and the transmit pins of the switch; ``protect`` means nothing."""
        del protect
        self.transmit.step(tx, inputs.m_axis_tready, inputs.link_up)
        if self.append is not None:
            self.append.step(self.receive.pins)
        self.receive.step(AxiStreamWord(*inputs[:len(AxiStreamWord._fields)]), inputs.link_up)
