# SPDX-License-Identifier: Apache-2.0
"""The top level: the switch with adapters around it (docs/top.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gavel_model.axi_lite import AxiLite, AxiLiteAnswer, AxiLitePins
from gavel_model.config import SwitchConfig
from gavel_model.pins import Inputs
from gavel_model.switch import Switch
from gavel_model.top_options import TopOptions
from gavel_model.xgmii_port import XgmiiInputs, XgmiiOutputs, XgmiiPort


class TopInputs(NamedTuple):
    """Everything that goes into the top level in one cycle; ``ports`` has one entry per port."""

    ports: Sequence[XgmiiInputs]
    registers: AxiLitePins = AxiLitePins()
    reset: int = 0


class TopOutputs(NamedTuple):
    """Everything that comes out of it in one cycle."""

    ports: list[XgmiiOutputs]
    registers: AxiLiteAnswer


class Top:
    """Golden model of the top level with XGMII and AXI4-Lite, cycle and bit exact.

    Parameters
    ----------
    config, options
        The switch, and its surroundings.

    Attributes
    ----------
    switch
        The switch inside.
    ports
        The adapters.

    *Cycle behaviour*: `step` consumes the inputs of the current cycle; afterwards `outputs` are
    those of the next one.
    """

    def __init__(self, config: SwitchConfig, options: TopOptions) -> None:
        config = options.switch_config(config)
        self.switch = Switch(config)
        self.ports = [XgmiiPort() for _ in range(config.ports)]
        self._axi_lite = AxiLite(config)

    @property
    def outputs(self) -> TopOutputs:
        """All outputs, as visible in the cycle."""
        return TopOutputs([port.outputs for port in self.ports],
                          self._axi_lite.answer(self.switch.rdata))

    def step(self, inputs: TopInputs) -> None:
        """Consumes the inputs of the current cycle and moves on to the next."""
        switch, tx, rdata = self.switch, self.switch.tx, self.switch.rdata
        protect = [port.llr_settings.protect for port in switch.ports]
        ready = ctl_ready = 0
        for number, port in enumerate(self.ports):
            takes_word, takes_set = port.ready(tx[number])
            ready |= takes_word << number
            ctl_ready |= takes_set << number
        switch.step(Inputs(rx=tuple(port.rx for port in self.ports), ready=ready,
                           register=self._axi_lite.access(inputs.registers), reset=inputs.reset,
                           ctl_ready=ctl_ready))
        if inputs.reset:
            self._axi_lite.reset()
            for port in self.ports:
                port.reset()
            return
        self._axi_lite.step(inputs.registers, rdata)
        for number, port in enumerate(self.ports):
            port.step(inputs.ports[number], tx[number], protect[number])
