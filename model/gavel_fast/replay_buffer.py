# SPDX-License-Identifier: Apache-2.0
"""Replay buffer and its reader (docs/llr.md, 6.1 and 6.2)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast import crossbar as at
from gavel_fast import link_tx as pins
from gavel_fast import pin_block
from gavel_fast.compiled import Ints, compiled
from gavel_fast.crossbar import Crossbar
from gavel_fast.link_tx import WordRegister
from gavel_fast.sizes import (
    GATE_STAGES,
    LANE_BYTES,
    LANES,
    MAX_WORDS,
    REPLAY_WORDS,
    WORD_BYTES,
)
from gavel_model.config import SwitchConfig
from gavel_model.replay_buffer import Launch

WAITING = 0
UNSENT = 1
USED = 2
FIRST_FRAME = 3
"""Place of the oldest frame in the ring of frames."""

KEPT = 4
"""Frames launched and not released: the oldest of the ring."""

UNSENT_FRAMES = 5
"""Frames behind them, of which a word is written and the last not launched for the first time."""

HELD = 6
"""B holds a word, that at `POSITION` of the frame that is read."""

MID = 7
FRAME = 8
"""Place of the frame of the latest launch."""

DECISION = 9
IS_FIRST = 10
"""This is that frame's first transmission."""

POSITION = 11
TAIL = 12
"""Place of the next word to be written."""

MATCHED_NOW = 13
MATCHED_BEFORE = 14
"""With ``gate_stages`` > 0: matches of this cycle and of the one before that do not count yet."""

MATCHED_EARLIER = 15
"""With 2: of the one before that."""

_COUNT = 16

_START = 0
FRAME_WORDS = 1
_EMPTY = 2
FRAME_POISONED = 3
SENT_AT = 4
_FRAME_COUNT = 5

WAIT = Launch.WAIT.value
KEEP = Launch.KEEP.value
PLAIN = Launch.PLAIN.value
DROP = Launch.DROP.value

_VALID, _SOP, _EOP, _LLR = pin_block.VALID, pin_block.SOP, pin_block.EOP, pin_block.LLR
_EMPTY_SHIFT = pin_block.EMPTY_SHIFT


class ReplayBuffer(NamedTuple):
    """Buffers of all outputs.

    ``state`` (P, fields); ``frame`` (P, N, fields): a ring of frames, each of a word at least;
    ``memory`` (P, N, W/64): the ring of words; ``launched``: L of the specification.
    """

    state: Ints
    frame: Ints
    memory: Ints
    launched: WordRegister


