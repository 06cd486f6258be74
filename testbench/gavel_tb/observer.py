# SPDX-License-Identifier: Apache-2.0
"""Bench of the observations of the ports: those of the RTL against those of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gavel_model.config import SwitchConfig
from gavel_model.observation import Observation
from gavel_rtl.telemetry_interfaces import Observation as Signature
from gavel_tb.block_sim import expect
from gavel_tb.row_simulation import member_widths

_OF_A_FRAME = {
    "filed": ("filed_voq", "filed_cells", "filed_length", "filed_cell"),
    "dropped": ("dropped_vc",),
    "opened": ("opened_voq", "opened_cells", "opened_cell"),
    "sent": ("sent_vc", "sent_length"),
}
"""Members that mean nothing without another one."""

_RTL_ONLY = ("filed_cell", "opened_cell")
"""What names a frame in the RTL."""


def observed(values: Mapping[str, int], vcs: int) -> Observation:
    """An observation of the RTL in the form of the model; what means nothing is 0."""
    seen = {name: value for name, value in values.items()
            if "__" not in name and name not in _RTL_ONLY}
    for whether, names in _OF_A_FRAME.items():
        if not seen[whether]:
            seen |= {name: 0 for name in names if name in seen}
    arrays = {name: tuple(values[f"{name}__{vc}"] for vc in range(vcs))
              for name in ("vc_cells", "credits_used")}
    return Observation(**seen, **arrays)  # type: ignore[arg-type]  # names decide


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


def observation_signals(config: SwitchConfig, below: str) -> dict[str, int]:
    """Widths of the members of all observations by their paths; ``below`` is that of the switch,
    with a dot behind it, in the design."""
    members = member_widths(Signature(config))
    return {f"{below}port{port}.observation__{name}": width
            for port in range(config.ports) for name, width in members.items()}


def check_observations(
    config: SwitchConfig, below: str, shown: Sequence[Mapping[str, int]],
    wanted: Sequence[Sequence[Observation]], resets: Sequence[int],
) -> set[str]:
    """Compares the observations of all ports in all cycles; members that were not always 0.

    Parameters
    ----------
    shown
        Of each cycle the `observation_signals` of the RTL.
    wanted
        Of each cycle and port what the model says.
    resets
        Cycles in which nothing is observed.

    Raises
    ------
    CheckError
        At the first difference.
    """
    seen: set[str] = set()
    cells = [FirstCells() for _ in range(config.ports)]
    names = list(member_widths(Signature(config)))
    for cycle, values in enumerate(shown):
        for port in range(config.ports):
            if resets[cycle]:
                cells[port].reset()
                continue
            where, prefix = f"cycle {cycle}, port {port}", f"{below}port{port}.observation__"
            mine = {name: values[prefix + name] for name in names}
            rtl, model = observed(mine, config.vcs), wanted[cycle][port]
            wrong = [name for name, value in rtl._asdict().items() if value != getattr(model, name)]
            expect(where, {name: getattr(rtl, name) for name in wrong},
                   {name: getattr(model, name) for name in wrong})
            cells[port].check(where, mine)
            seen.update(name for name, value in rtl._asdict().items()
                        if (any(value) if isinstance(value, tuple) else value))
    return seen
