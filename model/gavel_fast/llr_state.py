# SPDX-License-Identifier: Apache-2.0
"""State of the transmitter of link-level retry, and what follows from it (docs/llr.md, 6)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast.compiled import Ints, compiled
from gavel_fast.replay_buffer import ReplayBuffer, replay_buffer
from gavel_fast.sizes import SEQ_MASK
from gavel_model.config import SwitchConfig
from gavel_model.llr_timers import TransmitterState
from gavel_model.ordered_set import DATA_BITS
from gavel_model.register_map import Port

STATE = 0
REPLAYS = 1
REPLAY_FROM = 2
RESTART = 3
LOADING = 4
LINK = 5
"""The link is up, as visible in the cycle."""

RECEIVED = 6
"""D1 of the ordered set of the cycle; 0 is none."""

RECEIVED_VALUE = 7
RECEIVED_DATA = 8
OLDEST = 9
NEXT = 10
SEND = 11
RELEASED = 12
FREEING = 13
FREED = 14
"""Words of the release under way."""

WATCHED = 15
"""``oldest`` as visible in the cycle before, -1 if nothing was outstanding in it."""

ENTRIES = 16
INIT_FIRST = 17
ECHO_SEEN = 18
REPLAY_TIME = 19
DOWN_TIME = 20
ADVANCE_AT = 21
"""Cycle after the last one in which the state went from INIT to ADVANCE."""

HOLD = 22
"""``hold`` of the cycle, with ``gate_stages`` > 0."""

HOLD_NEXT = 23
"""With 2 that of the next."""

_COUNT = 24

OFF = int(TransmitterState.OFF)
INIT = int(TransmitterState.INIT)
ADVANCE = int(TransmitterState.ADVANCE)
REPLAY = int(TransmitterState.REPLAY)
FLUSH = int(TransmitterState.FLUSH)

DATA_MASK = (1 << DATA_BITS) - 1
"""Where the count of INITs and the init data wrap."""

NEVER = -1
_INIT_DATA = int(Port.LLR_INIT_DATA)


class LlrTransmitter(NamedTuple):
    """``state`` (P, fields), and the frames."""

    state: Ints
    buffer: ReplayBuffer


def llr_transmitter(config: SwitchConfig) -> LlrTransmitter:
    """Reset values."""
    state = np.zeros((config.ports, _COUNT), np.int64)
    state[:, WATCHED] = state[:, ADVANCE_AT] = NEVER
    return LlrTransmitter(state, replay_buffer(config))


@compiled
def outstanding_frames(transmitter: LlrTransmitter, sizes: Ints, p: int) -> int:
    """Frames sent and not acknowledged."""
    state = transmitter.state
    return (state[p, NEXT] - state[p, OLDEST]) & sizes[SEQ_MASK]


@compiled
def index_of_next(transmitter: LlrTransmitter, sizes: Ints, p: int) -> int:
    """Place of frame ``send`` behind the oldest that is kept."""
    state = transmitter.state
    return (state[p, SEND] - state[p, RELEASED]) & sizes[SEQ_MASK]


@compiled
def is_settled(transmitter: LlrTransmitter, p: int) -> bool:
    """Everything acknowledged is released."""
    state = transmitter.state
    return state[p, RELEASED] == state[p, OLDEST] and not state[p, FREEING]


@compiled
def init_data(transmitter: LlrTransmitter, registers: Ints, p: int) -> int:
    """Init data of this INIT."""
    return (registers[p, _INIT_DATA] + transmitter.state[p, ENTRIES] - 1) & DATA_MASK
