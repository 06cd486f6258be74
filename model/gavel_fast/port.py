# SPDX-License-Identifier: Apache-2.0
"""What is decided of frames and ordered sets in t+2 and in r, after they were on the pins in t."""

from __future__ import annotations

from gavel_fast import credit_sender, llr_receiver, ordered_set
from gavel_fast import llr_state as sending
from gavel_fast.compiled import Ints, compiled
from gavel_fast.credit_sender import CreditSender
from gavel_fast.link_rx import CTL, EOP, EVENT_BITS, EVENT_MASK, PENDING, LinkRx
from gavel_fast.llr_state import LlrTransmitter
from gavel_fast.lookup import Lookup, route
from gavel_fast.parser import DST_WIDTH, FIELDS_OF_PROFILES, parse
from gavel_fast.received_frame import (
    FCS,
    OUTPUT,
    POISONED_FCS,
    PROFILE,
    REASON,
    REFUSAL,
    ReceivedFrames,
)
from gavel_fast.sizes import PORTS, SEQ_MASK, TO_VERDICT, ring_place
from gavel_model.lookup import NO_ROUTE
from gavel_model.register_map import Counter, LlrControl, Port

_CONTROL = int(Port.LLR_CONTROL)
_REMOTE = 1 << LlrControl.REMOTE
_IN_USE = _REMOTE | 1 << LlrControl.LOCAL
_PROTECT = 1 << LlrControl.PROTECT

_RX_FCS = int(Counter.RX_FCS)
_NO_ROUTE = int(Counter.RX_NO_ROUTE)
_UNKNOWN = int(Counter.LLR_RX_CTL_UNKNOWN)
_ACKS = int(Counter.LLR_RX_ACK_CTL_OS)
_NACKS = int(Counter.LLR_RX_NACK_CTL_OS)
_ECHOES = int(Counter.LLR_RX_INIT_ECHO_CTL_OS)


@compiled
def decide(
    link: LinkRx, frames: ReceivedFrames, receiver: Ints, transmitter: LlrTransmitter,
    sender: CreditSender, tables: Lookup, registers: Ints, counters: Ints, sizes: Ints, now: int,
    esun_ethertype: int,
) -> None:
    """The headers of frames that ended two cycles ago, and the frames and ordered sets of r, of all
    ports."""
    parsed = ring_place(now - 2)
    to_verdict = sizes[TO_VERDICT]
    place = ring_place(now - to_verdict)
    for p in range(sizes[PORTS]):
        pending = link.state[p, PENDING]
        if not pending:
            continue
        if pending >> EVENT_BITS & EOP:
            _read_header(frames, tables, registers, sizes, esun_ethertype, p, parsed)
        event = pending >> EVENT_BITS * (to_verdict - 1) & EVENT_MASK
        if event & EOP:
            llr_receiver.receive(receiver, registers, counters, sizes, frames, p, place)
            # After what link-level retry says comes what the header says.
            if not frames.info[p, place, REASON]:
                frames.info[p, place, REASON] = frames.info[p, place, REFUSAL]
        if event & CTL:
            _take_ordered_set(receiver, transmitter, sender, registers, counters, sizes, now, p,
                              frames.ctl[p, place])


@compiled
def _read_header(
    frames: ReceivedFrames, tables: Lookup, registers: Ints, sizes: Ints, esun_ethertype: int,
    p: int, place: int,
) -> None:
    """`Parser` and `Lookup`, if the frame may turn out to be one that goes on: with a poisoned FCS
    it may."""
    info = frames.info
    found = info[p, place, REASON]
    if found and (found != _RX_FCS or info[p, place, FCS] != POISONED_FCS):
        return
    info[p, place, REASON] = 0
    _route(frames, tables, registers, sizes, esun_ethertype, p, place)
    info[p, place, REFUSAL] = info[p, place, REASON]
    info[p, place, REASON] = found


@compiled
def _route(
    frames: ReceivedFrames, tables: Lookup, registers: Ints, sizes: Ints, esun_ethertype: int,
    p: int, place: int,
) -> None:
    """`Parser` and `Lookup`."""
    info = frames.info
    destination = parse(frames, registers, sizes, esun_ethertype, p, place)
    if info[p, place, REASON]:
        return
    width = FIELDS_OF_PROFILES[info[p, place, PROFILE], DST_WIDTH]
    output = route(tables, sizes, destination, width)
    if output == NO_ROUTE:
        info[p, place, REASON] = _NO_ROUTE
    else:
        info[p, place, OUTPUT] = output


@compiled
def _take_ordered_set(
    receiver: Ints, transmitter: LlrTransmitter, sender: CreditSender, registers: Ints,
    counters: Ints, sizes: Ints, now: int, p: int, ctl: int,
) -> None:
    control = registers[p, _CONTROL]
    protect = control & _PROTECT
    kind = ordered_set.kind_of(ctl, protect, sizes[SEQ_MASK])
    if kind == ordered_set.CF_UPDATE:
        credit_sender.update(sender, registers, counters, sizes, now, p, ctl, protect)
    elif kind == ordered_set.INIT:
        llr_receiver.initialise(receiver, registers, counters, p, ordered_set.value_of(ctl),
                                ordered_set.data_of(ctl))
    elif kind:
        if control & _REMOTE:
            if kind == ordered_set.ACK:
                counters[p, _ACKS] += 1
            elif kind == ordered_set.NACK:
                counters[p, _NACKS] += 1
            else:
                counters[p, _ECHOES] += 1
        if transmitter.state[p, sending.STATE] != sending.OFF:
            transmitter.state[p, sending.RECEIVED] = kind
            transmitter.state[p, sending.RECEIVED_VALUE] = ordered_set.value_of(ctl)
            transmitter.state[p, sending.RECEIVED_DATA] = ordered_set.data_of(ctl)
    elif control & _IN_USE:
        counters[p, _UNKNOWN] += 1
