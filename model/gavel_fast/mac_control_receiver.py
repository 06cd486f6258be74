# SPDX-License-Identifier: Apache-2.0
"""MAC Control frames that come in (docs/flow_control.md, MAC Control frames)."""

from __future__ import annotations

from gavel_fast.compiled import Ints, compiled
from gavel_fast.credit_receiver import CreditReceiver
from gavel_fast.credit_receiver import take as take_counts
from gavel_fast.ingress_buffer import END_CONTROL, IngressBuffer
from gavel_fast.parser import reversed_bytes
from gavel_fast.pause_receiver import PauseReceiver
from gavel_fast.pause_receiver import take as take_pause
from gavel_fast.received_frame import ReceivedFrames
from gavel_fast.sizes import PORTS, TO_STORE, ring_place
from gavel_model.mac_control import (
    CC_BITS,
    CC_OFFSET,
    CC_UPDATE_MESSAGE,
    CC_UPDATE_OPCODE,
    CC_VCS,
    PFC_OPCODE,
)

_CC_MASK = (1 << CC_BITS) - 1
_OPCODE_LANE = 1
_MESSAGE_LANE = 2
"""Lanes whose last two bytes are the opcode, and whose first four are the message."""


@compiled
def receive(
    buffer: IngressBuffer, frames: ReceivedFrames, credit_receiver: CreditReceiver,
    pauses: PauseReceiver, counters: Ints, sizes: Ints, now: int,
) -> None:
    """The MAC Control frames that end in cycle w = ``now``."""
    place = ring_place(now - sizes[TO_STORE])
    half = now & 1
    for p in range(sizes[PORTS]):
        credit_receiver.ended[half, p] = 0
        if not buffer.ended[half, p, END_CONTROL]:
            continue
        head = frames.head
        opcode = reversed_bytes(head[p, place, _OPCODE_LANE]) & 0xFFFF
        words = reversed_bytes(head[p, place, _MESSAGE_LANE])
        if opcode == PFC_OPCODE:
            # The times follow the class-enable vector, two bytes into the lane.
            third, fourth = (reversed_bytes(head[p, place, _MESSAGE_LANE + 1]),
                             reversed_bytes(head[p, place, _MESSAGE_LANE + 2]))
            low = words << 16 | third >> 48 & 0xFFFF
            high = third << 16 | fourth >> 48 & 0xFFFF
            take_pause(pauses, counters, sizes, now, p, words >> 48 & 0xFFFF, (low, high))
        elif opcode == CC_UPDATE_OPCODE and words >> 32 & 0xFFFFFFFF == CC_UPDATE_MESSAGE:
            for v in range(CC_VCS):
                credit_receiver.arrived[half, p, v] = _count(frames, p, place, v)
            take_counts(credit_receiver, counters, now, p)


@compiled
def _count(frames: ReceivedFrames, p: int, place: int, v: int) -> int:
    """The count of a VC: 20 bits somewhere in a big-endian string."""
    bit = 8 * CC_OFFSET + CC_BITS * v
    count = 0
    for byte in range(bit >> 3, (bit + CC_BITS - 1 >> 3) + 1):
        count = count << 8 | frames.head[p, place, byte >> 3] >> 8 * (byte & 7) & 0xFF
    after = -(bit + CC_BITS) & 7
    return count >> after & _CC_MASK
