# SPDX-License-Identifier: Apache-2.0
"""What is decided of frames and ordered sets two cycles after they were on the pins."""

from __future__ import annotations

from gavel_fast import credit_sender, llr_receiver, ordered_set
from gavel_fast import llr_state as sending
from gavel_fast.compiled import Ints, compiled
from gavel_fast.credit_sender import CreditSender
from gavel_fast.link_rx import CTL, EOP, EVENT_BITS, EVENT_MASK, PENDING, LinkRx
from gavel_fast.llr_state import LlrTransmitter
from gavel_fast.lookup import Lookup, route
from gavel_fast.parser import DST_WIDTH, FIELDS_OF_PROFILES, parse
from gavel_fast.received_frame import OUTPUT, PROFILE, REASON, ReceivedFrames
from gavel_fast.sizes import PORTS, SEQ_MASK, ring_place
from gavel_model.lookup import NO_ROUTE
from gavel_model.register_map import Counter, LlrControl, Port

_CONTROL = int(Port.LLR_CONTROL)
_REMOTE = 1 << LlrControl.REMOTE
_IN_USE = _REMOTE | 1 << LlrControl.LOCAL
_PROTECT = 1 << LlrControl.PROTECT

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
    """The frames and ordered sets that were on the pins two cycles ago, of all ports."""
    place = ring_place(now - 2)
    for p in range(sizes[PORTS]):
        event = link.state[p, PENDING] >> EVENT_BITS & EVENT_MASK
        if event & EOP:
            llr_receiver.receive(receiver, registers, counters, sizes, frames, p, place)
            if not frames.info[p, place, REASON]:
                _route(frames, tables, registers, sizes, esun_ethertype, p, place)
        if event & CTL:
            _take_ordered_set(receiver, transmitter, sender, registers, counters, sizes, now, p,
                              frames.ctl[p, place])


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
