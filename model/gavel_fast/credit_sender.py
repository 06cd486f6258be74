# SPDX-License-Identifier: Apache-2.0
"""Sender side of credits (docs/flow_control.md, Sender)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast import ordered_set
from gavel_fast.compiled import Ints, compiled
from gavel_fast.credit_unit import CREDIT_MASK, credits_of
from gavel_fast.ordered_set import CF_BITS, CF_MASK
from gavel_fast.sizes import CELL_WORDS, GATE_STAGES, MATCH_TO_EGRESS, MAX_BYTES, VCS
from gavel_model.config import SwitchConfig
from gavel_model.credit_unit import CreditUnit
from gavel_model.register_map import CbfcControl, Counter, Port

CONSUMED = 0
"""S_CC."""

USED = 1
_LIMIT_BEFORE = 2
"""``limit`` as visible in the cycle before."""

_VC_COUNT = 3

WAITING = 0
"""Mask of VCs."""

_LONGEST_BEFORE = 1
_TOTAL_LIMIT_BEFORE = 2
_SUM_BEFORE = 3
"""M, ``total_limit`` and the sum of ``used`` as visible in the cycle before."""

_LONGEST_EARLIER = 4
_LONGEST_EARLIEST = 5
"""M as visible in the cycle before that one, and in the one before it."""

_COUNT = 6

_CYCLE = 0
_VC = 1
_HAD_CREDITS = 2
_MATCH_COUNT = 3

_MATCHES = 8
"""Cycles in which matches are remembered."""

_NEVER = -1 - _MATCHES
_COMING = 4
"""Cycles of which is remembered what has come."""

_UPDATED = 0
_FIRST_ENTRY = 1
_SECOND_ENTRY = 2
_AMOUNT = 3
"""Credits of the frame that `Egress` begins to give; 0: none. No frame of a length that can be sent
costs nothing."""

_SENT_VC = 4
_COMING_COUNT = 5

_CBFC_CONTROL = int(Port.CBFC_CONTROL)
_UNIT = int(Port.CBFC_SENDER)
_LIMIT = int(Port.CBFC_LIMIT)
_TOTAL_LIMIT = int(Port.CBFC_TOTAL_LIMIT)
_SENDER = int(CbfcControl.SENDER)
_TOTAL = int(CbfcControl.TOTAL)
_CF_UPDATES = int(Counter.CBFC_RX_CF_UPDATE)
_CF_ERROR = int(Counter.CBFC_RX_CF_ERROR)


class CreditSender(NamedTuple):
    """``vc`` (P, V, fields), ``state`` (P, fields); ``match`` (P, 8, fields): the matches of an
    output in the latest cycles, by cycle mod 8; ``coming`` (P, 4, fields): with ``gate_stages`` > 0
    what has come in a cycle and counts later, by cycle mod 4."""

    vc: Ints
    state: Ints
    match: Ints
    coming: Ints


def credit_sender(config: SwitchConfig, registers: Ints) -> CreditSender:
    """Reset values, given those of the registers."""
    vc = np.zeros((config.ports, config.vcs, _VC_COUNT), np.int64)
    vc[:, :, _LIMIT_BEFORE] = registers[:, _LIMIT:_LIMIT + config.vcs]
    state = np.zeros((config.ports, _COUNT), np.int64)
    longest = [CreditUnit(int(unit)).credits(config.max_frame_bytes)
               for unit in registers[:, _UNIT]]
    for field in (_LONGEST_BEFORE, _LONGEST_EARLIER, _LONGEST_EARLIEST):
        state[:, field] = longest
    state[:, _TOTAL_LIMIT_BEFORE] = registers[:, _TOTAL_LIMIT]
    match = np.zeros((config.ports, _MATCHES, _MATCH_COUNT), np.int64)
    match[:, :, _CYCLE] = _NEVER
    coming = np.zeros((config.ports, _COMING, _COMING_COUNT), np.int64)
    return CreditSender(vc, state, match, coming)


@compiled
def senders(registers: Ints, p: int) -> int:
    """VCs with credits to the peer."""
    return registers[p, _CBFC_CONTROL] >> _SENDER & 0xFF


@compiled
def freed(sender: CreditSender, p: int, v: int) -> int:
    """S_CF of a VC."""
    return (sender.vc[p, v, CONSUMED] - sender.vc[p, v, USED]) & CREDIT_MASK


@compiled
def matched(sender: CreditSender, registers: Ints, now: int, p: int, v: int) -> None:
    """A frame of a VC is matched to output ``p``."""
    match = sender.match
    place = now % _MATCHES
    match[p, place, _CYCLE] = now
    match[p, place, _VC] = v
    match[p, place, _HAD_CREDITS] = senders(registers, p) >> v & 1


@compiled
def matched_before(sender: CreditSender, now: int, p: int) -> bool:
    """A frame was matched to output ``p`` in the cycle before."""
    return sender.match[p, (now - 1) % _MATCHES, _CYCLE] == now - 1


@compiled
def sent(
    sender: CreditSender, registers: Ints, sizes: Ints, now: int, p: int, v: int, length: int
) -> None:
    """`Egress` gives the first word of a frame of ``length`` bytes."""
    amount = credits_of(registers[p, _UNIT], length)
    if sizes[GATE_STAGES]:
        sender.coming[p, now % _COMING, _AMOUNT] = amount
        sender.coming[p, now % _COMING, _SENT_VC] = v
    else:
        _consume(sender, registers, p, v, amount)


@compiled
def _consume(sender: CreditSender, registers: Ints, p: int, v: int, amount: int) -> None:
    if senders(registers, p) >> v & 1:
        vc = sender.vc
        vc[p, v, CONSUMED] = (vc[p, v, CONSUMED] + amount) & CREDIT_MASK
        vc[p, v, USED] = (vc[p, v, USED] + amount) & CREDIT_MASK


@compiled
def update(
    sender: CreditSender, registers: Ints, counters: Ints, sizes: Ints, now: int, p: int, ctl: int,
    protect: int,
) -> None:
    """A valid CF_Update comes, before `sent`."""
    first = ordered_set.entry(ctl, 0, protect)
    second = ordered_set.entry(ctl, 1, protect)
    if sizes[GATE_STAGES]:
        coming, slot = sender.coming, now % _COMING
        coming[p, slot, _UPDATED] = 1
        coming[p, slot, _FIRST_ENTRY] = first
        coming[p, slot, _SECOND_ENTRY] = second
    else:
        _take_both(sender, registers, counters, sizes, p, first, second)


@compiled
def _take_both(
    sender: CreditSender, registers: Ints, counters: Ints, sizes: Ints, p: int, first: int,
    second: int,
) -> None:
    counters[p, _CF_UPDATES] += 1
    taken = _take(sender, registers, sizes, p, first)
    if first >> CF_BITS != second >> CF_BITS:
        taken = _take(sender, registers, sizes, p, second) and taken
    if not taken:
        counters[p, _CF_ERROR] += 1


@compiled
def _take(sender: CreditSender, registers: Ints, sizes: Ints, p: int, entry: int) -> bool:
    """An entry; returns whether it is not refused."""
    v, count = entry >> CF_BITS, entry & CF_MASK
    if v >= sizes[VCS] or not senders(registers, p) >> v & 1:
        return False
    vc = sender.vc
    if sender.state[p, WAITING] >> v & 1:
        used = (vc[p, v, CONSUMED] - count) & CF_MASK
        total = registers[p, _CBFC_CONTROL] >> _TOTAL & 1
        if used > registers[p, _TOTAL_LIMIT if total else _LIMIT + v]:
            return False
        vc[p, v, USED] = used
        sender.state[p, WAITING] &= ~(1 << v)
        return True
    returned = (count - freed(sender, p, v)) & CF_MASK
    if returned > vc[p, v, USED]:
        return False
    vc[p, v, USED] -= returned
    return True


@compiled
def fits(sender: CreditSender, registers: Ints, sizes: Ints, now: int, p: int) -> int:
    """First part of a cycle: VCs, of those with credits, that have them for a longest frame.

    With ``gate_stages`` > 0 it is the last part, but before `step`, and they are those of as many
    cycles later.
    """
    state, vc = sender.state, sender.vc
    on = senders(registers, p)
    late = 1 if sizes[GATE_STAGES] else 0
    longest = state[p, _LONGEST_BEFORE]
    if late:
        longest = state[p, _LONGEST_EARLIER if sizes[GATE_STAGES] == 1 else _LONGEST_EARLIEST]
    # With two words or more in a frame the output is busy after a match.
    least = 0 if late and sizes[CELL_WORDS] == 1 else 1
    # Cycles in which a match is not yet in ``used``; in total mode one more.
    most = sizes[MATCH_TO_EGRESS] + late
    total = registers[p, _CBFC_CONTROL] >> _TOTAL & 1
    allowed = 0
    if total:
        wanted = (_recent(sender, now, p, -1, least, most + 1) + 1) * longest
        if state[p, _SUM_BEFORE] + wanted <= state[p, _TOTAL_LIMIT_BEFORE]:
            allowed = on
    else:
        for v in range(sizes[VCS]):
            if on >> v & 1:
                wanted = (_recent(sender, now, p, v, least, most) + 1) * longest
                if vc[p, v, USED] + wanted <= vc[p, v, _LIMIT_BEFORE]:
                    allowed |= 1 << v
    state[p, _SUM_BEFORE] = 0
    for v in range(sizes[VCS]):
        vc[p, v, _LIMIT_BEFORE] = registers[p, _LIMIT + v]
        if on >> v & 1:
            state[p, _SUM_BEFORE] += vc[p, v, USED]
    state[p, _LONGEST_EARLIEST] = state[p, _LONGEST_EARLIER]
    state[p, _LONGEST_EARLIER] = state[p, _LONGEST_BEFORE]
    state[p, _LONGEST_BEFORE] = credits_of(registers[p, _UNIT], sizes[MAX_BYTES])
    state[p, _TOTAL_LIMIT_BEFORE] = registers[p, _TOTAL_LIMIT]
    return allowed


@compiled
def _recent(sender: CreditSender, now: int, p: int, v: int, least: int, most: int) -> int:
    """Matches of an output ``least`` to ``most`` cycles ago for a VC, or with -1 for any that had
    credits."""
    match = sender.match
    number = 0
    for place in range(_MATCHES):
        age = now - match[p, place, _CYCLE]
        if least <= age <= most and (match[p, place, _HAD_CREDITS] if v < 0
                                     else match[p, place, _VC] == v):
            number += 1
    return number


@compiled
def step(
    sender: CreditSender, registers: Ints, counters: Ints, sizes: Ints, now: int, p: int,
    resynchronise: bool,
) -> None:
    """Last part of a cycle: ``resynchronise`` makes all VCs with credits wait."""
    coming, slot = sender.coming, (now - sizes[GATE_STAGES]) % _COMING
    if coming[p, slot, _UPDATED]:
        coming[p, slot, _UPDATED] = 0
        _take_both(sender, registers, counters, sizes, p, coming[p, slot, _FIRST_ENTRY],
                   coming[p, slot, _SECOND_ENTRY])
    slot = (now - 1) % _COMING
    if coming[p, slot, _AMOUNT]:
        _consume(sender, registers, p, coming[p, slot, _SENT_VC], coming[p, slot, _AMOUNT])
        coming[p, slot, _AMOUNT] = 0
    on = senders(registers, p)
    for v in range(sizes[VCS]):
        if not on >> v & 1:
            sender.vc[p, v, CONSUMED] = sender.vc[p, v, USED] = 0
    if resynchronise:
        sender.state[p, WAITING] |= on
    sender.state[p, WAITING] &= on
