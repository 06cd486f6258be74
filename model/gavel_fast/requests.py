# SPDX-License-Identifier: Apache-2.0
"""What a match is made of where that is of the cycle before, ``match_stages`` = 1 (docs/spec.md,
Requests a cycle earlier)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast.compiled import Ints, compiled
from gavel_fast.scheduler import VC_CONTROL, VC_WEIGHTS, Scheduler
from gavel_fast.scheduler import step as match
from gavel_fast.sizes import PORTS, VCS
from gavel_model.config import SwitchConfig

_BYPASS_LIMIT = 0
_MATCHED = 1
_BLOCKED = 2
CLAIMED = 3
"""Outputs that a control frame claimed in the cycle before."""

_COUNT = 4


class Requests(NamedTuple):
    """``scheduler`` works on the state of the switch's, but has ``filled`` and ``allow`` of the
    cycle before; ``settings`` (P, registers) and ``common`` (fields) are of it, too."""

    scheduler: Scheduler
    settings: Ints
    common: Ints


def requests(config: SwitchConfig, scheduler: Scheduler) -> Requests:
    """Reset values."""
    before = scheduler._replace(filled=scheduler.filled.copy(), allow=scheduler.allow.copy())
    registers = max(VC_WEIGHTS, VC_CONTROL) + 1
    common = np.zeros(_COUNT, np.int64)
    common[_BYPASS_LIMIT] = config.bypass_limit
    return Requests(before, np.zeros((config.ports, registers), np.int64), common)


@compiled
def step(
    before: Requests, scheduler: Scheduler, registers: Ints, sizes: Ints, bypass_limit: int,
    free_inputs: int, free_outputs: int, blocked: int, claimed: int,
) -> int:
    """As `gavel_fast.scheduler.step`, by the requests of the cycle before, and keeps what makes
    those of this one. ``blocked`` are outputs on hold or claimed."""
    common = before.common
    matched = match(before.scheduler, before.settings, sizes, common[_BYPASS_LIMIT], free_inputs,
                    free_outputs & ~common[_BLOCKED], common[_MATCHED])
    common[_BYPASS_LIMIT] = bypass_limit
    common[_MATCHED] = matched
    common[_BLOCKED] = blocked
    common[CLAIMED] = claimed
    for j in range(sizes[PORTS]):
        before.settings[j, VC_WEIGHTS] = registers[j, VC_WEIGHTS]
        before.settings[j, VC_CONTROL] = registers[j, VC_CONTROL]
        before.scheduler.allow[j] = scheduler.allow[j]
        for v in range(sizes[VCS]):
            before.scheduler.filled[j, v] = scheduler.filled[j, v]
    return matched
