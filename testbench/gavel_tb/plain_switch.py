# SPDX-License-Identifier: Apache-2.0
"""The golden model in plain Python, driven in blocks of cycles."""

from __future__ import annotations

from gavel_fast.pin_block import UP, InputBlock, OutputBlock, get_pins, put_pins
from gavel_model.config import SwitchConfig
from gavel_model.link_tx import IDLE_UP
from gavel_model.pins import IDLE, NO_ACCESS, Inputs, RegisterPins, RxPins
from gavel_model.register_map import COUNTERS
from gavel_model.switch import Switch


class PlainSwitch:
    """`gavel_model.switch.Switch` behind the interface of all engines.

    Attributes
    ----------
    config
        Its parameters.
    switch
        The model.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self.config = config
        self.switch = Switch(config)

    @property
    def cycle(self) -> int:
        """Cycles stepped since construction."""
        return self.switch.cycle

    def reset(self) -> None:
        """Gives everything its reset value."""
        self.switch.reset()

    def counters(self) -> list[list[int]]:
        """Counters of each port, by `gavel_model.register_map.Counter`."""
        return [[port.counters[n] for n in range(COUNTERS)] for port in self.switch.ports]

    def probe_values(self) -> list[int]:
        """As `Switch.probe_values`."""
        return self.switch.probe_values()

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        """Steps through all cycles of ``inputs`` and fills as many rows of ``outputs``."""
        switch = self.switch
        tx = outputs.tx
        for array in (tx.flags, tx.seq, tx.ctl, tx.data):
            array.fill(0)
        # Most pins of most cycles are idle: the model knows them by identity, and is told at once.
        flags = inputs.rx.flags.tolist()
        controls = (inputs.ready.tolist(), inputs.ctl_ready.tolist(), inputs.register.tolist(),
                    inputs.reset.tolist())
        for cycle, (row, ready, ctl_ready, register, reset) in enumerate(
                zip(flags, *controls, strict=True)):
            for port, pins in enumerate(switch.tx):
                if pins is IDLE_UP:
                    tx.flags[cycle, port] = UP
                else:
                    put_pins(tx, cycle, port, pins)
            outputs.rdata[cycle] = switch.rdata
            access = NO_ACCESS if not register else RegisterPins(
                register & 0xFFFF, register >> 16 & 0xFFFFFFFF, register >> 48 & 1,
                register >> 49 & 1)
            switch.step(Inputs(
                tuple([IDLE if word == UP else RxPins(**get_pins(inputs.rx, cycle, port))
                       for port, word in enumerate(row)]),
                ready, access, reset, ctl_ready))
