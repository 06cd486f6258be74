# SPDX-License-Identifier: Apache-2.0
"""Names, widths and order of the probe points (docs/spec.md, Probe points)."""

from __future__ import annotations

from typing import NamedTuple

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTER_BITS, COUNTERS

LLR_RX_BITS = 22
"""State of `LlrReceiver` in bits 1:0, ``next_rx`` in 21:2."""

LLR_TX_BITS = 87
"""State of `LlrTransmitter` in bits 2:0, ``oldest`` in 22:3, ``next`` in 42:23, ``send`` in 62:43,
``used`` in 86:63."""

CREDIT_TX_BITS = 41
"""Of a VC: S_CC in bits 19:0, ``used`` in 39:20, ``waiting`` in 40."""

CREDIT_RX_BITS = 40
"""Of a VC: R_CC in bits 19:0, ``stored`` in 39:20."""

PAUSE_BITS = 2
"""Of a VC: ``paused`` in bit 0, ``xoff`` in bit 1."""

QUOTA_BITS = 4
"""Of an output and VC: frames that it may still send in this round."""


class Probe(NamedTuple):
    """A probe point: ``elements`` values of ``element_bits`` bits, element 0 in the low bits."""

    name: str
    elements: int
    element_bits: int

    @property
    def width(self) -> int:
        """Bits of the whole vector."""
        return self.elements * self.element_bits


def probe_points(config: SwitchConfig) -> tuple[Probe, ...]:
    """All probe points; in the packed probe vector the first stands in the low bits."""
    points = []
    for port in range(config.ports):
        points.append(Probe(f"p{port}.voq_frames", config.voqs, config.count_bits))
        points.append(Probe(f"p{port}.free_cells", 1, config.count_bits))
        points.append(Probe(f"p{port}.counters", COUNTERS, COUNTER_BITS))
        points.append(Probe(f"p{port}.llr_rx", 1, LLR_RX_BITS))
        points.append(Probe(f"p{port}.llr_tx", 1, LLR_TX_BITS))
        points.append(Probe(f"p{port}.credit_tx", config.vcs, CREDIT_TX_BITS))
        points.append(Probe(f"p{port}.credit_rx", config.vcs, CREDIT_RX_BITS))
        points.append(Probe(f"p{port}.vc_cells", config.vcs, config.count_bits))
        points.append(Probe(f"p{port}.pause", config.vcs, PAUSE_BITS))
    points.append(Probe("scheduler.grant", config.ports, config.ports))
    points.append(Probe("scheduler.accept", config.ports, config.ports))
    points.append(Probe("scheduler.turn", config.voqs, config.ports))
    points.append(Probe("scheduler.catch_up", config.ports, config.ports))
    points.append(Probe("scheduler.quota", config.voqs, QUOTA_BITS))
    return tuple(points)
