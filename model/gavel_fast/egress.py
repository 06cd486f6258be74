# SPDX-License-Identifier: Apache-2.0
"""ECN mark, TTL and FCS of outgoing frames (docs/spec.md, Egress)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast import crc32, pin_block
from gavel_fast import credit_sender as crediting
from gavel_fast import crossbar as at
from gavel_fast.bits import lowest
from gavel_fast.compiled import Ints, compiled
from gavel_fast.credit_sender import CreditSender
from gavel_fast.crossbar import Crossbar
from gavel_fast.ingress_buffer import FRAME_LENGTH, FRAME_PROFILE, IngressBuffer
from gavel_fast.parser import (
    ECN,
    FIELDS_OF_PROFILES,
    HEADER_LANES,
    NO_FIELD,
    TTL,
    TTL_WIDTH,
    read_field,
    reversed_bytes,
)
from gavel_fast.sizes import LANE_BYTES, LANES, TO_EGRESS, WORD_BYTES, ring_place
from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.register_map import Counter

EDITED = 0
FCS_LANE = 1
"""Number of the lane of the frame in which its FCS begins."""

_COUNT = 2

_FRAMES = int(Counter.TX_FRAMES)
_BYTES = int(Counter.TX_BYTES)
_ECN_MARKED = int(Counter.TX_ECN_MARKED)
_SOP, _EOP = pin_block.SOP, pin_block.EOP
_EMPTY_SHIFT = pin_block.EMPTY_SHIFT
_ECN_WIDTH = 2
_CONGESTED = 3


class Edit(NamedTuple):
    """What changes in the frames of the open transfers, by input.

    ``state`` (P, fields); ``header`` (P, 3) and ``fcs`` (P, 2): what the lanes are XORed with.
    """

    state: Ints
    header: Ints
    fcs: Ints


def edits(config: SwitchConfig) -> Edit:
    """Reset values."""
    return Edit(np.zeros((config.ports, _COUNT), np.int64),
                np.zeros((config.ports, HEADER_LANES), np.int64),
                np.zeros((config.ports, 2), np.int64))


@compiled
def edit(edits: Edit, buffer: IngressBuffer, i: int, first: int, mark: bool) -> int:
    """Finds out what changes in the frame of input ``i`` that begins in a cell; returns whether
    its ECN field does."""
    number = buffer.frame[i, first, FRAME_PROFILE]
    ecn, ttl = FIELDS_OF_PROFILES[number, ECN], FIELDS_OF_PROFILES[number, TTL]
    edits.state[i, EDITED] = 0
    if ttl == NO_FIELD and (not mark or ecn == NO_FIELD):
        return 0
    memory = buffer.memory
    header = (reversed_bytes(memory[i, first, 0]), reversed_bytes(memory[i, first, 1]),
              reversed_bytes(memory[i, first, 2]))
    for lane in range(HEADER_LANES):
        edits.header[i, lane] = 0
    marked = 0
    if mark and ecn != NO_FIELD:
        value = read_field(header, ecn, _ECN_WIDTH)
        if value == 1 or value == 2:
            marked = 1
            _change(edits, i, ecn, _ECN_WIDTH, value ^ _CONGESTED)
    if ttl != NO_FIELD:
        width = FIELDS_OF_PROFILES[number, TTL_WIDTH]
        value = read_field(header, ttl, width)
        _change(edits, i, ttl, width, value ^ value - 1)
    edits.state[i, EDITED] = 1
    _change_fcs(edits, i, buffer.frame[i, first, FRAME_LENGTH])
    return marked


@compiled
def _change(edits: Edit, i: int, offset: int, width: int, change: int) -> None:
    """A field is XORed."""
    lane = offset >> 6
    edits.header[i, lane] ^= reversed_bytes(change << 64 - (offset & 63) - width)


@compiled
def _change_fcs(edits: Edit, i: int, length: int) -> None:
    """CRC-32 is linear: the FCS changes by what the change gives, after a register of 0."""
    body = length - FCS_BYTES
    crc = 0
    for lane in range(HEADER_LANES):
        crc = crc32.add_lane(crc, edits.header[i, lane])
    for _ in range(HEADER_LANES, body // LANE_BYTES):
        crc = crc32.add_lane(crc, 0)
    crc = crc32.add_bytes(crc, 0, body % LANE_BYTES)
    edits.state[i, FCS_LANE] = body // LANE_BYTES
    shift = body % LANE_BYTES * 8
    edits.fcs[i, 0] = crc << shift
    edits.fcs[i, 1] = crc >> 64 - shift if shift else 0


@compiled
def change_word(
    edits: Edit, crossbar: Crossbar, sizes: Ints, i: int, j: int, place: int, position: int
) -> None:
    """Edits a word of the frame of input ``i``, which stands in the crossbar's register of output
    ``j``."""
    if not edits.state[i, EDITED]:
        return
    lanes = sizes[LANES]
    for lane in range(lanes):
        number = position * lanes + lane
        after = number - edits.state[i, FCS_LANE]
        if number < HEADER_LANES:
            crossbar.word[j, place, lane] ^= edits.header[i, number]
        if after == 0 or after == 1:
            crossbar.word[j, place, lane] ^= edits.fcs[i, after]


@compiled
def count(
    crossbar: Crossbar, sender: CreditSender, registers: Ints, counters: Ints, sizes: Ints,
    now: int,
) -> None:
    """Counts the words in the crossbar's output registers, and the credits that frames cost with
    their first word."""
    place = ring_place(now - sizes[TO_EGRESS])
    rest = crossbar.arrived[place]
    while rest:
        j = lowest(rest)
        rest &= rest - 1
        info = crossbar.info
        flags = info[j, place, at.FLAGS]
        if flags & _SOP:
            crediting.sent(sender, registers, sizes, now, j, info[j, place, at.VC],
                           info[j, place, at.LENGTH])
        counters[j, _BYTES] += sizes[WORD_BYTES] - (flags >> _EMPTY_SHIFT)
        if flags & _EOP:
            counters[j, _FRAMES] += 1
            if info[j, place, at.MARKED]:
                counters[j, _ECN_MARKED] += 1
