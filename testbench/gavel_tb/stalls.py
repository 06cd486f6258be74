# SPDX-License-Identifier: Apache-2.0
"""Why outputs do not send: every cycle of every VC of every output gets one state
(docs/flow_control.md, Why a VC does not send)."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.observation import Observation
from gavel_model.observer import observe_output
from gavel_model.port import Port
from gavel_model.stall_account import EMPTY, STATES, stall_state
from gavel_model.switch import Switch

MOST_BINS = 120
"""Time bins of a run; their width doubles when they do not suffice."""

_NOBODY = -1


class StallAccount:
    """Counts the states of all VCs of all outputs of a model, cycle by cycle.

    Attributes
    ----------
    cycles
        Cycles seen.
    """

    def __init__(self, config: SwitchConfig) -> None:
        ports, vcs = config.ports, config.vcs
        self._ports, self._vcs = ports, vcs
        self._width = 64
        self._since = [0] * ports
        self._signatures: list[tuple[object, ...]] = [()] * ports
        self._states = [[EMPTY] * vcs for _ in range(ports)]
        # [output][VC][bin][state], cycles.
        self._bins: list[list[list[list[int]]]] = [
            [[[0] * len(STATES)] for _ in range(vcs)] for _ in range(ports)
        ]
        self.cycles = 0

    def watch(self, switch: Switch) -> None:
        """Takes the state of a cycle, before the model is stepped through it."""
        cycle = self.cycles
        self.cycles = cycle + 1
        reading = switch.reading
        free_inputs = ~0
        sending: dict[int, int] = {}
        for i, j, vc, last in reading:
            sending[j] = vc
            if not last:
                free_inputs &= ~(1 << i)
        scheduler = switch.scheduler
        for j, port in enumerate(switch.ports):
            ready = scheduler.ready[j]
            vc = sending.get(j, _NOBODY)
            if any(ready):
                flow_control, transmitter = port.flow_control, port.llr_transmitter
                signature: tuple[object, ...] = (
                    vc, tuple(ready), flow_control.allow, flow_control.paused,
                    flow_control.no_credit, flow_control.transmitter.claim,
                    transmitter.hold, port.link_rx.up, transmitter.state,
                    free_inputs if vc == _NOBODY else 0,
                )
            else:
                signature = (vc,)
            if signature != self._signatures[j]:
                self._close(j, cycle)
                self._signatures[j] = signature
                seen = self._observe(port, ready, vc, free_inputs)
                self._states[j] = [stall_state(seen, v) for v in range(self._vcs)]

    @staticmethod
    def _observe(port: Port, ready: list[int], vc: int, free_inputs: int) -> Observation:
        """What decides the states of an output; ``vc`` is the one that it sends."""
        shown = startable = 0
        for i, vcs in enumerate(ready):
            shown |= vcs
            if free_inputs >> i & 1:
                startable |= vcs
        sending = 0 if vc == _NOBODY else 1 << vc
        return observe_output(port, shown=shown, startable=startable, sending=sending)

    def _close(self, j: int, cycle: int) -> None:
        """Books the states of output j up to a cycle, which is not among them."""
        begin = self._since[j]
        self._since[j] = cycle
        while begin < cycle:
            while begin // self._width >= MOST_BINS:
                self._widen()
            place = begin // self._width
            end = min(cycle, (place + 1) * self._width)
            for rows, state in zip(self._bins[j], self._states[j], strict=True):
                while len(rows) <= place:
                    rows.append([0] * len(STATES))
                rows[place][state] += end - begin
            begin = end

    def _widen(self) -> None:
        self._width *= 2
        for output in self._bins:
            for v, rows in enumerate(output):
                padded = rows if len(rows) % 2 == 0 else [*rows, [0] * len(STATES)]
                output[v] = [
                    [a + b for a, b in zip(first, second, strict=True)]
                    for first, second in zip(padded[::2], padded[1::2], strict=True)
                ]

    def figures(self) -> dict[str, Any]:
        """``states``; ``bin_cycles``; ``bins`` [output][VC][bin][state] and ``totals``
        [output][VC][state] in cycles, which add up to ``cycles`` for every output and VC."""
        for j in range(self._ports):
            self._close(j, self.cycles)
        totals = [
            [[sum(row[state] for row in rows) for state in range(len(STATES))] for rows in output]
            for output in self._bins
        ]
        return {
            "states": list(STATES), "cycles": self.cycles, "bin_cycles": self._width,
            "bins": self._bins, "totals": totals,
        }
