# SPDX-License-Identifier: Apache-2.0
"""Transmitter of link-level retry (docs/llr.md, LlrTransmitter)."""

from __future__ import annotations

from gavel_fast import link_rx as rx
from gavel_fast import link_tx as pins
from gavel_fast import ordered_set
from gavel_fast import replay_buffer as at
from gavel_fast.compiled import Ints, compiled
from gavel_fast.crossbar import Crossbar
from gavel_fast.link_rx import LinkRx
from gavel_fast.link_tx import LinkTx, WordRegister
from gavel_fast.llr_state import (
    ADVANCE,
    ADVANCE_AT,
    DATA_MASK,
    ECHO_SEEN,
    ENTRIES,
    FLUSH,
    FREED,
    FREEING,
    HOLD,
    HOLD_NEXT,
    INIT,
    INIT_FIRST,
    LINK,
    LOADING,
    NEVER,
    NEXT,
    OFF,
    OLDEST,
    RECEIVED,
    RECEIVED_DATA,
    RECEIVED_VALUE,
    RELEASED,
    REPLAY,
    REPLAY_FROM,
    REPLAY_TIME,
    REPLAYS,
    RESTART,
    SEND,
    STATE,
    WATCHED,
    LlrTransmitter,
    index_of_next,
    init_data,
    is_settled,
    outstanding_frames,
)
from gavel_fast.llr_timers import action_in_force, count_time, peer_is_silent, too_old
from gavel_fast.sizes import (
    CELL_WORDS,
    GATE_STAGES,
    LAUNCH_STAGES,
    MAX_WORDS,
    PORTS,
    SEQ_MASK,
    TO_TRANSMITTER,
    ring_place,
)
from gavel_model.llr_settings import NO_REPLAY_LIMIT
from gavel_model.llr_transmitter import UNSENT_LIMIT
from gavel_model.register_map import Action, Counter, LlrControl, Port

_MOST_REPLAYS = 255
_DISCARD = int(Action.DISCARD)
_BLOCK = int(Action.BLOCK)
_BEST_EFFORT = int(Action.BEST_EFFORT)
_REMOTE = 1 << LlrControl.REMOTE
_REINIT = 1 << LlrControl.REINIT

_CONTROL = int(Port.LLR_CONTROL)
_WINDOW_FRAMES = int(Port.LLR_WINDOW_FRAMES)
_WINDOW_CELLS = int(Port.LLR_WINDOW_CELLS)
_REPLAY_TIMER = int(Port.LLR_REPLAY_TIMER)
_REPLAY_COUNT = int(Port.LLR_REPLAY_COUNT)
_INIT_SEQ = int(Port.LLR_INIT_SEQ)

_DISCARDED = int(Counter.LLR_TX_DISCARD)
_SENT_OK = int(Counter.LLR_TX_OK)
_SENT_POISONED = int(Counter.LLR_TX_POISONED)
_REPLAYED = int(Counter.LLR_TX_REPLAY)
_FLUSHED = int(Counter.LLR_TX_FLUSH)
_SEQ_ERROR = int(Counter.LLR_RX_ACK_NACK_SEQ_ERROR)


@compiled
def holding(transmitter: LlrTransmitter, registers: Ints, sizes: Ints, p: int) -> bool:
    """``hold``: no frame may be matched to this output."""
    if sizes[GATE_STAGES]:
        return bool(transmitter.state[p, HOLD])
    return _is_full(transmitter, registers, sizes, p, 0)


@compiled
def _is_full(
    transmitter: LlrTransmitter, registers: Ints, sizes: Ints, p: int, coming: int
) -> bool:
    """What ``hold`` says by what is visible in the cycle, with ``coming`` frames that are not
    counted yet."""
    state, words = transmitter.state, transmitter.buffer.state
    if words[p, at.UNSENT] >= UNSENT_LIMIT:
        return True
    if (words[p, at.USED] + (coming + 1) * sizes[MAX_WORDS]
            > registers[p, _WINDOW_CELLS] * sizes[CELL_WORDS]):
        return True
    waiting = outstanding_frames(transmitter, sizes, p) + words[p, at.WAITING] + coming
    if waiting >= registers[p, _WINDOW_FRAMES]:
        return True
    if state[p, STATE] == INIT or state[p, STATE] == FLUSH:
        return action_in_force(transmitter, registers, p) == _BLOCK
    return False


