# SPDX-License-Identifier: Apache-2.0
"""Timers of the transmitter of link-level retry (docs/llr.md, 6.4)."""

from __future__ import annotations

from gavel_fast import replay_buffer as at
from gavel_fast.compiled import Ints, compiled
from gavel_fast.llr_state import (
    ADVANCE,
    DOWN_TIME,
    INIT,
    LINK,
    NEXT,
    OFF,
    OLDEST,
    RELEASED,
    REPLAY,
    REPLAY_TIME,
    STATE,
    WATCHED,
    LlrTransmitter,
)
from gavel_fast.sizes import SEQ_MASK
from gavel_model.llr_timers import TIMER_MASK
from gavel_model.register_map import Action, LlrControl, Port

_ACTION_MASK = 3
_DISCARD = int(Action.DISCARD)
_BLOCK = int(Action.BLOCK)
_INIT_ACTION = int(LlrControl.INIT_ACTION)
_FLUSH_ACTION = int(LlrControl.FLUSH_ACTION)
_CONTROL = int(Port.LLR_CONTROL)
_PCS_LOST = int(Port.LLR_PCS_LOST)
_DATA_AGE = int(Port.LLR_DATA_AGE)


@compiled
def peer_is_silent(transmitter: LlrTransmitter, registers: Ints, p: int) -> bool:
    """Nothing is to be expected of the peer any more."""
    limit = registers[p, _PCS_LOST]
    return 0 < limit <= transmitter.state[p, DOWN_TIME]


@compiled
def action_in_force(transmitter: LlrTransmitter, registers: Ints, p: int) -> int:
    """The action in force in INIT or in FLUSH: one does not block for ever."""
    shift = _INIT_ACTION if transmitter.state[p, STATE] == INIT else _FLUSH_ACTION
    action = min(registers[p, _CONTROL] >> shift & _ACTION_MASK, _BLOCK)
    if action == _BLOCK and peer_is_silent(transmitter, registers, p):
        return _DISCARD
    return action


@compiled
def too_old(
    transmitter: LlrTransmitter, registers: Ints, sizes: Ints, now: int, p: int
) -> bool:
    """The oldest frame is, in a cycle without progress."""
    state, buffer = transmitter.state, transmitter.buffer
    limit = registers[p, _DATA_AGE]
    if not limit or state[p, NEXT] == state[p, OLDEST] or state[p, WATCHED] != state[p, OLDEST]:
        return False
    index = (state[p, OLDEST] - state[p, RELEASED]) & sizes[SEQ_MASK]
    frame = at.place_of(buffer, sizes, p, index)
    return (now - buffer.frame[p, frame, at.SENT_AT]) & TIMER_MASK >= limit


@compiled
def count_time(
    transmitter: LlrTransmitter, p: int, before: int, after: int, nothing_due: bool
) -> None:
    """Timers: ``nothing_due`` says that no frame is outstanding, or there is progress."""
    state = transmitter.state
    link = state[p, LINK]
    if before != ADVANCE or nothing_due:
        state[p, REPLAY_TIME] = 0
    elif link:
        state[p, REPLAY_TIME] = min(state[p, REPLAY_TIME] + 1, TIMER_MASK)
    sending = before == ADVANCE or before == REPLAY
    changed = after != before and not (sending and (after == ADVANCE or after == REPLAY))
    if changed or before == OFF or (sending and link):
        state[p, DOWN_TIME] = 0
    else:
        state[p, DOWN_TIME] = min(state[p, DOWN_TIME] + 1, TIMER_MASK)

