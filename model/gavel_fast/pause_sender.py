# SPDX-License-Identifier: Apache-2.0
"""Sending side of PFC (docs/flow_control.md, PFC)."""

from __future__ import annotations

import numpy as np

from gavel_fast.compiled import Ints, compiled
from gavel_fast.sizes import GATE_STAGES, QUANTUM, VCS
from gavel_model.config import SwitchConfig
from gavel_model.register_map import PfcControl, Port

XOFF = 0
"""Mask of VCs that are to pause."""

WANTED = 1
"""``pfc_wanted``."""

_SINCE = 2
"""Cycle in which ``since_pfc`` was 0."""

_CHANGED = 3
"""With ``gate_stages`` = 2: ``xoff`` changed in the cycle before."""

_COUNT = 4

_LONG_AGO = -(1 << 19)
_PFC_CONTROL = int(Port.PFC_CONTROL)
_TRANSMIT = int(PfcControl.TRANSMIT)
_XOFF = int(Port.PFC_XOFF)
_XON = int(Port.PFC_XON)
_TIME = int(Port.PFC_TIME)


def pause_sender(config: SwitchConfig) -> Ints:
    """Reset values, (P, fields)."""
    state = np.zeros((config.ports, _COUNT), np.int64)
    state[:, _SINCE] = _LONG_AGO
    return state


@compiled
def step(
    pauses: Ints, registers: Ints, sizes: Ints, vc_cells: Ints, now: int, p: int, taken: bool
) -> None:
    """The work of a cycle on what is visible in it; ``taken`` tells that a PFC frame is taken."""
    before = pauses[p, XOFF]
    transmit = registers[p, _PFC_CONTROL] >> _TRANSMIT & 0xFF
    after = 0
    for v in range(sizes[VCS]):
        if transmit >> v & 1:
            cells = vc_cells[p, v]
            if cells >= registers[p, _XOFF] or (
                cells > registers[p, _XON] and before >> v & 1
            ):
                after |= 1 << v
    pauses[p, XOFF] = after
    refresh = registers[p, _TIME] * sizes[QUANTUM] // 2
    changes = after != before
    if sizes[GATE_STAGES] > 1:
        changed = bool(pauses[p, _CHANGED])
        pauses[p, _CHANGED] = 1 if changes else 0
        changes = changed
    if changes:
        pauses[p, WANTED] = 1
    elif taken:
        pauses[p, WANTED] = 0
    elif before and now - pauses[p, _SINCE] >= refresh:
        pauses[p, WANTED] = 1
    if taken:
        pauses[p, _SINCE] = now + 1
