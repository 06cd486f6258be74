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
from gavel_fast.sizes import CELL_WORDS, LANES, VCS, WORD_BYTES
from gavel_model.config import SwitchConfig
from gavel_model.ingress_buffer import NEVER_MARK
from gavel_model.register_map import Port

BUSY_INPUTS = 0
BUSY_OUTPUTS = 1
OPENING = 2
"""Inputs matched in the cycle before."""

_SET_COUNT = 3

FRAME = 0
"""Of the open transfer, known by its first cell; of a match, too."""

_CELL = 1
_POSITION = 2
MARKED = 3
"""The ECN field becomes 11."""

_COUNT = 4

_VALID, _SOP, _EOP = pin_block.VALID, pin_block.SOP, pin_block.EOP
_EMPTY_SHIFT = pin_block.EMPTY_SHIFT
_ECN_THRESHOLD = int(Port.ECN_THRESHOLD)


class Transfers(NamedTuple):
    """``sets`` (3) of inputs and outputs; ``state`` (P, fields) by input; ``edit``: what changes
    in their frames; ``drained`` (2, P): frames read to their end in this cycle and in the one
    before, by cycle mod 2, -1 if there is none."""

    sets: Ints
    state: Ints
    edit: Edit
    drained: Ints


def transfers(config: SwitchConfig, changes: Edit) -> Transfers:
    """Reset values."""
    return Transfers(
        np.zeros(_SET_COUNT, np.int64), np.zeros((config.ports, _COUNT), np.int64), changes,
        np.full((2, config.ports), -1, np.int64),
    )


@compiled
def open_transfers(
    transfers: Transfers, buffer: IngressBuffer, registers: Ints, sizes: Ints
) -> None:
    """Opens the transfers of the frames matched in the cycle before."""
    rest = transfers.sets[OPENING]
    transfers.sets[OPENING] = 0
    while rest:
        i = lowest(rest)
        rest &= rest - 1
        first = transfers.state[i, FRAME]
        frame = buffer.frame
        number = frame[i, first, FRAME_OUTPUT] * sizes[VCS] + frame[i, first, FRAME_VC]
        cells = buffer.voq[i, number, VOQ_CELLS]
        buffer.voq[i, number, VOQ_CELLS] = cells - frame[i, first, FRAME_CELLS]
        threshold = registers[i, _ECN_THRESHOLD]
        mark = threshold != NEVER_MARK and cells > threshold
        transfers.state[i, _CELL] = first
        transfers.state[i, _POSITION] = 0
        transfers.state[i, MARKED] = edit(transfers.edit, buffer, i, first, mark)


@compiled
def read(
    transfers: Transfers, buffer: IngressBuffer, crossbar: Crossbar, sizes: Ints, now: int
) -> None:
    """Every open transfer reads a word."""
    sets, state = transfers.sets, transfers.state
    frame = buffer.frame
    lanes, place = sizes[LANES], now & 3
    rest = sets[BUSY_INPUTS]
    while rest:
        i = lowest(rest)
        rest &= rest - 1
        first = state[i, FRAME]
        j = frame[i, first, FRAME_OUTPUT]
        cell, position = state[i, _CELL], state[i, _POSITION]
        inside = position & sizes[CELL_WORDS] - 1
        for lane in range(lanes):
            crossbar.word[j, place, lane] = buffer.memory[i, cell, inside * lanes + lane]
        change_word(transfers.edit, crossbar, sizes, i, j, place, position)
        flags = _VALID
        if not position:
            flags |= _SOP
        position += 1
        if position == frame[i, first, FRAME_WORDS]:
            empty = position * sizes[WORD_BYTES] - frame[i, first, FRAME_LENGTH]
            flags |= _EOP | empty << _EMPTY_SHIFT
            sets[BUSY_INPUTS] &= ~(1 << i)
            sets[BUSY_OUTPUTS] &= ~(1 << j)
            transfers.drained[now & 1, i] = first
        state[i, _POSITION] = position
        if flags & _EOP or not position & sizes[CELL_WORDS] - 1:
            state[i, _CELL] = buffer.chain[i, cell]
            buffer.stack[i, buffer.state[i, FREE]] = cell
            buffer.state[i, FREE] += 1
        crossbar.arrived[place] |= 1 << j
        info = crossbar.info
        info[j, place, at.FLAGS] = flags
        info[j, place, at.LENGTH] = frame[i, first, FRAME_LENGTH]
        info[j, place, at.WORDS] = frame[i, first, FRAME_WORDS]
        info[j, place, at.VC] = frame[i, first, FRAME_VC]
        info[j, place, at.MARKED] = state[i, MARKED]
        info[j, place, at.POISONED] = frame[i, first, FRAME_POISONED]
