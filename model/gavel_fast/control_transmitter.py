# SPDX-License-Identifier: Apache-2.0
"""Sends control ordered sets (docs/llr.md, ControlTransmitter)."""

from __future__ import annotations

import numpy as np

from gavel_fast import credit_receiver as crediting
from gavel_fast import llr_receiver as receiving
from gavel_fast import llr_state as sending
from gavel_fast import ordered_set
from gavel_fast.compiled import Ints, compiled
from gavel_fast.credit_receiver import CreditReceiver
from gavel_fast.link_tx import LinkTx
from gavel_fast.llr_state import LlrTransmitter
from gavel_fast.sizes import CONTROL_STAGES, PORTS, WORD_BYTES
from gavel_model.config import SwitchConfig
from gavel_model.register_map import SPACING_BITS, CbfcControl, Counter, LlrControl, Port

SHOWN = 0
"""D1 of the set on the pins; 0 is none."""

_ACK_LAST = 1
"""Of ACK and CF_Update the one that was loaded last is the ACK."""

_SINCE = 2
_SINCE_ACK = 3
_SINCE_INIT = 4
"""Cycle in which the count was 0."""

_CHOSEN = 5
"""The set in the stage, without its check; 0 is none. With ``control_stages`` = 0 always."""

_COUNT = 6

_LONGEST = 65535
_LONG_AGO = -_LONGEST
_INIT_SPACINGS = 4
_KIND = 0xFF
_LOCAL = 1 << LlrControl.LOCAL
_PROTECT = 1 << LlrControl.PROTECT
_IN_USE = 1 << LlrControl.LOCAL | 1 << LlrControl.REMOTE
_RECEIVER_MASK = 0xFF << CbfcControl.RECEIVER

_CONTROL = int(Port.LLR_CONTROL)
_SPACING = int(Port.LLR_SPACING)
_SPACING_MASK = (1 << SPACING_BITS) - 1
_CBFC_CONTROL = int(Port.CBFC_CONTROL)
_ACKS = int(Counter.LLR_TX_ACK_CTL_OS)
_NACKS = int(Counter.LLR_TX_NACK_CTL_OS)
_INITS = int(Counter.LLR_TX_INIT_CTL_OS)
_ECHOES = int(Counter.LLR_TX_INIT_ECHO_CTL_OS)
_CF_UPDATES = int(Counter.CBFC_TX_CF_UPDATE)


def control_transmitter(config: SwitchConfig) -> Ints:
    """Reset values, (P, fields)."""
    state = np.zeros((config.ports, _COUNT), np.int64)
    state[:, _SINCE:_CHOSEN] = _LONG_AGO
    return state


@compiled
def step(
    control: Ints, link_tx: LinkTx, receiver: Ints, transmitter: LlrTransmitter,
    credit_receiver: CreditReceiver, registers: Ints, counters: Ints, sizes: Ints, now: int,
    ready: int,
) -> tuple[int, int]:
    """First part of a cycle of all ports, ``ready`` being the pins; returns the ports whose
    register or stage holds LLR_INIT, as visible in the cycle, and those that load, or choose, a
    CF_Update in it."""
    init_waiting = loaded = 0
    for p in range(sizes[PORTS]):
        if (control[p, SHOWN] == ordered_set.INIT
                or control[p, _CHOSEN] & _KIND == ordered_set.INIT):
            init_waiting |= 1 << p
        if not (
            registers[p, _CONTROL] & _IN_USE or registers[p, _CBFC_CONTROL] & _RECEIVER_MASK
            or control[p, SHOWN] or control[p, _CHOSEN] or receiver[p, receiving.STATE]
            or transmitter.state[p, sending.STATE]
        ):
            continue
        sent = 0
        free = not control[p, SHOWN] or ready >> p & 1
        held = control[p, _CHOSEN]
        if sizes[CONTROL_STAGES] and free:
            _load(control, link_tx, registers, p, held)
        if held:
            if free:
                control[p, _CHOSEN] = 0
                _count_from(control, credit_receiver, p, held & _KIND, now)
        elif free or sizes[CONTROL_STAGES]:
            sent = _choose(control, receiver, transmitter, credit_receiver, registers, sizes, now,
                           p)
            ctl = _answer(control, receiver, transmitter, credit_receiver, registers, counters,
                          sizes, now, p, sent)
            if sizes[CONTROL_STAGES]:
                control[p, _CHOSEN] = ctl
            else:
                _load(control, link_tx, registers, p, ctl)
        if sent == ordered_set.CF_UPDATE:
            loaded |= 1 << p
        receiving.begin(receiver, registers, p, sent)
    return init_waiting, loaded


