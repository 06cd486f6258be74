# SPDX-License-Identifier: Apache-2.0
"""Receiver of link-level retry (docs/llr.md, LlrReceiver)."""

from __future__ import annotations

from gavel_fast import ordered_set
from gavel_fast.compiled import Ints, compiled
from gavel_fast.received_frame import (
    BAD,
    ERROR,
    FCS,
    LLR,
    POISONED,
    POISONED_FCS,
    REASON,
    SEQ,
    ReceivedFrames,
)
from gavel_fast.sizes import SEQ_MASK
from gavel_model.llr_receiver import ReceiverState
from gavel_model.register_map import Counter, LlrControl, Port

STATE = 0
NEXT_RX = 1
ACK_PENDING = 2
ECHO_PENDING = 3
ECHO_SEQ = 4
ECHO_DATA = 5
FIELDS = 6
"""Fields of the receiver's state, (P, fields)."""

OFF = int(ReceiverState.OFF)
SEND_ACKS = int(ReceiverState.SEND_ACKS)
SEND_NACK = int(ReceiverState.SEND_NACK)
NACK_SENT = int(ReceiverState.NACK_SENT)

_CONTROL = int(Port.LLR_CONTROL)
_LOCAL = 1 << LlrControl.LOCAL
_FORWARD_POISONED = 1 << LlrControl.FORWARD_POISONED

_RX_LLR = int(Counter.RX_LLR)
_RX_FCS = int(Counter.RX_FCS)
_RX_POISONED = int(Counter.RX_POISONED)
_OK = int(Counter.LLR_RX_OK)
_EXPECTED_GOOD = int(Counter.LLR_RX_EXPECTED_SEQ_GOOD)
_MISSING = int(Counter.LLR_RX_MISSING_SEQ)
_DUPLICATE = int(Counter.LLR_RX_DUPLICATE_SEQ)
_REPLAY = int(Counter.LLR_RX_REPLAY)
_INITS = int(Counter.LLR_RX_INIT_CTL_OS)
"""Counters by class stand in the order of `GOOD`, `POISONED_FCS`, `BAD`."""


@compiled
def begin(receiver: Ints, registers: Ints, p: int, sent: int) -> None:
    """First part of a cycle: setting ``local``, and the set that `ControlTransmitter` loads, by
    its D1; 0 is none."""
    if not registers[p, _CONTROL] & _LOCAL:
        receiver[p, STATE] = OFF
        receiver[p, ACK_PENDING] = 0
        receiver[p, ECHO_PENDING] = 0
    elif sent == ordered_set.NACK:
        receiver[p, ACK_PENDING] = 0
        if receiver[p, STATE] == SEND_NACK:
            receiver[p, STATE] = NACK_SENT
    elif sent == ordered_set.ACK:
        receiver[p, ACK_PENDING] = 0
    elif sent == ordered_set.INIT_ECHO:
        receiver[p, ECHO_PENDING] = 0


@compiled
def receive(
    receiver: Ints, registers: Ints, counters: Ints, sizes: Ints, frames: ReceivedFrames, p: int,
    place: int,
) -> None:
    """The frame that has ended: sets its reason if it is not to go on."""
    info = frames.info
    control = registers[p, _CONTROL]
    if not info[p, place, LLR] or not control & _LOCAL:
        return
    if not _keep(receiver, counters, sizes, frames, p, place):
        info[p, place, REASON] = _RX_LLR
    elif info[p, place, FCS] == POISONED_FCS:
        info[p, place, POISONED] = 1
        if info[p, place, REASON] == _RX_FCS:
            # The only fault; what comes before the FCS in the order of verdicts stays.
            info[p, place, REASON] = 0 if control & _FORWARD_POISONED else _RX_POISONED


@compiled
def _keep(
    receiver: Ints, counters: Ints, sizes: Ints, frames: ReceivedFrames, p: int, place: int
) -> bool:
    info = frames.info
    seq_mask = sizes[SEQ_MASK]
    seq = info[p, place, SEQ]
    quality = info[p, place, FCS]
    if info[p, place, ERROR] or seq > seq_mask:
        quality = BAD
    counters[p, _OK + quality] += 1
    state = receiver[p, STATE]
    if state == OFF:
        return False
    distance = (seq - receiver[p, NEXT_RX]) & seq_mask
    if not distance:
        counters[p, _EXPECTED_GOOD + quality] += 1
        if quality != BAD:
            receiver[p, NEXT_RX] = (receiver[p, NEXT_RX] + 1) & seq_mask
            receiver[p, ACK_PENDING] = 1
            if state == NACK_SENT:
                counters[p, _REPLAY] += 1
            receiver[p, STATE] = SEND_ACKS
            return True
    elif 2 * distance <= seq_mask:
        counters[p, _MISSING] += 1
    else:
        counters[p, _DUPLICATE] += 1
        receiver[p, ACK_PENDING] = 1
        return False
    if state == SEND_ACKS:
        receiver[p, STATE] = SEND_NACK
    return False


@compiled
def initialise(
    receiver: Ints, registers: Ints, counters: Ints, p: int, value: int, data: int
) -> None:
    """A valid LLR_INIT has come."""
    if not registers[p, _CONTROL] & _LOCAL:
        return
    counters[p, _INITS] += 1
    receiver[p, NEXT_RX] = value
    receiver[p, STATE] = SEND_ACKS
    receiver[p, ACK_PENDING] = 0
    receiver[p, ECHO_PENDING] = 1
    receiver[p, ECHO_SEQ] = value
    receiver[p, ECHO_DATA] = data


@compiled
def newest(receiver: Ints, sizes: Ints, p: int) -> int:
    """Number of the newest frame accepted."""
    return (receiver[p, NEXT_RX] - 1) & sizes[SEQ_MASK]
