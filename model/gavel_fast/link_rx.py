# SPDX-License-Identifier: Apache-2.0
"""Framing, length and FCS of received frames (docs/spec.md, LinkRx)."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np

from gavel_fast import crc32, pin_block
from gavel_fast.compiled import Ints, compiled
from gavel_fast.received_frame import (
    BAD,
    ERROR,
    FCS,
    GOOD,
    LENGTH,
    POISONED,
    POISONED_FCS,
    REASON,
    SEQ,
    ReceivedFrames,
)
from gavel_fast.received_frame import LLR as FRAME_LLR
from gavel_fast.sizes import (
    CELL_LANES,
    LANE_BYTES,
    LANES,
    MAX_BYTES,
    PORTS,
    TO_STORE,
    WORD_BYTES,
    ring_place,
)
from gavel_model import link_rx as model
from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.register_map import Counter, Port

WORD, SOP, EOP = model.WORD, model.SOP, model.EOP
ABORT, STRAY, CTL = model.ABORT, model.STRAY, model.CTL
EVENT_BITS, EVENT_MASK = model.EVENT_BITS, model.EVENT_MASK

OPEN = 0
UP = 1
"""The port was not down in the last cycle."""

PENDING = 2
"""Events of the cycles up to w, the latest in the low bits."""

WORDS = 3
_ERROR = 4
_LLR = 5
_SEQ = 6
_CRC = 7
_COUNT = 8

_CONTROL = int(Port.CONTROL)
_STRAY_WORDS = int(Counter.RX_STRAY_WORDS)
_CTL_OS = int(Counter.RX_CTL_OS)
_RX_ERR = int(Counter.RX_ERR)
_RX_UNDERSIZE = int(Counter.RX_UNDERSIZE)
_RX_OVERSIZE = int(Counter.RX_OVERSIZE)
_RX_FCS = int(Counter.RX_FCS)


_GOOD_CRC = zlib.crc32(bytes(FCS_BYTES)) ^ crc32.FIRST
_POISONED_CRC = zlib.crc32(model.POISON.to_bytes(FCS_BYTES, "little")) ^ crc32.FIRST
"""The register after a whole frame with its FCS, good and poisoned: the same for all frames, as the
CRC of a frame's body cancels out of it."""

_PIN_UP = pin_block.UP
_PIN_VALID, _PIN_SOP, _PIN_EOP = pin_block.VALID, pin_block.SOP, pin_block.EOP
_PIN_ERR, _PIN_LLR, _PIN_CTL = pin_block.ERR, pin_block.LLR, pin_block.CTL_VALID
_EMPTY_SHIFT = pin_block.EMPTY_SHIFT


class LinkRx(NamedTuple):
    """``state`` (P, fields); ``head`` (P, 8): the first 64 bytes of the open frame."""

    state: Ints
    head: Ints


def link_rx(config: SwitchConfig) -> LinkRx:
    """Reset values."""
    return LinkRx(np.zeros((config.ports, _COUNT), np.int64),
                  np.zeros((config.ports, CELL_LANES), np.int64))


@compiled
def step(
    link: LinkRx, frames: ReceivedFrames, registers: Ints, counters: Ints, sizes: Ints, now: int,
    flags: Ints, seq: Ints, ctl: Ints, data: Ints, row: int,
) -> None:
    """Takes the pins of all ports in cycle ``now``, which stand in ``row`` of the block, and counts
    what was on them in the cycle before."""
    state = link.state
    mask = (1 << EVENT_BITS * sizes[TO_STORE]) - 1
    for p in range(sizes[PORTS]):
        pins: Any = np.int64(flags[row, p])
        pending = state[p, PENDING]
        enabled = registers[p, _CONTROL]
        if not pending and pins == _PIN_UP and state[p, UP] and enabled:
            continue
        before = pending & EVENT_MASK
        if before & STRAY:
            counters[p, _STRAY_WORDS] += 1
        if before & CTL:
            counters[p, _CTL_OS] += 1
        event = 0
        if not (pins & _PIN_UP and enabled):
            state[p, UP] = 0
            if state[p, OPEN]:
                state[p, OPEN] = 0
                event = ABORT
        else:
            state[p, UP] = 1
            if pins & _PIN_CTL:
                event = CTL
                frames.ctl[p, ring_place(now)] = ctl[row, p]
            if pins & _PIN_VALID:
                event |= _take_word(link, frames, sizes, now, p, pins, seq[row, p], data, row)
        state[p, PENDING] = (pending << EVENT_BITS | event) & mask


@compiled
def _take_word(
    link: LinkRx, frames: ReceivedFrames, sizes: Ints, now: int, p: int, pins: int, seq: int,
    data: Ints, row: int,
) -> int:
    """A word of port ``p``; returns its event bits."""
    state = link.state
    event = 0
    if pins & _PIN_SOP:
        event = WORD | SOP
        if state[p, OPEN]:
            event |= ABORT
        state[p, OPEN] = 1
        state[p, WORDS] = 0
        state[p, _ERROR] = 0
        state[p, _LLR] = pins & _PIN_LLR
        state[p, _SEQ] = np.int64(seq)
        state[p, _CRC] = crc32.FIRST
    elif state[p, OPEN]:
        event = WORD
    else:
        return STRAY
    if pins & _PIN_ERR:
        state[p, _ERROR] = 1
    lanes = sizes[LANES]
    words = state[p, WORDS]
    state[p, WORDS] = words + 1
    crc = state[p, _CRC]
    place = ring_place(now)
    left = sizes[WORD_BYTES]
    if pins & _PIN_EOP:
        left -= pins >> _EMPTY_SHIFT
    for lane in range(lanes):
        value = data[row, p, lane]
        if left >= LANE_BYTES:
            crc = crc32.add_lane(crc, value)
        elif left > 0:
            value &= (1 << 8 * left) - 1
            crc = crc32.add_bytes(crc, value, left)
        else:
            value = 0
        left -= LANE_BYTES
        frames.word[p, place, lane] = value
        if words * lanes + lane < CELL_LANES:
            link.head[p, words * lanes + lane] = value
    state[p, _CRC] = crc
    if pins & _PIN_EOP:
        state[p, OPEN] = 0
        length = (words + 1) * sizes[WORD_BYTES] - (pins >> _EMPTY_SHIFT)
        _end_frame(link, frames, sizes, place, p, length)
        event |= EOP
    return event


@compiled
def _end_frame(
    link: LinkRx, frames: ReceivedFrames, sizes: Ints, place: int, p: int, length: int
) -> None:
    """What is known of a frame of port ``p`` at its last word."""
    state = link.state
    info = frames.info
    crc = state[p, _CRC]
    fcs = BAD
    if length >= FCS_BYTES:
        if crc == _GOOD_CRC:
            fcs = GOOD
        elif crc == _POISONED_CRC:
            fcs = POISONED_FCS
    if state[p, _ERROR]:
        reason = _RX_ERR
    elif length < MIN_FRAME_BYTES:
        reason = _RX_UNDERSIZE
    elif length > sizes[MAX_BYTES]:
        reason = _RX_OVERSIZE
    elif fcs != GOOD:
        reason = _RX_FCS
    else:
        reason = 0
    info[p, place, LENGTH] = length
    info[p, place, FRAME_LLR] = state[p, _LLR]
    info[p, place, SEQ] = state[p, _SEQ]
    info[p, place, ERROR] = state[p, _ERROR]
    info[p, place, FCS] = fcs
    info[p, place, REASON] = reason
    info[p, place, POISONED] = 0
    for lane in range(CELL_LANES):
        frames.head[p, place, lane] = link.head[p, lane]