@compiled
def _bytes(sizes: Ints, now: int, zero: int) -> int:
    """Line time since a cycle in which a count was 0."""
    return min((now - zero) * sizes[WORD_BYTES], _LONGEST)


@compiled
def _choose(
    control: Ints, receiver: Ints, transmitter: LlrTransmitter, credit_receiver: CreditReceiver,
    registers: Ints, sizes: Ints, now: int, p: int,
) -> int:
    """D1 of the first request that holds; 0 if none does."""
    spacing = registers[p, _SPACING] & _SPACING_MASK
    if _bytes(sizes, now, control[p, _SINCE]) < registers[p, _SPACING] >> SPACING_BITS:
        return 0
    local = registers[p, _CONTROL] & _LOCAL
    if local and receiver[p, receiving.ECHO_PENDING]:
        return ordered_set.INIT_ECHO
    fields = transmitter.state
    if fields[p, sending.STATE] == sending.INIT and not fields[p, sending.ECHO_SEEN]:
        longer = min(_INIT_SPACINGS * spacing, _LONGEST)
        if fields[p, sending.INIT_FIRST] or _bytes(sizes, now, control[p, _SINCE_INIT]) >= longer:
            return ordered_set.INIT
    if local and receiver[p, receiving.STATE] == receiving.SEND_NACK:
        return ordered_set.NACK
    ack = (local and receiver[p, receiving.ACK_PENDING]
           and receiver[p, receiving.STATE] == receiving.SEND_ACKS
           and _bytes(sizes, now, control[p, _SINCE_ACK]) >= spacing)
    update = crediting.requested(credit_receiver, registers, sizes, now, p)
    if ack and not (update and control[p, _ACK_LAST]):
        return ordered_set.ACK
    return ordered_set.CF_UPDATE if update else 0


@compiled
def _load(control: Ints, link_tx: LinkTx, registers: Ints, p: int, ctl: int) -> None:
    """Puts a set without its check into the free register, or empties it with 0."""
    control[p, SHOWN] = ctl & _KIND
    if ctl and registers[p, _CONTROL] & _PROTECT:
        ctl = ordered_set.protected(ctl)
    link_tx.ctl[p] = ctl


@compiled
def _answer(
    control: Ints, receiver: Ints, transmitter: LlrTransmitter, credit_receiver: CreditReceiver,
    registers: Ints, counters: Ints, sizes: Ints, now: int, p: int, kind: int,
) -> int:
    """The set of this kind, which answers its request, without its check; 0 for kind 0."""
    if not kind:
        return 0
    _count_from(control, credit_receiver, p, kind, now + 1)
    if kind == ordered_set.CF_UPDATE:
        control[p, _ACK_LAST] = 0
        counters[p, _CF_UPDATES] += 1
        return crediting.cf_update(credit_receiver, p)
    if kind == ordered_set.INIT_ECHO:
        counters[p, _ECHOES] += 1
        return ordered_set.encode(kind, receiver[p, receiving.ECHO_SEQ],
                                  receiver[p, receiving.ECHO_DATA])
    if kind == ordered_set.INIT:
        transmitter.state[p, sending.INIT_FIRST] = 0
        counters[p, _INITS] += 1
        return ordered_set.encode(kind, transmitter.state[p, sending.OLDEST],
                                  sending.init_data(transmitter, registers, p))
    if kind == ordered_set.ACK:
        control[p, _ACK_LAST] = 1
        counters[p, _ACKS] += 1
    else:
        counters[p, _NACKS] += 1
    return ordered_set.encode(kind, receiving.newest(receiver, sizes, p), 0)


@compiled
def _count_from(
    control: Ints, credit_receiver: CreditReceiver, p: int, kind: int, zero: int
) -> None:
    """The counts of line time behind a set of this kind are 0 in cycle ``zero``."""
    control[p, _SINCE] = zero
    if kind == ordered_set.INIT:
        control[p, _SINCE_INIT] = zero
    elif kind == ordered_set.ACK or kind == ordered_set.NACK:
        control[p, _SINCE_ACK] = zero
    elif kind == ordered_set.CF_UPDATE:
        crediting.count_from(credit_receiver, p, zero)
