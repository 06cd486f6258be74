# SPDX-License-Identifier: Apache-2.0
"""Bench of telemetry as a whole: a watched switch with everything on its pins, RTL against model,
what is observed of each port and every pin in every cycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gavel_model.config import SwitchConfig
from gavel_model.observation import Observation
from gavel_model.pins import IDLE, NO_ACCESS, Inputs, TxPins
from gavel_model.selftest import TestedSwitch
from gavel_model.telemetry import TelemetryPins, WatchedSwitch
from gavel_model.top_options import TopOptions
from gavel_tb.block_sim import expect
from gavel_tb.build_cache import BuildCache, Design
from gavel_tb.effort import QUICK
from gavel_tb.lockstep import RESET_CYCLES
from gavel_tb.observer import check_observations, observation_signals
from gavel_tb.random_pins import RandomPins
from gavel_tb.row_simulation import RowSimulation, pack, port_widths, unpack
from gavel_tb.stimulus import derived_random
from gavel_tb.telemetry_accesses import TelemetryAccesses
from gavel_tb.top import telemetry_pins

OPTIONS = TopOptions(telemetry=True)
"""The top level that is played."""

_ACCESS_RATE = 0.9
_READY = "m_axis_telemetry_tready"


def input_pins(inputs: Inputs, telemetry_ready: int) -> dict[str, int]:
    """Input pins by name."""
    rx, ready, register, reset, ctl_ready = inputs
    values = {"rst": reset, _READY: telemetry_ready}
    values |= {f"reg_{name}": value for name, value in register._asdict().items()}
    for number, pins in enumerate(rx):
        values |= {f"p{number}_rx_{name}": value for name, value in pins._asdict().items()}
        values[f"p{number}_tx_ready"] = ready >> number & 1
        values[f"p{number}_tx_ctl_ready"] = ctl_ready >> number & 1
    return values


def output_pins(tx: Sequence[TxPins], rdata: int, telemetry: TelemetryPins) -> dict[str, int]:
    """Output pins by name."""
    values = {"reg_rdata": rdata, **telemetry_pins(telemetry)}
    for number, pins in enumerate(tx):
        values |= {f"p{number}_tx_{name}": value for name, value in pins._asdict().items()}
    return values


class TelemetryPlay:
    """Inputs of a run, and what the model makes of them.

    Parameters
    ----------
    config
        The switch.
    seed
        All inputs follow from it.
    cycles
        How long.
    self_test
        The self-test stands around the switch; it stays off.

    Attributes
    ----------
    inputs, shown, observed
        Of each cycle: input pins, output pins, and the observation of each port.
    """

    def __init__(self, config: SwitchConfig, seed: int, cycles: int, *,
                 self_test: bool = False) -> None:
        self._config = config
        tested = TestedSwitch(config, telemetry=True) if self_test else None
        watched = tested.switch if tested else WatchedSwitch(config)
        assert isinstance(watched, WatchedSwitch)
        model = tested or watched
        self.inputs: list[dict[str, int]] = []
        self.shown: list[dict[str, int]] = []
        self.observed: list[list[Observation]] = []
        rng = derived_random(seed, "telemetry")
        pins = RandomPins(config, seed)
        accesses = TelemetryAccesses(config, rng, _ACCESS_RATE)
        ready_rate = 1.0
        for cycle in range(cycles):
            given = pins.step(watched)
            if given.register is NO_ACCESS:
                given = given._replace(register=accesses.step())
            if cycle % 256 == 0:
                ready_rate = rng.choice((1, 1, 0.5, 0.1))
            watched.telemetry_ready = int(rng.random() < ready_rate)
            self.inputs.append(input_pins(given, watched.telemetry_ready))
            self.shown.append(output_pins(model.tx, model.rdata, watched.telemetry.pins))
            model.step(given)
            self.observed.append(watched.observed)

    def check(self, design: Design, cache: Path, arguments: Sequence[str] = ()) -> set[str]:
        """Plays the RTL and compares it; pins and members of observations that were not always 0.

        Raises
        ------
        CheckError
            At the first difference.
        """
        below = design.sidecar["probes"]["p0.free_cells"]["path"].partition("port0.")[0]
        inside = observation_signals(self._config, below)
        outputs = port_widths(design.sidecar["ports"], "output")
        rows = self._rows(design, outputs | inside, cache, arguments)
        seen = self._compare_pins(outputs, rows)
        bits = sum(outputs.values())
        return seen | check_observations(
            self._config, below, [unpack(inside, row >> bits) for row in rows], self.observed,
            [given["rst"] for given in self.inputs])

    def rtl_pins(self, design: Design, cache: Path) -> list[dict[str, int]]:
        """Output pins of a design, a switch with telemetry or without, with the same inputs."""
        outputs = port_widths(design.sidecar["ports"], "output")
        return [unpack(outputs, row) for row in self._rows(design, outputs, cache)]

    def _rows(self, design: Design, outputs: Mapping[str, int], cache: Path,
              arguments: Sequence[str] = ()) -> list[int]:
        """What a design shows."""
        inputs = port_widths(design.sidecar["ports"], "input")
        idle = input_pins(Inputs((IDLE,) * self._config.ports, 0, reset=1), 0)
        with RowSimulation(self._config, design, inputs, outputs, cache=cache,
                           arguments=arguments, effort=QUICK) as simulation:
            simulation.run([pack(inputs, idle)] * RESET_CYCLES)
            return simulation.run(pack(inputs, given) for given in self.inputs)

    def _compare_pins(self, outputs: Mapping[str, int], rows: Sequence[int]) -> set[str]:
        mask = (1 << sum(outputs.values())) - 1
        ever = 0
        for cycle, (row, wanted) in enumerate(zip(rows, self.shown, strict=True)):
            ever |= row
            if row & mask != pack(outputs, wanted):
                values = unpack(outputs, row)
                wrong = [name for name in outputs if values[name] != wanted[name]]
                expect(f"cycle {cycle}", {name: values[name] for name in wrong},
                       {name: wanted[name] for name in wrong})
        return {name for name, value in unpack(outputs, ever).items() if value}


def telemetry_design(config: SwitchConfig, cache: Path, *, self_test: bool = False) -> Design:
    """The Verilog that is played."""
    return BuildCache(cache).design(config, replace(OPTIONS, self_test=self_test))