@compiled
def step(
    transmitter: LlrTransmitter, link_tx: LinkTx, link: LinkRx, crossbar: Crossbar,
    registers: Ints, counters: Ints, sizes: Ints, now: int, ready: int, init_waiting: int,
) -> None:
    """One cycle of all outputs: ``ready`` are the pins, ``init_waiting`` the ports whose
    ordered-set register holds LLR_INIT."""
    state, buffer = transmitter.state, transmitter.buffer
    words = buffer.state
    shown = link_tx.frame
    output = buffer.launched if sizes[LAUNCH_STAGES] else shown
    place = ring_place(now - sizes[TO_TRANSMITTER])
    arrived = crossbar.arrived[place]
    crossbar.arrived[place] = 0
    for p in range(sizes[PORTS]):
        free = bool(ready >> p & 1) or not shown.state[p, pins.FLAGS]
        # Nothing is before the pins after this cycle, unless it is launched in it.
        leaves = free
        if sizes[LAUNCH_STAGES]:
            leaves = free and not output.state[p, pins.FLAGS]
            if free:
                pins.move(output, shown, sizes, p)
        if sizes[GATE_STAGES]:
            coming = words[p, at.MATCHED_BEFORE] + words[p, at.MATCHED_EARLIER]
            if sizes[CELL_WORDS] == 1:
                coming += words[p, at.MATCHED_NOW]
            hold = 1 if _is_full(transmitter, registers, sizes, p, coming) else 0
            state[p, HOLD] = state[p, HOLD_NEXT] if sizes[GATE_STAGES] > 1 else hold
            state[p, HOLD_NEXT] = hold
            at.reserve(buffer, sizes, p)
        if _passing(transmitter, registers, p):
            if words[p, at.HELD] or words[p, at.UNSENT_FRAMES]:
                _pass_on(transmitter, output, sizes, p, free)
            elif free:
                output.state[p, pins.FLAGS] = 0
        else:
            _run(transmitter, output, registers, counters, sizes, now, p, free, leaves,
                 bool(init_waiting >> p & 1))
        state[p, LINK] = link.state[p, rx.UP]
        if arrived >> p & 1:
            at.write(buffer, crossbar, sizes, p, place)


@compiled
def _passing(transmitter: LlrTransmitter, registers: Ints, p: int) -> bool:
    """Off, with nothing left of the time before: frames pass, and nothing else happens."""
    state, words = transmitter.state, transmitter.buffer.state
    return (
        state[p, STATE] == OFF and not registers[p, _CONTROL] & _REMOTE
        and not (state[p, RESTART] or state[p, LOADING])
        and is_settled(transmitter, p)
        and not (words[p, at.MID] and words[p, at.DECISION] != at.PLAIN)
    )


@compiled
def _pass_on(
    transmitter: LlrTransmitter, output: WordRegister, sizes: Ints, p: int, free: bool
) -> None:
    """Words go out plainly, and no frame is kept."""
    buffer = transmitter.buffer
    if at.launch(buffer, output, sizes, p, at.PLAIN, 0, 0, free):
        at.forget(buffer, sizes, p)
    at.fetch(buffer, p, 0)


@compiled
def _run(
    transmitter: LlrTransmitter, output: WordRegister, registers: Ints, counters: Ints,
    sizes: Ints, now: int, p: int, free: bool, leaves: bool, init_waiting: bool,
) -> None:
    """One cycle of an output with link-level retry. ``free``: O is free; ``leaves``: and no word is
    in L."""
    state, buffer = transmitter.state, transmitter.buffer
    words = buffer.state
    # As visible in the cycle.
    before, oldest = state[p, STATE], state[p, OLDEST]
    outstanding = outstanding_frames(transmitter, sizes, p)
    behind = ((state[p, SEND] - oldest) & sizes[SEQ_MASK]) > outstanding
    settled = is_settled(transmitter, p)
    restarting = bool(state[p, RESTART]) and not words[p, at.MID]
    loading = bool(state[p, LOADING])
    action = action_in_force(transmitter, registers, p)
    echo_seen = bool(state[p, ECHO_SEEN])
    progress, nack = _receive(transmitter, registers, counters, sizes, p)
    after, asked = _decide(transmitter, registers, counters, sizes, now, p, behind, settled,
                           leaves, echo_seen, init_waiting, progress, nack)
    initialising = after != before and (after == INIT or before == INIT)
    if state[p, RESTART] or loading or asked or initialising:
        decision = at.WAIT
    else:
        decision = _first_word(before, state[p, LINK], action, behind, settled,
                               free and _starts(registers, p, before))
    _launch(transmitter, output, counters, sizes, now, p, decision, free)
    if not (loading or restarting):
        at.fetch(buffer, p, index_of_next(transmitter, sizes, p))
    _release(transmitter, sizes, p, oldest, not (behind or restarting))
    if restarting:
        words[p, at.HELD] = 0
        if before != REPLAY:
            state[p, OLDEST] = state[p, NEXT]
        state[p, SEND] = state[p, OLDEST]
    state[p, RESTART] = 1 if asked or (state[p, RESTART] and not restarting) else 0
    state[p, LOADING] = 1 if restarting else 0
    count_time(transmitter, p, before, after, outstanding == 0 or progress)
    state[p, WATCHED] = oldest if outstanding else NEVER
    state[p, STATE] = after
    if after == ADVANCE and before == INIT:
        state[p, ADVANCE_AT] = now + 1
    if after == INIT and before != INIT:
        number = registers[p, _INIT_SEQ] & sizes[SEQ_MASK]
        state[p, OLDEST] = state[p, NEXT] = state[p, SEND] = state[p, RELEASED] = number
        state[p, ENTRIES] = (state[p, ENTRIES] + 1) & DATA_MASK
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
    if new > outstanding_frames(transmitter, sizes, p):
        counters[p, _SEQ_ERROR] += 1
        return False, False
    state[p, OLDEST] = (state[p, OLDEST] + new) & sizes[SEQ_MASK]
    if new:
        state[p, REPLAYS] = 0
    return new > 0, kind == ordered_set.NACK


