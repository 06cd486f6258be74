# SPDX-License-Identifier: Apache-2.0
"""Which frame of an input came first, for one queue per input (docs/spec.md, IngressBuffer)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast.compiled import Ints, compiled
from gavel_model.config import SwitchConfig

EMPTY = -1

_FIRST = 0
_FRAMES = 1
_COUNT = 2


class HeadOrder(NamedTuple):
    """``state`` (P, fields); ``voq`` (P, B): a ring of the VOQs of the frames that no match has
    taken, in the order of filing."""

    state: Ints
    voq: Ints


def head_order(config: SwitchConfig) -> HeadOrder:
    """Reset values."""
    return HeadOrder(np.zeros((config.ports, _COUNT), np.int64),
                     np.zeros((config.ports, config.buffer_cells), np.int64))


@compiled
def file(order: HeadOrder, p: int, voq: int) -> bool:
    """A frame is filed; returns whether it is the head."""
    state = order.state
    place = state[p, _FIRST] + state[p, _FRAMES]
    size = order.voq.shape[1]
    order.voq[p, place - size if place >= size else place] = voq
    state[p, _FRAMES] += 1
    return bool(state[p, _FRAMES] == 1)


@compiled
def take(order: HeadOrder, p: int) -> int:
    """The head is taken; returns the VOQ of the next one, `EMPTY` if there is none."""
    state = order.state
    state[p, _FIRST] += 1
    if state[p, _FIRST] == order.voq.shape[1]:
        state[p, _FIRST] = 0
    state[p, _FRAMES] -= 1
    return order.voq[p, state[p, _FIRST]] if state[p, _FRAMES] else EMPTY
