# SPDX-License-Identifier: Apache-2.0
"""Why outputs do not send: every cycle of every VC of every output gets one state
(docs/flow_control.md, Why a VC does not send)."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.llr_timers import TransmitterState
from gavel_model.port import Port
from gavel_model.switch import Switch

STATES = (
    "sending", "empty", "link down", "replay buffer full", "paused", "no credit", "stopped",
    "output busy", "inputs busy", "not chosen",
)  # fmt: skip
"""States in the order in which they are looked at: the first that applies counts."""

STALLS = STATES[2:]
"""States in which a frame waits."""

MOST_BINS = 120
"""Time bins of a run; their width doubles when they do not suffice."""

(_SENDING, _EMPTY, _LINK_DOWN, _BUFFER_FULL, _PAUSED, _NO_CREDIT, _STOPPED, _OUTPUT_BUSY,
 _INPUTS_BUSY, _NOT_CHOSEN) = range(len(STATES))

_NOBODY = -1
_NOT_UP = (TransmitterState.INIT, TransmitterState.FLUSH)


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
        self._states = [[_EMPTY] * vcs for _ in range(ports)]
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
                sender = flow_control.credit_sender
                signature: tuple[object, ...] = (
                    vc, tuple(ready), flow_control.allow, flow_control.pause_receiver.paused,
                    sender.fits, sender.waiting, flow_control.transmitter.claim,
                    transmitter.hold, port.link_rx.up, transmitter.state,
                    free_inputs if vc == _NOBODY else 0,
                )
            else:
                signature = (vc,)
            if signature != self._signatures[j]:
                self._close(j, cycle)
                self._signatures[j] = signature
                self._states[j] = [
                    _SENDING if v == vc else self._state(port, ready, v, vc, free_inputs)
                    for v in range(self._vcs)
                ]

    @staticmethod
    def _state(port: Port, ready: list[int], v: int, vc: int, free_inputs: int) -> int:
        """State of a VC that does not send; ``vc`` is the one of its output that does."""
        inputs = sum(1 << i for i, vcs in enumerate(ready) if vcs >> v & 1)
        if not inputs:
            return _EMPTY
        flow_control, transmitter = port.flow_control, port.llr_transmitter
        # What the transmitter of the model knows of the link is old while it has nothing to do.
        if not port.link_rx.up or transmitter.state in _NOT_UP:
            return _LINK_DOWN
        if transmitter.hold:
            return _BUFFER_FULL
        settings, sender = flow_control.settings, flow_control.credit_sender
        if flow_control.pause_receiver.paused >> v & 1:
            return _PAUSED
        if settings.sender >> v & 1 and (sender.waiting | ~sender.fits) >> v & 1:
            return _NO_CREDIT
        if settings.stop >> v & 1:
            return _STOPPED
        if vc != _NOBODY or flow_control.transmitter.claim:
            return _OUTPUT_BUSY
        return _NOT_CHOSEN if inputs & free_inputs else _INPUTS_BUSY

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
