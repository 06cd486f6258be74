# SPDX-License-Identifier: Apache-2.0
"""What telemetry sees of a port in a cycle (docs/telemetry.md, chapter 1)."""

from __future__ import annotations

from typing import NamedTuple


class Observation(NamedTuple):
    """A port in one cycle, by the names of docs/telemetry.md; masks have bit v for VC v, and
    ``count`` has bit n for counter n."""

    count: int = 0  # type: ignore[assignment]  # of a tuple, too; nobody counts these
    rx_bytes: int = 0
    tx_bytes: int = 0
    up: int = 1
    state: int = 0
    filed: int = 0
    filed_voq: int = 0
    filed_cells: int = 0
    filed_length: int = 0
    dropped: int = 0
    dropped_vc: int = 0
    opened: int = 0
    opened_voq: int = 0
    opened_cells: int = 0
    sent: int = 0
    sent_vc: int = 0
    sent_length: int = 0
    cells: int = 0
    vc_cells: tuple[int, ...] = ()
    credits_used: tuple[int, ...] = ()
    shown: int = 0
    startable: int = 0
    sending: int = 0
    claim: int = 0
    hold: int = 0
    paused: int = 0
    no_credit: int = 0
    stopped: int = 0