@compiled
def _decide(
    transmitter: LlrTransmitter, registers: Ints, counters: Ints, sizes: Ints, now: int, p: int,
    behind: bool, settled: bool, leaves: bool, echo_seen: bool, init_waiting: bool, progress: bool,
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
        if (peer_is_silent(transmitter, registers, p)
                or (not progress and too_old(transmitter, registers, sizes, now, p))):
            counters[p, _FLUSHED] += 1
            return FLUSH, True
        if _replay_wanted(transmitter, registers, sizes, p, progress, nack):
            limit = registers[p, _REPLAY_COUNT]
            if limit != NO_REPLAY_LIMIT and fields[p, REPLAYS] >= limit:
                counters[p, _FLUSHED] += 1
                return FLUSH, True
            fields[p, REPLAYS] = min(fields[p, REPLAYS] + 1, _MOST_REPLAYS)
            fields[p, REPLAY_FROM] = fields[p, OLDEST]
            counters[p, _REPLAYED] += 1
            return REPLAY, True
    if transmitter.buffer.state[p, at.MID] or fields[p, RESTART] or fields[p, LOADING]:
        return state, False
    if state == OFF or state == FLUSH:
        starts = _starts(registers, p, state)
        return (INIT if starts and settled and leaves else state), False
    if state == INIT:
        return (ADVANCE if echo_seen and settled and not init_waiting else state), False
    if state == REPLAY and not behind and fields[p, SEND] == fields[p, NEXT]:
        return ADVANCE, False
    return state, state == REPLAY and behind


@compiled
def _replay_wanted(
    transmitter: LlrTransmitter, registers: Ints, sizes: Ints, p: int, progress: bool, nack: bool
) -> bool:
    state = transmitter.state
    if state[p, NEXT] == state[p, OLDEST]:
        return False
    if state[p, STATE] == REPLAY:
        return nack and state[p, OLDEST] != state[p, REPLAY_FROM]
    limit = registers[p, _REPLAY_TIMER]
    return nack or (0 < limit <= state[p, REPLAY_TIME] and not progress)


@compiled
def _starts(registers: Ints, p: int, state: int) -> bool:
    """INIT is what comes next."""
    control = registers[p, _CONTROL]
    return bool(control & _REMOTE) and (
        state == OFF or (state == FLUSH and bool(control & _REINIT)))


@compiled
def _first_word(
    state: int, link: int, action: int, behind: bool, settled: bool, starts: bool
) -> int:
    """What is done with a frame whose first word is in B. ``starts``: O is free, and INIT comes
    next."""
    if state == ADVANCE or state == REPLAY:
        return at.KEEP if link and not behind else at.WAIT
    if not settled or starts:
        return at.WAIT
    if state == OFF or action == _BEST_EFFORT:
        return at.PLAIN
    return at.DROP if action == _DISCARD else at.WAIT


@compiled
def _launch(
    transmitter: LlrTransmitter, output: WordRegister, counters: Ints, sizes: Ints, now: int,
    p: int, decision: int, free: bool,
) -> None:
    state, buffer = transmitter.state, transmitter.buffer
    words = buffer.state
    index = index_of_next(transmitter, sizes, p)
    if not at.launch(buffer, output, sizes, p, decision, index, state[p, SEND], free):
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
    buffer.state[p, at.USED] -= state[p, FREED]
    state[p, FREED] = 0
    state[p, FREEING] = 1 if may and state[p, RELEASED] != oldest else 0
    if state[p, FREEING]:
        frames = (oldest - state[p, RELEASED]) & sizes[SEQ_MASK]
        state[p, FREED] = at.release(buffer, sizes, p, frames)
        state[p, RELEASED] = oldest
