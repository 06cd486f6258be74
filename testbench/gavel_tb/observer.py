# SPDX-License-Identifier: Apache-2.0
"""Bench of the observations: those of the RTL against those of the model, of a switch with
everything on its pins."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping
from pathlib import Path

from amaranth.lib.wiring import In

from gavel_model.config import SwitchConfig
from gavel_model.observation import Observation
from gavel_model.observer import Observer
from gavel_model.pins import IDLE, Inputs
from gavel_model.switch import Switch as Model
from gavel_rtl.switch import Switch
from gavel_rtl.telemetry_interfaces import Observation as Signature
from gavel_tb.block_sim import expect
from gavel_tb.build_cache import Design
from gavel_tb.component_sim import components_design
from gavel_tb.lockstep import RESET_CYCLES
from gavel_tb.random_pins import RandomPins
from gavel_tb.row_simulation import RowSimulation, member_widths, pack, pin_widths, unpack

_OF_A_FRAME = {
    "filed": ("filed_voq", "filed_cells", "filed_length", "filed_cell"),
    "dropped": ("dropped_vc",),
    "opened": ("opened_voq", "opened_cells", "opened_cell"),
    "sent": ("sent_vc", "sent_length"),
}
"""Members that mean nothing without another one."""

_RTL_ONLY = ("filed_cell", "opened_cell")
"""What names a frame in the RTL."""


def switch_row(inputs: Inputs) -> dict[str, int]:
    """The pins of a switch by name."""
    rx, ready, register, reset, ctl_ready = inputs
    values = {"rst": reset}
    values |= {f"reg_{name}": value for name, value in register._asdict().items()}
    for number, pins in enumerate(rx):
        values |= {f"p{number}_rx_{name}": value for name, value in pins._asdict().items()}
        values[f"p{number}_tx_ready"] = ready >> number & 1
        values[f"p{number}_tx_ctl_ready"] = ctl_ready >> number & 1
    return values


def in_reset(config: SwitchConfig) -> Inputs:
    """Inputs of a cycle before all others."""
    return Inputs((IDLE,) * config.ports, 0, reset=1)


def observed(values: Mapping[str, int], vcs: int) -> Observation:
    """An observation of the RTL in the form of the model; what means nothing is 0."""
    seen = {name: value for name, value in values.items()
            if "__" not in name and name not in _RTL_ONLY}
    for whether, names in _OF_A_FRAME.items():
        if not seen[whether]:
            seen |= {name: 0 for name in names if name in seen}
    arrays = {name: tuple(values[f"{name}__{vc}"] for vc in range(vcs))
              for name in ("vc_cells", "credits_used")}
    return Observation(**seen, **arrays)  # type: ignore[arg-type]


class FirstCells:
    """Checks what names a frame of an input: a cell that names no other from when the frame is
    filed until it is opened, which it is when it is the oldest of its VOQ.

    Attributes
    ----------
    opened
        Frames seen opened.
    """

    def __init__(self) -> None:
        self._queues: dict[int, list[int]] = {}
        self.opened = 0

    def reset(self) -> None:
        """All frames are gone."""
        self._queues.clear()

    def check(self, where: str, values: Mapping[str, int]) -> None:
        """Takes an observation of the RTL.

        Raises
        ------
        CheckError
            A cell is not right.
        """
        if values["filed"]:
            cell = values["filed_cell"]
            used = any(cell in queue for queue in self._queues.values())
            expect(f"{where}: filed_cell is that of another frame", used, False)
            self._queues.setdefault(values["filed_voq"], []).append(cell)
        if values["opened"]:
            queue = self._queues.get(values["opened_voq"], [])
            expect(f"{where}: opened_cell", [values["opened_cell"]], queue[:1])
            del queue[:1]
            self.opened += 1


def run_observer(config: SwitchConfig, seed: int, *, cycles: int, cache: Path) -> Tally[str]:
    """Compares the observations of all ports in all cycles; how often each member was not 0.

    Raises
    ------
    CheckError
        At the first difference.
    """
    component = Switch(config, telemetry=True)
    made = components_design(component)
    design = Design(made.verilog, {**made.sidecar, "top": "gavel_switch"})
    members = member_widths(Signature(config))
    inputs = {**pin_widths(component, In), "rst": 1}
    outputs = {f"port{port}.observation__{name}": width
               for port in range(config.ports) for name, width in members.items()}
    model, observer, pins = Model(config), Observer(config), RandomPins(config, seed)
    rows, wanted, resets = [], [], []
    for _ in range(cycles):
        given = pins.step(model)
        observer.begin(model)
        model.step(given)
        wanted.append(observer.end(model))
        rows.append(pack(inputs, switch_row(given)))
        resets.append(given.reset)
    with RowSimulation(config, design, inputs, outputs, cache=cache) as simulation:
        simulation.run([pack(inputs, switch_row(in_reset(config)))] * RESET_CYCLES)
        shown = simulation.run(rows)
    return _compare(config, outputs, shown, wanted, resets)


def _compare(config: SwitchConfig, outputs: Mapping[str, int], shown: list[int],
             wanted: list[list[Observation]], resets: list[int]) -> Tally[str]:
    seen: Tally[str] = Tally()
    cells = [FirstCells() for _ in range(config.ports)]
    for cycle, row in enumerate(shown):
        values = unpack(outputs, row)
        for port in range(config.ports):
            if resets[cycle]:
                cells[port].reset()
                continue
            where, prefix = f"cycle {cycle}, port {port}", f"port{port}.observation__"
            mine = {name.removeprefix(prefix): value for name, value in values.items()
                    if name.startswith(prefix)}
            rtl, model = observed(mine, config.vcs), wanted[cycle][port]
            expect(where, {name: value for name, value in rtl._asdict().items()
                           if value != getattr(model, name)},
                   {name: value for name, value in model._asdict().items()
                    if value != getattr(rtl, name)})
            cells[port].check(where, mine)
            seen.update(name for name, value in rtl._asdict().items()
                        if (any(value) if isinstance(value, tuple) else value))
    return seen
