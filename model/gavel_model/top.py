# SPDX-License-Identifier: Apache-2.0
"""The top level: the switch with adapters around it (docs/top.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from gavel_model.axi_lite import AxiLite, AxiLiteAnswer, AxiLitePins
from gavel_model.axi_stream_port import AxiStreamPort
from gavel_model.config import SwitchConfig
from gavel_model.pins import Inputs, RxPins, TxPins
from gavel_model.selftest import TestedSwitch
from gavel_model.switch import Switch
from gavel_model.telemetry import TelemetryPins, WatchedSwitch
from gavel_model.top_options import TopOptions
from gavel_model.xgmii_port import XgmiiPort


class Adapter(Protocol):
    """What stands between a port of the switch and pins of another kind.

    Attributes
    ----------
    inputs
        A named tuple with the input pins, which `ready` and `step` get.
    """

    inputs: Any

    def reset(self) -> None:
        """Reset values."""
        ...

    @property
    def rx(self) -> RxPins:
        """Receive pins of the switch, as visible in the cycle."""
        ...

    @property
    def outputs(self) -> Any:
        """A named tuple with the output pins, as visible in the cycle."""
        ...

    def ready(self, inputs: Any, tx: TxPins) -> tuple[bool, bool]:
        """Pins ``ready`` and ``ctl_ready`` of the switch, with these on the other pins."""
        ...

    def step(self, inputs: Any, tx: TxPins, protect: bool) -> None:
        """Takes the input pins, the transmit pins of the switch, and the setting ``protect``."""
        ...


def make_adapter(config: SwitchConfig, options: TopOptions) -> Adapter:
    """The adapter of a port; ``ports`` = ``segment`` has none.

    Raises
    ------
    ValueError
        Without an adapter.
    """
    if options.ports == "xgmii":
        return XgmiiPort(config.transmit_stages)
    if options.ports == "axi_stream":
        return AxiStreamPort(config, strip=options.fcs == "strip")
    raise ValueError(f"ports = {options.ports}: has no adapter")


class TopInputs(NamedTuple):
    """Everything that goes into the top level in one cycle; ``ports`` has one entry per port."""

    ports: Sequence[Any]
    registers: AxiLitePins = AxiLitePins()
    reset: int = 0
    telemetry_ready: int = 1


class TopOutputs(NamedTuple):
    """Everything that comes out of it in one cycle."""

    ports: list[Any]
    registers: AxiLiteAnswer
    telemetry: TelemetryPins | None = None


class Top:
    """Golden model of the top level with port adapters and AXI4-Lite, cycle and bit exact.

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
        self.switch: Switch | TestedSwitch = (
            TestedSwitch(config, telemetry=options.telemetry) if options.self_test
            else WatchedSwitch(config) if options.telemetry else Switch(config))
        inner = self.switch.switch if isinstance(self.switch, TestedSwitch) else self.switch
        self._watched = inner if isinstance(inner, WatchedSwitch) else None
        self.ports = [make_adapter(config, options) for _ in range(config.ports)]
        self._axi_lite = AxiLite(config, options.address_maps)

    @property
    def outputs(self) -> TopOutputs:
        """All outputs, as visible in the cycle."""
        return TopOutputs([port.outputs for port in self.ports],
                          self._axi_lite.answer(self.switch.rdata),
                          self._watched.telemetry.pins if self._watched else None)

    def step(self, inputs: TopInputs) -> None:
        """Consumes the inputs of the current cycle and moves on to the next."""
        switch, tx, rdata = self.switch, self.switch.tx, self.switch.rdata
        if self._watched:
            self._watched.telemetry_ready = inputs.telemetry_ready
        protect = [port.llr_settings.protect for port in switch.ports]
        ready = ctl_ready = 0
        for number, port in enumerate(self.ports):
            takes_word, takes_set = port.ready(inputs.ports[number], tx[number])
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