def replay_buffer(config: SwitchConfig) -> ReplayBuffer:
    """Reset values."""
    shape = config.ports, config.replay_words
    return ReplayBuffer(
        np.zeros((config.ports, _COUNT), np.int64), np.zeros((*shape, _FRAME_COUNT), np.int64),
        np.zeros((*shape, config.word_bytes // LANE_BYTES), np.int64), pins.word_register(config),
    )


@compiled
def matched(buffer: ReplayBuffer, sizes: Ints, p: int) -> None:
    """A frame for this output is matched: room for a longest one is reserved, at once or by
    `reserve`."""
    if sizes[GATE_STAGES]:
        buffer.state[p, MATCHED_NOW] = 1
    else:
        _reserve(buffer, sizes, p)


@compiled
def reserve(buffer: ReplayBuffer, sizes: Ints, p: int) -> None:
    """Last part of a cycle with ``gate_stages`` > 0: a match of so many cycles before counts from
    the next one on."""
    state = buffer.state
    if sizes[GATE_STAGES] > 1:
        counts = state[p, MATCHED_EARLIER]
        state[p, MATCHED_EARLIER] = state[p, MATCHED_BEFORE]
    else:
        counts = state[p, MATCHED_BEFORE]
    if counts:
        _reserve(buffer, sizes, p)
    state[p, MATCHED_BEFORE] = state[p, MATCHED_NOW]
    state[p, MATCHED_NOW] = 0


@compiled
def _reserve(buffer: ReplayBuffer, sizes: Ints, p: int) -> None:
    buffer.state[p, WAITING] += 1
    buffer.state[p, USED] += sizes[MAX_WORDS]


@compiled
def place_of(buffer: ReplayBuffer, sizes: Ints, p: int, index: int) -> int:
    """Place of the frame ``index`` frames behind the oldest."""
    place = buffer.state[p, FIRST_FRAME] + index
    return place - sizes[REPLAY_WORDS] if place >= sizes[REPLAY_WORDS] else place


@compiled
def write(buffer: ReplayBuffer, crossbar: Crossbar, sizes: Ints, p: int, slot: int) -> None:
    """Last part of a cycle: the word in a place of the crossbar is written."""
    state = buffer.state
    info = crossbar.info
    flags = info[p, slot, at.FLAGS]
    state[p, UNSENT] += 1
    tail = state[p, TAIL]
    if flags & _SOP:
        frame = place_of(buffer, sizes, p, state[p, KEPT] + state[p, UNSENT_FRAMES])
        words = info[p, slot, at.WORDS]
        length = info[p, slot, at.LENGTH]
        buffer.frame[p, frame, _START] = tail
        buffer.frame[p, frame, FRAME_WORDS] = words
        buffer.frame[p, frame, _EMPTY] = words * sizes[WORD_BYTES] - length if length else 0
        buffer.frame[p, frame, FRAME_POISONED] = info[p, slot, at.POISONED]
        state[p, UNSENT_FRAMES] += 1
    if flags & _EOP:
        state[p, USED] -= sizes[MAX_WORDS] - info[p, slot, at.WORDS]
    for lane in range(sizes[LANES]):
        buffer.memory[p, tail, lane] = crossbar.word[p, slot, lane]
    tail += 1
    state[p, TAIL] = 0 if tail == sizes[REPLAY_WORDS] else tail


@compiled
def launch(
    buffer: ReplayBuffer, output: WordRegister, sizes: Ints, p: int, decision: int, index: int,
    seq: int, free: bool,
) -> bool:
    """Launches the word in B to ``output``, O or L, if it may; that is emptied if O is free and it
    gets none.

    ``decision`` is what is to be done with a frame if B holds its first word, ``index`` the place
    of that frame behind the oldest, ``seq`` its number if it is to be kept; ``free``: O is free.
    Returns whether the last word of the frame was launched or dropped.
    """
    state = buffer.state
    if state[p, MID]:
        decision = state[p, DECISION]
    if not state[p, HELD] or decision == WAIT or not (free or decision == DROP):
        if free:
            output.state[p, pins.FLAGS] = 0
        return False
    if not state[p, MID]:
        state[p, DECISION] = decision
        state[p, IS_FIRST] = 1 if index == state[p, KEPT] else 0
        state[p, FRAME] = place_of(buffer, sizes, p, index)
        state[p, POSITION] = 0
    state[p, HELD] = 0
    frame, position = state[p, FRAME], state[p, POSITION]
    ended = position + 1 == buffer.frame[p, frame, FRAME_WORDS]
    if decision != DROP:
        flags = _VALID
        if not position:
            flags |= _SOP
        if ended:
            flags |= _EOP | buffer.frame[p, frame, _EMPTY] << _EMPTY_SHIFT
        if decision == KEEP and not position:
            flags |= _LLR
        output.state[p, pins.FLAGS] = flags
        output.state[p, pins.SEQ] = seq if flags & _LLR else 0
        place = buffer.frame[p, frame, _START] + position
        if place >= sizes[REPLAY_WORDS]:
            place -= sizes[REPLAY_WORDS]
        for lane in range(sizes[LANES]):
            output.word[p, lane] = buffer.memory[p, place, lane]
    elif free:
        output.state[p, pins.FLAGS] = 0
    if state[p, IS_FIRST]:
        state[p, UNSENT] -= 1
    state[p, POSITION] = position + 1
    state[p, MID] = 0 if ended else 1
    return bool(ended)


@compiled
def fetch(buffer: ReplayBuffer, p: int, index: int) -> None:
    """Fetches the next word into B, if B is empty and the word is written.

    Words come without gaps within a frame, so once its first word is written the others are there
    in time. ``index`` is the place of the next frame as in `launch`, after this cycle's launch.
    """
    state = buffer.state
    if not state[p, HELD] and (
        state[p, MID] or index < state[p, KEPT] or state[p, UNSENT_FRAMES] > 0
    ):
        state[p, HELD] = 1


@compiled
def keep(buffer: ReplayBuffer, p: int, now: int) -> None:
    """The first transmission of a frame has ended; it stays until it is released."""
    state = buffer.state
    buffer.frame[p, state[p, FRAME], SENT_AT] = now
    state[p, WAITING] -= 1
    state[p, KEPT] += 1
    state[p, UNSENT_FRAMES] -= 1


@compiled
def forget(buffer: ReplayBuffer, sizes: Ints, p: int) -> None:
    """The last word of a frame that is not kept has been launched or dropped."""
    state = buffer.state
    state[p, WAITING] -= 1
    state[p, USED] -= buffer.frame[p, state[p, FIRST_FRAME], FRAME_WORDS]
    state[p, FIRST_FRAME] = place_of(buffer, sizes, p, 1)
    state[p, UNSENT_FRAMES] -= 1


@compiled
def release(buffer: ReplayBuffer, sizes: Ints, p: int, frames: int) -> int:
    """Lets the oldest kept frames go; returns their words, still counted in ``used``."""
    words = 0
    for index in range(frames):
        words += buffer.frame[p, place_of(buffer, sizes, p, index), FRAME_WORDS]
    buffer.state[p, FIRST_FRAME] = place_of(buffer, sizes, p, frames)
    buffer.state[p, KEPT] -= frames
    return words
