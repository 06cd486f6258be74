# SPDX-License-Identifier: Apache-2.0
"""Transfers of frames from the ingress buffers to the crossbar (docs/spec.md, IngressBuffer)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast import crossbar as at
from gavel_fast import pin_block
from gavel_fast.bits import lowest
from gavel_fast.compiled import Ints, compiled
from gavel_fast.crossbar import Crossbar
from gavel_fast.egress import Edit, change_word, edit
from gavel_fast.ingress_buffer import (
    FRAME_CELLS,
    FRAME_LENGTH,
    FRAME_OUTPUT,
    FRAME_POISONED,
    FRAME_VC,
    FRAME_WORDS,
    FREE,
    VOQ_CELLS,
    IngressBuffer,
)
from gavel_fast.sizes import CELL_WORDS, LANES, VCS, WORD_BYTES, ring_place
from gavel_model.config import SwitchConfig
from gavel_model.ingress_buffer import NEVER_MARK
from gavel_model.register_map import Port

BUSY_INPUTS = 0
BUSY_OUTPUTS = 1
OPENING = 2
"""Inputs matched in the cycle before."""

_SET_COUNT = 3

CELL = 0
"""Of the next word; of a frame that is matched, its first cell."""

_POSITION = 1
_OUTPUT = 2
_VC = 3
_LENGTH = 4
_WORDS = 5
_CELLS = 6
_POISONED = 7
_MARKED = 8
"""Of the frame: its first cell may be another's before its last word is read."""

_COUNT = 9

DRAINED_VC = 0
"""-1: no frame."""

DRAINED_LENGTH = 1
DRAINED_CELLS = 2
_DRAINED_COUNT = 3

_VALID, _SOP, _EOP = pin_block.VALID, pin_block.SOP, pin_block.EOP
_EMPTY_SHIFT = pin_block.EMPTY_SHIFT
_ECN_THRESHOLD = int(Port.ECN_THRESHOLD)


class Transfers(NamedTuple):
    """``sets`` (3) of inputs and outputs; ``state`` (P, fields) by input; ``edit``: what changes
    in their frames; ``drained`` (2, P, fields): frames read to their end in this cycle and in
    the one before, by cycle mod 2."""

    sets: Ints
    state: Ints
    edit: Edit
    drained: Ints


def transfers(config: SwitchConfig, changes: Edit) -> Transfers:
    """Reset values."""
    drained = np.zeros((2, config.ports, _DRAINED_COUNT), np.int64)
    drained[:, :, DRAINED_VC] = -1
    return Transfers(
        np.zeros(_SET_COUNT, np.int64), np.zeros((config.ports, _COUNT), np.int64), changes,
        drained,
    )


@compiled
def open_transfers(
    transfers: Transfers, buffer: IngressBuffer, registers: Ints, sizes: Ints
) -> None:
    """Opens the transfers of the frames matched in the cycle before."""
    state, frame = transfers.state, buffer.frame
    rest = transfers.sets[OPENING]
    transfers.sets[OPENING] = 0
    while rest:
        i = lowest(rest)
        rest &= rest - 1
        first = state[i, CELL]
        output, vc = frame[i, first, FRAME_OUTPUT], frame[i, first, FRAME_VC]
        number = output * sizes[VCS] + vc
        cells = buffer.voq[i, number, VOQ_CELLS]
        buffer.voq[i, number, VOQ_CELLS] = cells - frame[i, first, FRAME_CELLS]
        threshold = registers[i, _ECN_THRESHOLD]
        mark = threshold != NEVER_MARK and cells > threshold
        state[i, _POSITION] = 0
        state[i, _OUTPUT] = output
        state[i, _VC] = vc
        state[i, _LENGTH] = frame[i, first, FRAME_LENGTH]
        state[i, _WORDS] = frame[i, first, FRAME_WORDS]
        state[i, _CELLS] = frame[i, first, FRAME_CELLS]
        state[i, _POISONED] = frame[i, first, FRAME_POISONED]
        state[i, _MARKED] = edit(transfers.edit, buffer, i, first, mark)


@compiled
def read(
    transfers: Transfers, buffer: IngressBuffer, crossbar: Crossbar, sizes: Ints, now: int
) -> None:
    """Every open transfer reads a word."""
    sets, state = transfers.sets, transfers.state
    info, drained = crossbar.info, transfers.drained
    lanes, place, half = sizes[LANES], ring_place(now), now & 1
    rest = sets[BUSY_INPUTS]
    while rest:
        i = lowest(rest)
        rest &= rest - 1
        j = state[i, _OUTPUT]
        cell, position = state[i, CELL], state[i, _POSITION]
        inside = position & sizes[CELL_WORDS] - 1
        for lane in range(lanes):
            crossbar.word[j, place, lane] = buffer.memory[i, cell, inside * lanes + lane]
        change_word(transfers.edit, crossbar, sizes, i, j, place, position)
        flags = _VALID
        if not position:
            flags |= _SOP
        position += 1
        if position == state[i, _WORDS]:
            empty = position * sizes[WORD_BYTES] - state[i, _LENGTH]
            flags |= _EOP | empty << _EMPTY_SHIFT
            sets[BUSY_INPUTS] &= ~(1 << i)
            sets[BUSY_OUTPUTS] &= ~(1 << j)
            drained[half, i, DRAINED_VC] = state[i, _VC]
            drained[half, i, DRAINED_LENGTH] = state[i, _LENGTH]
            drained[half, i, DRAINED_CELLS] = state[i, _CELLS]
        state[i, _POSITION] = position
        if flags & _EOP or not position & sizes[CELL_WORDS] - 1:
            state[i, CELL] = buffer.chain[i, cell]
            buffer.stack[i, buffer.state[i, FREE]] = cell
            buffer.state[i, FREE] += 1
        crossbar.arrived[place] |= 1 << j
        info[j, place, at.FLAGS] = flags
        info[j, place, at.LENGTH] = state[i, _LENGTH]
        info[j, place, at.WORDS] = state[i, _WORDS]
        info[j, place, at.VC] = state[i, _VC]
        info[j, place, at.MARKED] = state[i, _MARKED]
        info[j, place, at.POISONED] = state[i, _POISONED]
