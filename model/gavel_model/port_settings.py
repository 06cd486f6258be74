# SPDX-License-Identifier: Apache-2.0
"""The registers of a port that can be written (docs/spec.md, Registers)."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.register_map import (
    Port,
    config_values,
    is_of_flow_control,
    port_registers,
    reset_values,
)


class PortSettings:
    """Values by offset, and what a write leaves of them.

    Attributes
    ----------
    values
        Registers by offset, as visible in the cycle.
    flow_control
        A register of flow control has been written since reset.
    """

    __slots__ = ("_config", "_index", "_limits", "_registers", "flow_control", "values")

    def __init__(self, config: SwitchConfig, index: int) -> None:
        self._config = config
        self._index = index
        self._registers = port_registers(config.vcs, writable=True)
        self._limits = config_values(config)
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.flow_control = False
        self.values = reset_values(self._config, self._index)

    def write(self, offset: int, value: int) -> bool:
        """Writes a register; returns whether there is one at the offset."""
        if offset not in self._registers:
            return False
        register, _ = self._registers[offset]
        self.values[offset] = register.stored(value, self._limits)
        self.flow_control |= is_of_flow_control(offset)
        return True

    def vc_match(self) -> list[int]:
        """Registers ``VC_MATCH``."""
        return [self.values[Port.VC_MATCH + vc] for vc in range(self._config.vcs)]
