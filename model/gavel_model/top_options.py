# SPDX-License-Identifier: Apache-2.0
"""What stands around the switch at the top level: port adapters, register adapter, crossing."""

from __future__ import annotations

from dataclasses import dataclass

from gavel_model.config import ConfigError, SwitchConfig

PORTS = ("segment", "xgmii")
"""What the pins of a port are: those of docs/spec.md, chapter Port pins, or of an adapter."""

REGISTERS = ("plain", "axi_lite")
"""What the pins of the registers are: those of docs/spec.md, chapter Registers, or AXI4-Lite."""

XGMII_BITS = 64


@dataclass(frozen=True, kw_only=True)
class TopOptions:
    """The top level around a switch; without arguments the bare switch.

    Attributes
    ----------
    ports
        ``segment`` or ``xgmii``, which needs ``data_width`` = 64.
    registers
        ``plain`` or ``axi_lite``.

    Raises
    ------
    ConfigError
        For a name that is not known.
    """

    ports: str = "segment"
    registers: str = "plain"

    def __post_init__(self) -> None:
        for field, names in (("ports", PORTS), ("registers", REGISTERS)):
            value = getattr(self, field)
            if value not in names:
                raise ConfigError(field, value, "one of " + ", ".join(names))

    @property
    def bare(self) -> bool:
        """There is nothing around the switch."""
        return self == TopOptions()

    def switch_config(self, config: SwitchConfig) -> SwitchConfig:
        """The configuration of the switch inside.

        Raises
        ------
        ConfigError
            If the switch cannot have what stands around it.
        """
        if self.ports == "xgmii" and config.data_width != XGMII_BITS:
            raise ConfigError("data_width", config.data_width, f"{XGMII_BITS} with ports = xgmii")
        return config
