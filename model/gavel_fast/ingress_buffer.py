# SPDX-License-Identifier: Apache-2.0
"""Cell pool and VOQs of the inputs (docs/spec.md, IngressBuffer)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast import head_order
from gavel_fast.compiled import Ints, compiled
from gavel_fast.head_order import HeadOrder
from gavel_fast.link_rx import ABORT, EOP, EVENT_BITS, PENDING, SOP, WORD, LinkRx
from gavel_fast.received_frame import (
    LENGTH,
    OUTPUT,
    POISONED,
    PROFILE,
    REASON,
    VC,
    ReceivedFrames,
)
from gavel_fast.scheduler import Scheduler, voq_emptied, voq_filled
from gavel_fast.sizes import (
    CELL_LANES,
    CELL_WORDS,
    LANES,
    MAX_WORDS,
    ONE_QUEUE,
    PORTS,
    TO_STORE,
    VCS,
    WORD_BYTES,
    ring_place,
)
from gavel_model.config import SwitchConfig
from gavel_model.register_map import CbfcControl, Counter, PfcControl, Port

FREE = 0
CELLS = 1
STORED = 2
OVERFLOW = 3
FIRST_CELL = 4
"""First cell of the open frame; a frame is known by it from then on."""

LAST_CELL = 5
_COUNT = 6

FRAME_LENGTH = 0
FRAME_WORDS = 1
FRAME_CELLS = 2
FRAME_VC = 3
FRAME_OUTPUT = 4
FRAME_PROFILE = 5
FRAME_POISONED = 6
FRAME_NEXT = 7
"""The frame behind it in its VOQ."""

_FRAME_COUNT = 8

VOQ_FRAMES = 0
VOQ_CELLS = 1
"""Cells of the filed frames, and of the one whose transfer has not opened yet."""

VOQ_HEAD = 2
VOQ_TAIL = 3
_VOQ_COUNT = 4

NOTHING = 0
FILED = 1
DROPPED = 2
"""What became of the frame of an input that ended in a cycle and counts for crediting."""

END = 0
END_VC = 1
END_LENGTH = 2
END_FRAME = 3
END_CONTROL = 4
"""It is a MAC Control frame to be acted upon."""

_END_COUNT = 5

_FRAMES = int(Counter.RX_FRAMES)
_BYTES = int(Counter.RX_BYTES)
_FRAGMENT = int(Counter.RX_FRAGMENT)
_NO_BUFFER = int(Counter.RX_NO_BUFFER)
_VC_LIMIT = int(Counter.RX_VC_LIMIT)
_MAC_CONTROL = int(Counter.RX_MAC_CONTROL)
_TTL = int(Counter.RX_TTL)
_NO_ROUTE = int(Counter.RX_NO_ROUTE)
_LOSSLESS_DROP = int(Counter.RX_LOSSLESS_DROP)
_CBFC_CONTROL = int(Port.CBFC_CONTROL)
_RECEIVER = int(CbfcControl.RECEIVER)
_PFC_CONTROL = int(Port.PFC_CONTROL)
_TRANSMIT = int(PfcControl.TRANSMIT)


class IngressBuffer(NamedTuple):
    """Buffers of all inputs.

    ``state`` (P, fields). ``stack`` (P, B) holds the free cells, the next to be taken on top:
    which cell a frame gets is not visible, and the latest freed is still in the cache.
    ``chain`` (P, B): the cell after a cell in its frame. ``memory`` (P, B, 8): the bytes.
    ``frame`` (P, B, fields) by first cell, ``voq`` (P, P*V, fields), ``vc_cells`` (P, V);
    ``full`` (P): VCs that had reached their limit in the cycle before; ``ended`` (2, P, fields):
    frames that ended in this cycle and in the one before, by cycle mod 2. ``order`` is in use
    with one queue per input.
    """

    state: Ints
    stack: Ints
    chain: Ints
    memory: Ints
    frame: Ints
    voq: Ints
    vc_cells: Ints
    full: Ints
    ended: Ints
    order: HeadOrder


def ingress_buffer(config: SwitchConfig) -> IngressBuffer:
    """Reset values."""
    ports, cells = config.ports, config.buffer_cells
    state = np.zeros((ports, _COUNT), np.int64)
    state[:, FREE] = cells
    return IngressBuffer(
        state, np.tile(np.arange(cells), (ports, 1)), np.zeros((ports, cells), np.int64),
        np.zeros((ports, cells, CELL_LANES), np.int64),
        np.zeros((ports, cells, _FRAME_COUNT), np.int64),
        np.zeros((ports, config.voqs, _VOQ_COUNT), np.int64),
        np.zeros((ports, config.vcs), np.int64), np.zeros(ports, np.int64),
        np.zeros((2, ports, _END_COUNT), np.int64), head_order.head_order(config),
    )


@compiled
def write(
    buffer: IngressBuffer, link: LinkRx, frames: ReceivedFrames, registers: Ints, counters: Ints,
    sizes: Ints, now: int,
) -> None:
    """The words and aborts of cycle w = ``now`` take effect."""
    state = buffer.state
    place = ring_place(now - sizes[TO_STORE])
    to_store = EVENT_BITS * (sizes[TO_STORE] - 1)
    for p in range(sizes[PORTS]):
        buffer.ended[now & 1, p, END] = NOTHING
        buffer.ended[now & 1, p, END_CONTROL] = 0
        event = link.state[p, PENDING] >> to_store
        if not event:
            continue
        if event & ABORT:
            _take_back(buffer, p)
            counters[p, _FRAGMENT] += 1
        if event & WORD:
            if event & SOP:
                state[p, CELLS] = 0
                state[p, STORED] = 0
                state[p, OVERFLOW] = 0
            _store(buffer, frames, sizes, p, place)
            if event & EOP:
                _end(buffer, frames, registers, counters, sizes, now, p, place)


@compiled
def _take_back(buffer: IngressBuffer, p: int) -> None:
    """The cells of the open frame are free again."""
    state = buffer.state
    cell = state[p, FIRST_CELL]
    for _ in range(state[p, CELLS]):
        buffer.stack[p, state[p, FREE]] = cell
        state[p, FREE] += 1
        cell = buffer.chain[p, cell]
    state[p, CELLS] = 0


@compiled
def _store(buffer: IngressBuffer, frames: ReceivedFrames, sizes: Ints, p: int, place: int) -> None:
    state = buffer.state
    stored = state[p, STORED]
    if state[p, OVERFLOW] or stored >= sizes[MAX_WORDS]:
        return
    inside = stored & sizes[CELL_WORDS] - 1
    if not inside:
        free = state[p, FREE]
        if not free:
            state[p, OVERFLOW] = 1
            return
        cell = buffer.stack[p, free - 1]
        state[p, FREE] = free - 1
        if state[p, CELLS]:
            buffer.chain[p, state[p, LAST_CELL]] = cell
        else:
            state[p, FIRST_CELL] = cell
        state[p, LAST_CELL] = cell
        state[p, CELLS] += 1
    cell = state[p, LAST_CELL]
    lanes = sizes[LANES]
    for lane in range(lanes):
        buffer.memory[p, cell, inside * lanes + lane] = frames.word[p, place, lane]
    state[p, STORED] = stored + 1


@compiled
def _end(
    buffer: IngressBuffer, frames: ReceivedFrames, registers: Ints, counters: Ints, sizes: Ints,
    now: int, p: int, place: int,
) -> None:
    """The open frame ends."""
    state = buffer.state
    info = frames.info
    reason = info[p, place, REASON]
    vc = info[p, place, VC]
    if not reason:
        if buffer.full[p] >> vc & 1:
            reason = _VC_LIMIT
        elif state[p, OVERFLOW]:
            reason = _NO_BUFFER
        lossless = (registers[p, _CBFC_CONTROL] >> _RECEIVER
                    | registers[p, _PFC_CONTROL] >> _TRANSMIT)
        if reason and lossless >> vc & 1:
            counters[p, _LOSSLESS_DROP] += 1
    ended = buffer.ended
    half = now & 1
    ended[half, p, END_VC] = vc
    ended[half, p, END_LENGTH] = info[p, place, LENGTH]
    if reason:
        _take_back(buffer, p)
        counters[p, reason] += 1
        # The peer's credits count every frame that is good as far as the link is concerned.
        if (reason == _TTL or reason == _NO_ROUTE or reason == _VC_LIMIT
                or reason == _NO_BUFFER):
            ended[half, p, END] = DROPPED
        elif reason == _MAC_CONTROL and not info[p, place, POISONED]:
            ended[half, p, END_CONTROL] = 1
        return
    first = state[p, FIRST_CELL]
    length = info[p, place, LENGTH]
    counters[p, _FRAMES] += 1
    counters[p, _BYTES] += length
    ended[half, p, END] = FILED
    ended[half, p, END_FRAME] = first
    frame = buffer.frame
    frame[p, first, FRAME_LENGTH] = length
    frame[p, first, FRAME_WORDS] = -(-length // sizes[WORD_BYTES])
    frame[p, first, FRAME_CELLS] = state[p, CELLS]
    frame[p, first, FRAME_VC] = vc
    frame[p, first, FRAME_OUTPUT] = info[p, place, OUTPUT]
    frame[p, first, FRAME_PROFILE] = info[p, place, PROFILE]
    frame[p, first, FRAME_POISONED] = info[p, place, POISONED]
    state[p, CELLS] = 0


@compiled
def file(buffer: IngressBuffer, scheduler: Scheduler, sizes: Ints, now: int) -> None:
    """Last part of a cycle: the good frames that ended in it go into their VOQs."""
    ended = buffer.ended
    voq = buffer.voq
    half = now & 1
    for p in range(sizes[PORTS]):
        if ended[half, p, END] != FILED:
            continue
        first = ended[half, p, END_FRAME]
        output, vc = buffer.frame[p, first, FRAME_OUTPUT], buffer.frame[p, first, FRAME_VC]
        number = output * sizes[VCS] + vc
        cells = buffer.frame[p, first, FRAME_CELLS]
        buffer.vc_cells[p, vc] += cells
        shown = not voq[p, number, VOQ_FRAMES]
        if shown:
            voq[p, number, VOQ_HEAD] = first
        else:
            buffer.frame[p, voq[p, number, VOQ_TAIL], FRAME_NEXT] = first
        if sizes[ONE_QUEUE]:
            shown = head_order.file(buffer.order, p, number)
        if shown:
            voq_filled(scheduler, p, output, vc)
        voq[p, number, VOQ_TAIL] = first
        voq[p, number, VOQ_FRAMES] += 1
        voq[p, number, VOQ_CELLS] += cells


@compiled
def take(
    buffer: IngressBuffer, scheduler: Scheduler, sizes: Ints, p: int, output: int, vc: int
) -> int:
    """Takes the head out of a VOQ of input ``p``. Its cells stay counted until its transfer
    opens."""
    voq = buffer.voq
    number = output * sizes[VCS] + vc
    frame: int = voq[p, number, VOQ_HEAD]
    voq[p, number, VOQ_HEAD] = buffer.frame[p, frame, FRAME_NEXT]
    voq[p, number, VOQ_FRAMES] -= 1
    if sizes[ONE_QUEUE]:
        voq_emptied(scheduler, p, output, vc)
        following = head_order.take(buffer.order, p)
        if following != head_order.EMPTY:
            voq_filled(scheduler, p, following // sizes[VCS], following % sizes[VCS])
    elif not voq[p, number, VOQ_FRAMES]:
        voq_emptied(scheduler, p, output, vc)
    return frame
