# SPDX-License-Identifier: Apache-2.0
"""The top level: the switch with an adapter at every port (docs/top.md)."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_model.config import SwitchConfig
from gavel_model.pins import NO_ACCESS, Inputs, RegisterPins
from gavel_model.switch import Switch
from gavel_model.top_options import TopOptions
from gavel_model.xgmii import XgmiiWord
from gavel_model.xgmii_port import XgmiiPort


class Top:
    """Golden model of the top level with adapters, cycle and bit exact.

    Attributes
    ----------
    switch
        The switch inside.
    ports
        The adapters.

    *Cycle behaviour*: `step` consumes the inputs of the current cycle; afterwards the outputs are
    those of the next one.
    """

    def __init__(self, config: SwitchConfig, options: TopOptions) -> None:
        self.switch = Switch(options.switch_config(config))
        self.ports = [XgmiiPort() for _ in range(config.ports)]

    @property
    def shown(self) -> list[XgmiiWord]:
        """Outputs of each port, as visible in the cycle."""
        return [port.shown for port in self.ports]

    @property
    def rdata(self) -> int:
        """Pin ``reg_rdata``, as visible in the cycle."""
        return self.switch.rdata

    def step(self, words: Sequence[XgmiiWord], register: RegisterPins = NO_ACCESS,
             reset: bool = False) -> None:
        """Consumes the inputs of every port, the register pins and ``rst``."""
        switch = self.switch
        tx = switch.tx
        protect = [port.llr_settings.protect for port in switch.ports]
        ready = ctl_ready = 0
        for number, port in enumerate(self.ports):
            takes_word, takes_set = port.ready(tx[number])
            ready |= takes_word << number
            ctl_ready |= takes_set << number
        switch.step(Inputs(rx=tuple(port.rx for port in self.ports), ready=ready,
                           register=register, reset=int(reset), ctl_ready=ctl_ready))
        for number, port in enumerate(self.ports):
            if reset:
                port.reset()
            else:
                port.step(words[number], tx[number], protect[number])
