# SPDX-License-Identifier: Apache-2.0
"""Transmitter of link-level retry (docs/llr.md, LlrTransmitter)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast import link_rx as rx
from gavel_fast import link_tx as pins
from gavel_fast import ordered_set
from gavel_fast import replay_buffer as at
from gavel_fast.compiled import Ints, compiled
from gavel_fast.crossbar import STEPS, Crossbar
from gavel_fast.link_rx import LinkRx
from gavel_fast.link_tx import LinkTx
from gavel_fast.replay_buffer import ReplayBuffer, replay_buffer
from gavel_fast.sizes import CELL_WORDS, MAX_WORDS, PORTS, SEQ_MASK
from gavel_model.config import SwitchConfig
from gavel_model.llr_settings import NO_REPLAY_LIMIT
from gavel_model.llr_timers import TIMER_MASK, TransmitterState
from gavel_model.llr_transmitter import UNSENT_LIMIT
from gavel_model.ordered_set import DATA_BITS
from gavel_model.register_map import Action, Counter, LlrControl, Port

STATE = 0
REPLAYS = 1
_REPLAY_FROM = 2
_RESTART = 3
_LOADING = 4
_LINK = 5
"""The link is up, as visible in the cycle."""

RECEIVED = 6
"""D1 of the ordered set of the cycle; 0 is none."""

RECEIVED_VALUE = 7
RECEIVED_DATA = 8
OLDEST = 9
NEXT = 10
SEND = 11
_RELEASED = 12
_FREEING = 13
_FREED = 14
"""Words of the release under way."""

_WATCHED = 15
"""``oldest`` as visible in the cycle before, -1 if nothing was outstanding in it."""

_ENTRIES = 16
INIT_FIRST = 17
ECHO_SEEN = 18
_REPLAY_TIME = 19
_DOWN_TIME = 20
ADVANCE_AT = 21
"""Cycle after the last one in which the state went from INIT to ADVANCE."""

_COUNT = 22

OFF = int(TransmitterState.OFF)
INIT = int(TransmitterState.INIT)
ADVANCE = int(TransmitterState.ADVANCE)
REPLAY = int(TransmitterState.REPLAY)
FLUSH = int(TransmitterState.FLUSH)

_MOST_REPLAYS = 255
_NEVER = -1
_DATA_MASK = (1 << DATA_BITS) - 1
_ACTION_MASK = 3
_DISCARD = int(Action.DISCARD)
_BLOCK = int(Action.BLOCK)
_BEST_EFFORT = int(Action.BEST_EFFORT)
_REMOTE = 1 << LlrControl.REMOTE
_REINIT = 1 << LlrControl.REINIT
_INIT_ACTION = int(LlrControl.INIT_ACTION)
_FLUSH_ACTION = int(LlrControl.FLUSH_ACTION)

_CONTROL = int(Port.LLR_CONTROL)
_WINDOW_FRAMES = int(Port.LLR_WINDOW_FRAMES)
_WINDOW_CELLS = int(Port.LLR_WINDOW_CELLS)
_REPLAY_TIMER = int(Port.LLR_REPLAY_TIMER)
_PCS_LOST = int(Port.LLR_PCS_LOST)
_DATA_AGE = int(Port.LLR_DATA_AGE)
_REPLAY_COUNT = int(Port.LLR_REPLAY_COUNT)
_INIT_SEQ = int(Port.LLR_INIT_SEQ)
_INIT_DATA = int(Port.LLR_INIT_DATA)

_DISCARDED = int(Counter.LLR_TX_DISCARD)
_SENT_OK = int(Counter.LLR_TX_OK)
_SENT_POISONED = int(Counter.LLR_TX_POISONED)
_REPLAYED = int(Counter.LLR_TX_REPLAY)
_FLUSHED = int(Counter.LLR_TX_FLUSH)
_SEQ_ERROR = int(Counter.LLR_RX_ACK_NACK_SEQ_ERROR)


class LlrTransmitter(NamedTuple):
    """``state`` (P, fields), and the frames."""

    state: Ints
    buffer: ReplayBuffer


def llr_transmitter(config: SwitchConfig) -> LlrTransmitter:
    """Reset values."""
    state = np.zeros((config.ports, _COUNT), np.int64)
    state[:, _WATCHED] = state[:, ADVANCE_AT] = _NEVER
    return LlrTransmitter(state, replay_buffer(config))


@compiled
def _outstanding(transmitter: LlrTransmitter, sizes: Ints, p: int) -> int:
    """Frames sent and not acknowledged."""
    state = transmitter.state
    return (state[p, NEXT] - state[p, OLDEST]) & sizes[SEQ_MASK]


@compiled
def _index(transmitter: LlrTransmitter, sizes: Ints, p: int) -> int:
    """Place of frame ``send`` behind the oldest that is kept."""
    state = transmitter.state
    return (state[p, SEND] - state[p, _RELEASED]) & sizes[SEQ_MASK]


@compiled
def _peer_is_silent(transmitter: LlrTransmitter, registers: Ints, p: int) -> bool:
    """Nothing is to be expected of the peer any more."""
    limit = registers[p, _PCS_LOST]
    return 0 < limit <= transmitter.state[p, _DOWN_TIME]


@compiled
def _action(transmitter: LlrTransmitter, registers: Ints, p: int) -> int:
    """The action in force in INIT or in FLUSH: one does not block for ever."""
    shift = _INIT_ACTION if transmitter.state[p, STATE] == INIT else _FLUSH_ACTION
    action = min(registers[p, _CONTROL] >> shift & _ACTION_MASK, _BLOCK)
    if action == _BLOCK and _peer_is_silent(transmitter, registers, p):
        return _DISCARD
    return action


@compiled
def holding(transmitter: LlrTransmitter, registers: Ints, sizes: Ints, p: int) -> bool:
    """``hold``: no frame may be matched to this output."""
    state, words = transmitter.state, transmitter.buffer.state
    if words[p, at.UNSENT] >= UNSENT_LIMIT:
        return True
    if (words[p, at.USED] + sizes[MAX_WORDS]
            > registers[p, _WINDOW_CELLS] * sizes[CELL_WORDS]):
        return True
    waiting = _outstanding(transmitter, sizes, p) + words[p, at.WAITING]
    if waiting >= registers[p, _WINDOW_FRAMES]:
        return True
    if state[p, STATE] == INIT or state[p, STATE] == FLUSH:
        return _action(transmitter, registers, p) == _BLOCK
    return False


@compiled
def init_data(transmitter: LlrTransmitter, registers: Ints, p: int) -> int:
    """Init data of this INIT."""
    return (registers[p, _INIT_DATA] + transmitter.state[p, _ENTRIES] - 1) & _DATA_MASK


@compiled
def step(
    transmitter: LlrTransmitter, link_tx: LinkTx, link: LinkRx, crossbar: Crossbar,
    registers: Ints, counters: Ints, sizes: Ints, now: int, arrived: int, ready: int,
    init_waiting: int,
) -> None:
    """One cycle of all outputs: ``arrived`` are the outputs for which `Egress` gives a word,
    ``ready`` the pins, ``init_waiting`` the ports whose ordered-set register holds LLR_INIT."""
    state, buffer = transmitter.state, transmitter.buffer
    words = buffer.state
    for p in range(sizes[PORTS]):
        free = bool(ready >> p & 1) or not link_tx.state[p, pins.FLAGS]
        if _passing(transmitter, registers, p):
            if words[p, at.HELD] or words[p, at.UNSENT_FRAMES]:
                _pass_on(transmitter, link_tx, sizes, p, free)
            elif free:
                link_tx.state[p, pins.FLAGS] = 0
        else:
            _run(transmitter, link_tx, registers, counters, sizes, now, p, free,
                 bool(init_waiting >> p & 1))
        state[p, _LINK] = link.state[p, rx.UP]
        if arrived >> p & 1:
            at.write(buffer, crossbar, sizes, p, (now - STEPS) & 3)


@compiled
def _settled(transmitter: LlrTransmitter, p: int) -> bool:
    """Everything acknowledged is released."""
    state = transmitter.state
    return state[p, _RELEASED] == state[p, OLDEST] and not state[p, _FREEING]


@compiled
def _passing(transmitter: LlrTransmitter, registers: Ints, p: int) -> bool:
    """Off, with nothing left of the time before: frames pass, and nothing else happens."""
    state, words = transmitter.state, transmitter.buffer.state
    return (
        state[p, STATE] == OFF and not registers[p, _CONTROL] & _REMOTE
        and not (state[p, _RESTART] or state[p, _LOADING])
        and _settled(transmitter, p)
        and not (words[p, at.MID] and words[p, at.DECISION] != at.PLAIN)
    )


@compiled
def _pass_on(
    transmitter: LlrTransmitter, link_tx: LinkTx, sizes: Ints, p: int, free: bool
) -> None:
    """Words go out plainly, and no frame is kept."""
    buffer = transmitter.buffer
    if at.launch(buffer, link_tx, sizes, p, at.PLAIN, 0, 0, free):
        at.forget(buffer, sizes, p)
    at.fetch(buffer, p, 0)


@compiled
def _run(
    transmitter: LlrTransmitter, link_tx: LinkTx, registers: Ints, counters: Ints, sizes: Ints,
    now: int, p: int, free: bool, init_waiting: bool,
) -> None:
    """One cycle of an output with link-level retry."""
    state, buffer = transmitter.state, transmitter.buffer
    words = buffer.state
    # As visible in the cycle.
    before, oldest = state[p, STATE], state[p, OLDEST]
    outstanding = _outstanding(transmitter, sizes, p)
    behind = ((state[p, SEND] - oldest) & sizes[SEQ_MASK]) > outstanding
    settled = _settled(transmitter, p)
    restarting = bool(state[p, _RESTART]) and not words[p, at.MID]
    loading = bool(state[p, _LOADING])
    action = _action(transmitter, registers, p)
    echo_seen = bool(state[p, ECHO_SEEN])
    progress, nack = _receive(transmitter, registers, counters, sizes, p)
    after, asked = _decide(transmitter, registers, counters, sizes, now, p, behind, settled, free,
                           echo_seen, init_waiting, progress, nack)
    initialising = after != before and (after == INIT or before == INIT)
    if state[p, _RESTART] or loading or asked or initialising:
        decision = at.WAIT
    else:
        decision = _first_word(before, state[p, _LINK], action, behind, settled)
    _launch(transmitter, link_tx, counters, sizes, now, p, decision, free)
    if not (loading or restarting):
        at.fetch(buffer, p, _index(transmitter, sizes, p))
    _release(transmitter, sizes, p, oldest, not (behind or restarting))
    if restarting:
        words[p, at.HELD] = 0
        if before != REPLAY:
            state[p, OLDEST] = state[p, NEXT]
        state[p, SEND] = state[p, OLDEST]
    state[p, _RESTART] = 1 if asked or (state[p, _RESTART] and not restarting) else 0
    state[p, _LOADING] = 1 if restarting else 0
    _count_time(transmitter, p, before, after, outstanding == 0 or progress)
    state[p, _WATCHED] = oldest if outstanding else _NEVER
    state[p, STATE] = after
    if after == ADVANCE and before == INIT:
        state[p, ADVANCE_AT] = now + 1
    if after == INIT and before != INIT:
        number = registers[p, _INIT_SEQ] & sizes[SEQ_MASK]
        state[p, OLDEST] = state[p, NEXT] = state[p, SEND] = state[p, _RELEASED] = number
        state[p, _ENTRIES] = (state[p, _ENTRIES] + 1) & _DATA_MASK
        state[p, INIT_FIRST] = 1
        state[p, ECHO_SEEN] = 0
        state[p, REPLAYS] = 0


@compiled
def _receive(
    transmitter: LlrTransmitter, registers: Ints, counters: Ints, sizes: Ints, p: int
) -> tuple[bool, bool]:
    """The ordered set of the cycle: whether there is progress, and an accepted NACK."""
    state = transmitter.state
    kind = state[p, RECEIVED]
    state[p, RECEIVED] = 0
    if not kind:
        return False, False
    value = state[p, RECEIVED_VALUE]
    if kind == ordered_set.INIT_ECHO:
        if (state[p, STATE] == INIT and value == state[p, NEXT]
                and state[p, RECEIVED_DATA] == init_data(transmitter, registers, p)):
            state[p, ECHO_SEEN] = 1
        return False, False
    if state[p, STATE] != ADVANCE and state[p, STATE] != REPLAY:
        return False, False
    new = (value + 1 - state[p, OLDEST]) & sizes[SEQ_MASK]
    if new > _outstanding(transmitter, sizes, p):
        counters[p, _SEQ_ERROR] += 1
        return False, False
    state[p, OLDEST] = (state[p, OLDEST] + new) & sizes[SEQ_MASK]
    if new:
        state[p, REPLAYS] = 0
    return new > 0, kind == ordered_set.NACK


@compiled
def _decide(
    transmitter: LlrTransmitter, registers: Ints, counters: Ints, sizes: Ints, now: int, p: int,
    behind: bool, settled: bool, free: bool, echo_seen: bool, init_waiting: bool, progress: bool,
    nack: bool,
) -> tuple[int, bool]:
    """State after the cycle, and whether it sets ``restart``.

    The arguments are as visible in the cycle, the window after the ACK or NACK.
    """
    fields = transmitter.state
    state = fields[p, STATE]
    remote = bool(registers[p, _CONTROL] & _REMOTE)
    sending = state == ADVANCE or state == REPLAY
    if not remote and state != OFF:
        return OFF, sending
    if sending:
        if (_peer_is_silent(transmitter, registers, p)
                or (not progress and _too_old(transmitter, registers, sizes, now, p))):
            counters[p, _FLUSHED] += 1
            return FLUSH, True
        if _replay_wanted(transmitter, registers, sizes, p, progress, nack):
            limit = registers[p, _REPLAY_COUNT]
            if limit != NO_REPLAY_LIMIT and fields[p, REPLAYS] >= limit:
                counters[p, _FLUSHED] += 1
                return FLUSH, True
            fields[p, REPLAYS] = min(fields[p, REPLAYS] + 1, _MOST_REPLAYS)
            fields[p, _REPLAY_FROM] = fields[p, OLDEST]
            counters[p, _REPLAYED] += 1
            return REPLAY, True
    if transmitter.buffer.state[p, at.MID] or fields[p, _RESTART] or fields[p, _LOADING]:
        return state, False
    if state == OFF or state == FLUSH:
        start = remote if state == OFF else bool(registers[p, _CONTROL] & _REINIT)
        return (INIT if start and settled and free else state), False
    if state == INIT:
        return (ADVANCE if echo_seen and settled and not init_waiting else state), False
    if state == REPLAY and not behind and fields[p, SEND] == fields[p, NEXT]:
        return ADVANCE, False
    return state, state == REPLAY and behind


@compiled
def _too_old(
    transmitter: LlrTransmitter, registers: Ints, sizes: Ints, now: int, p: int
) -> bool:
    """The oldest frame is, in a cycle without progress."""
    state, buffer = transmitter.state, transmitter.buffer
    limit = registers[p, _DATA_AGE]
    if not limit or state[p, NEXT] == state[p, OLDEST] or state[p, _WATCHED] != state[p, OLDEST]:
        return False
    index = (state[p, OLDEST] - state[p, _RELEASED]) & sizes[SEQ_MASK]
    frame = at.place_of(buffer, sizes, p, index)
    return (now - buffer.frame[p, frame, at.SENT_AT]) & TIMER_MASK >= limit


@compiled
def _replay_wanted(
    transmitter: LlrTransmitter, registers: Ints, sizes: Ints, p: int, progress: bool, nack: bool
) -> bool:
    state = transmitter.state
    if state[p, NEXT] == state[p, OLDEST]:
        return False
    if state[p, STATE] == REPLAY:
        return nack and state[p, OLDEST] != state[p, _REPLAY_FROM]
    limit = registers[p, _REPLAY_TIMER]
    return nack or (0 < limit <= state[p, _REPLAY_TIME] and not progress)


@compiled
def _first_word(state: int, link: int, action: int, behind: bool, settled: bool) -> int:
    """What is done with a frame whose first word is in B."""
    if state == ADVANCE or state == REPLAY:
        return at.KEEP if link and not behind else at.WAIT
    if not settled:
        return at.WAIT
    if state == OFF or action == _BEST_EFFORT:
        return at.PLAIN
    return at.DROP if action == _DISCARD else at.WAIT


@compiled
def _launch(
    transmitter: LlrTransmitter, link_tx: LinkTx, counters: Ints, sizes: Ints, now: int, p: int,
    decision: int, free: bool,
) -> None:
    state, buffer = transmitter.state, transmitter.buffer
    words = buffer.state
    index = _index(transmitter, sizes, p)
    if not at.launch(buffer, link_tx, sizes, p, decision, index, state[p, SEND], free):
        return
    if words[p, at.DECISION] != at.KEEP:
        at.forget(buffer, sizes, p)
        if words[p, at.DECISION] == at.DROP:
            counters[p, _DISCARDED] += 1
        return
    poisoned = buffer.frame[p, words[p, at.FRAME], at.FRAME_POISONED]
    counters[p, _SENT_POISONED if poisoned else _SENT_OK] += 1
    state[p, SEND] = (state[p, SEND] + 1) & sizes[SEQ_MASK]
    if words[p, at.IS_FIRST]:
        at.keep(buffer, p, now)
        state[p, NEXT] = (state[p, NEXT] + 1) & sizes[SEQ_MASK]


@compiled
def _release(transmitter: LlrTransmitter, sizes: Ints, p: int, oldest: int, may: bool) -> None:
    """Ends the release of the cycle before, and starts one if it may."""
    state, buffer = transmitter.state, transmitter.buffer
    buffer.state[p, at.USED] -= state[p, _FREED]
    state[p, _FREED] = 0
    state[p, _FREEING] = 1 if may and state[p, _RELEASED] != oldest else 0
    if state[p, _FREEING]:
        frames = (oldest - state[p, _RELEASED]) & sizes[SEQ_MASK]
        state[p, _FREED] = at.release(buffer, sizes, p, frames)
        state[p, _RELEASED] = oldest


@compiled
def _count_time(
    transmitter: LlrTransmitter, p: int, before: int, after: int, nothing_due: bool
) -> None:
    """Timers: ``nothing_due`` says that no frame is outstanding, or there is progress."""
    state = transmitter.state
    link = state[p, _LINK]
    if before != ADVANCE or nothing_due:
        state[p, _REPLAY_TIME] = 0
    elif link:
        state[p, _REPLAY_TIME] = min(state[p, _REPLAY_TIME] + 1, TIMER_MASK)
    sending = before == ADVANCE or before == REPLAY
    changed = after != before and not (sending and (after == ADVANCE or after == REPLAY))
    if changed or before == OFF or (sending and link):
        state[p, _DOWN_TIME] = 0
    else:
        state[p, _DOWN_TIME] = min(state[p, _DOWN_TIME] + 1, TIMER_MASK)
