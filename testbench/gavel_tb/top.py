# SPDX-License-Identifier: Apache-2.0
"""Lockstep of a whole top level: every output pin in every cycle, whoever drives the inputs."""

from __future__ import annotations

from typing import Any

from cocotb.triggers import FallingEdge

from gavel_model.axi_lite import AxiLitePins
from gavel_model.config import SwitchConfig
from gavel_model.telemetry import TelemetryPins
from gavel_model.top import Top, TopInputs
from gavel_model.top_options import TopOptions
from gavel_tb.stimulus import CheckError
from gavel_tb.top_harness import pin_layout, unpack


class TopLockstep:
    """Steps the model with what the RTL gets, and compares what both show.

    Inputs are read in the middle of each cycle: whoever drives them does it at the cycle's
    beginning.

    Parameters
    ----------
    dut
        The wrapper of `gavel_tb.top_harness`.
    config, options
        What it was made from.
    ports
        Its pins, as in the sidecar of the Verilog.

    Attributes
    ----------
    model
        The model.
    cycles
        Cycles compared.
    """

    def __init__(self, dut: Any, config: SwitchConfig, options: TopOptions,
                 ports: list[dict[str, Any]]) -> None:
        self._dut = dut
        self._inputs, self._outputs = (pin_layout(ports, direction)
                                       for direction in ("input", "output"))
        self.model = Top(config, options)
        self.cycles = 0

    async def run(self) -> None:
        """For ever.

        Raises
        ------
        CheckError
            At the first difference.
        """
        dut = self._dut
        edge = FallingEdge(dut.clk)
        while True:
            await edge
            self._compare(int(dut.all_outputs.value))
            self._step(unpack(self._inputs, int(dut.all_inputs.value)), int(dut.rst.value))
            self.cycles += 1

    def _compare(self, packed: int) -> None:
        ports, registers, telemetry = self.model.outputs
        shown = {f"p{number}_{name}": value for number, outputs in enumerate(ports)
                 for name, value in outputs._asdict().items()}
        shown |= {f"s_axil_{name}": value for name, value in registers._asdict().items()}
        if telemetry is not None:
            shown |= telemetry_pins(telemetry)
        wanted = 0
        for name, (offset, _) in self._outputs.items():
            wanted |= shown[name] << offset
        if packed != wanted:
            found = unpack(self._outputs, packed)
            name = next(name for name in found if found[name] != shown[name])
            raise CheckError(f"cycle {self.cycles}: {name} is {found[name]:#x}, the model has "
                             f"{shown[name]:#x}")

    def _step(self, pins: dict[str, int], reset: int) -> None:
        ports = [adapter.inputs(**{name: pins[f"p{number}_{name}"]
                                   for name in adapter.inputs._fields})
                 for number, adapter in enumerate(self.model.ports)]
        registers = AxiLitePins(**{name: pins[f"s_axil_{name}"] for name in AxiLitePins._fields})
        self.model.step(TopInputs(ports, registers, reset,
                                  pins.get("m_axis_telemetry_tready", 1)))


def telemetry_pins(shown: TelemetryPins) -> dict[str, int]:
    """Outputs of telemetry by the names of the pins."""
    return {name if name == "irq" else f"m_axis_telemetry_{name}": value
            for name, value in shown._asdict().items()}
