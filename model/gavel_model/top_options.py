# SPDX-License-Identifier: Apache-2.0
"""What stands around the switch at the top level: port adapters, register adapter, crossing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gavel_model.address_map import AddressMap
from gavel_model.config import ConfigError, SwitchConfig
from gavel_model.selftest_map import SELF_TEST_MAP
from gavel_model.telemetry_map import TELEMETRY_MAP

PORTS = ("segment", "xgmii", "axi_stream")
"""What the pins of a port are: those of docs/spec.md, chapter Port pins, or of an adapter."""

REGISTERS = ("plain", "axi_lite")
"""What the pins of the registers are: those of docs/spec.md, chapter Registers, or AXI4-Lite."""

FCS = ("strip", "keep")
"""What a MAC on AXI4-Stream does with the FCS: removes and adds it, or hands it over."""

XGMII_BITS = 64
"""Width of an XGMII word; of a switch with the ports' clock, too."""

LEAST_CLOCK = {1: 1.0, 2: 1 / 2, 4: 24 / 85, 8: 4 / 21}
"""Clock of the switch, at least, in clocks of its ports, by the number of XGMII words in one of its
words (docs/width.md, How fast the core must be); some parts in a million less will do."""


def xgmii_config(config: SwitchConfig) -> SwitchConfig:
    """A configuration with links as wide as XGMII, for what stands between it and a wider switch.
    A time that fits the wider words may be too short for these, and means nothing there."""
    return replace(config, data_width=XGMII_BITS, replay_timer=0)


@dataclass(frozen=True, kw_only=True)
class TopOptions:
    """The top level around a switch; without arguments the bare switch.

    Attributes
    ----------
    ports
        ``segment``, ``xgmii``, which needs ``data_width`` = 64 or ``crossing``, or ``axi_stream``,
        with which the switch has ``mac`` = ``frames``.
    registers
        ``plain`` or ``axi_lite``.
    crossing
        Each direction of each port has a clock of its own; else all is in that of the switch.
    fcs
        ``strip`` or ``keep``; only with ``axi_stream``.
    self_test
        A traffic generator and a checker stand at every port (docs/selftest.md).
    telemetry
        The switch is watched, and has an interrupt and a stream of records (docs/telemetry.md).

    Raises
    ------
    ConfigError
        For a name that is not known, or an option that nothing follows from.
    """

    ports: str = "segment"
    registers: str = "plain"
    crossing: bool = False
    fcs: str = "strip"
    self_test: bool = False
    telemetry: bool = False

    def __post_init__(self) -> None:
        for field, names in (("ports", PORTS), ("registers", REGISTERS), ("fcs", FCS)):
            value = getattr(self, field)
            if value not in names:
                raise ConfigError(field, value, "one of " + ", ".join(names))
        if self.fcs != FCS[0] and self.ports != "axi_stream":
            raise ConfigError("fcs", self.fcs, f"{FCS[0]} without ports = axi_stream")

    def clocks(self, ports: int) -> list[str]:
        """Names of the clock domains but that of the switch, for so many ports."""
        return [f"p{number}_{side}" for number in range(ports)
                for side in ("rx", "tx")] if self.crossing else []

    def slices(self, config: SwitchConfig) -> int:
        """Words at the pins of a port that make one of the switch (docs/width.md)."""
        return config.data_width // XGMII_BITS if self.ports == "xgmii" else 1

    @property
    def address_maps(self) -> tuple[AddressMap, ...]:
        """Those that stand beside the map of the switch."""
        return (*((SELF_TEST_MAP,) if self.self_test else ()),
                *((TELEMETRY_MAP,) if self.telemetry else ()))

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
        if self.slices(config) > 1 and not self.crossing:
            raise ConfigError("data_width", config.data_width, f"{XGMII_BITS} with ports = xgmii "
                              f"and one clock: data_width={XGMII_BITS}, or --crossing")
        return replace(config, mac="frames") if self.ports == "axi_stream" else config
