# SPDX-License-Identifier: Apache-2.0
"""What telemetry sees of a switch (docs/telemetry.md, What is observed)."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.counters import COUNTER_MASK
from gavel_model.observation import Observation
from gavel_model.port import Port
from gavel_model.register_map import Counter
from gavel_model.switch import Switch

_AMOUNTS = (int(Counter.RX_BYTES), int(Counter.TX_BYTES))


class Observer:
    """Observations of a switch that is stepped between `begin` and `end`.

    Parameters
    ----------
    config
        The switch.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._vcs = config.vcs
        self._visible: list[Observation] = []
        self._counters: list[list[int]] = []

    def begin(self, switch: Switch) -> None:
        """Takes what is visible in a cycle, before the switch is stepped through it."""
        frames = self._frames(switch)
        sending = [0] * len(switch.ports)
        inputs_free = ~0
        for i, j, vc, last in switch.reading:
            sending[j] = 1 << vc
            if not last:
                inputs_free &= ~(1 << i)
        self._counters = [list(port.counters.values) for port in switch.ports]
        self._visible = []
        for port, seen in zip(switch.ports, frames, strict=True):
            shown = startable = 0
            for i, vcs in enumerate(switch.scheduler.ready[port.index]):
                shown |= vcs
                if inputs_free >> i & 1:
                    startable |= vcs
            self._visible.append(self._port(port, seen)._replace(
                shown=shown, startable=startable, sending=sending[port.index]))

    def end(self, switch: Switch) -> list[Observation]:
        """The observation of each port in that cycle, after the step."""
        seen = []
        for port, visible, before in zip(switch.ports, self._visible, self._counters,
                                         strict=True):
            after = port.counters.values
            if after == before:
                seen.append(visible)
                continue
            added = [now - was & COUNTER_MASK for now, was in zip(after, before, strict=True)]
            seen.append(visible._replace(
                count=sum(1 << n for n, amount in enumerate(added)
                          if amount and n not in _AMOUNTS),
                rx_bytes=added[Counter.RX_BYTES], tx_bytes=added[Counter.TX_BYTES]))
        return seen

    def _frames(self, switch: Switch) -> list[dict[str, int]]:
        """Frames that were filed, dropped and matched in the cycle before, and those whose first
        word is at `Egress`: members of `Observation` that are not 0."""
        frames: list[dict[str, int]] = [{} for _ in switch.ports]
        for port, frame in switch.arrived:
            i = port.index
            if frame.reason:
                frames[i].update(dropped=1, dropped_vc=frame.vc)
            else:
                frames[i].update(
                    filed=1, filed_voq=frame.output * self._vcs + frame.vc,
                    filed_cells=frame.cells, filed_length=frame.length)
        for (i, j, vc), frame in switch.taken:
            frames[i].update(opened=1, opened_voq=j * self._vcs + vc, opened_cells=frame.cells)
        for j, word, outgoing in switch.crossbar.leaving:
            if word.sop:
                frames[j].update(sent=1, sent_vc=outgoing.vc, sent_length=outgoing.length)
        return frames

    @staticmethod
    def _port(port: Port, frames: dict[str, int]) -> Observation:
        """What a port knows alone."""
        return observe_output(
            port, **frames,
            cells=port.occupied_cells,
            vc_cells=tuple(port.ingress_buffer.vc_cells),
            credits_used=tuple(port.flow_control.credit_sender.used),
        )


def observe_output(port: Port, **others: Any) -> Observation:
    """What may keep the VCs of an output from sending, and ``others``."""
    flow, transmitter = port.flow_control, port.llr_transmitter
    return Observation(
        # What the transmitter of the model knows of the link is old while it has nothing to do.
        up=int(port.link_rx.up),
        state=int(transmitter.state),
        claim=int(flow.transmitter.claim),
        hold=int(transmitter.hold),
        paused=flow.paused,
        no_credit=flow.no_credit,
        stopped=flow.stopped,
        **others,
    )
