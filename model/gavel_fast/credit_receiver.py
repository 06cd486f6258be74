# SPDX-License-Identifier: Apache-2.0
"""Receiver side of credits (docs/flow_control.md, Receiver)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast import ordered_set
from gavel_fast.compiled import Ints, compiled
from gavel_fast.credit_unit import CREDIT_MASK, credits_of
from gavel_fast.ordered_set import CF_MASK
from gavel_fast.sizes import GATE_STAGES, VCS, WORD_BYTES
from gavel_model.config import CF_SPACING_BITS, SwitchConfig
from gavel_model.mac_control import CC_VCS
from gavel_model.register_map import CREDIT_BITS, CbfcControl, Counter, Port

CONSUMED = 0
"""R_CC."""

STORED = 1
_REPORTED = 2
_DUE = 3
_KEY = 4
"""With ``gate_stages`` = 2: how much there was to tell in the cycle before."""

_VC_COUNT = 5

_TURN = 0
_FIRST = 1
_SECOND = 2
_SOME = 3
_SINCE = 4
"""Cycle in which ``since_cf`` was 0."""

_ON_BEFORE = 5
"""Some VC had credits in the cycle before."""

_COUNT = 6

_HALF = 1 << CREDIT_BITS - 1
_CBFC_CONTROL = int(Port.CBFC_CONTROL)
_UNIT = int(Port.CBFC_RECEIVER)
_CF_MIN = int(Port.CBFC_CF_MIN)
_CF_MAX = int(Port.CBFC_CF_MAX)
_RECEIVER = int(CbfcControl.RECEIVER)
_CC_UPDATES = int(Counter.CBFC_RX_CC_UPDATE)
_RECOVERED = int(Counter.CBFC_RX_RECOVERED)
_CC_ERROR = int(Counter.CBFC_RX_CC_ERROR)


class CreditReceiver(NamedTuple):
    """``vc`` (P, V, fields), ``state`` (P, fields); ``arrived`` (2, P, 16): counts of the CC_Update
    that ended in this cycle and in the one before, by cycle mod 2, and ``ended`` (2, P) whether
    there is one."""

    vc: Ints
    state: Ints
    arrived: Ints
    ended: Ints


def credit_receiver(config: SwitchConfig) -> CreditReceiver:
    """Reset values."""
    state = np.zeros((config.ports, _COUNT), np.int64)
    state[:, _SINCE] = -(1 << CF_SPACING_BITS)
    return CreditReceiver(
        np.zeros((config.ports, config.vcs, _VC_COUNT), np.int64), state,
        np.zeros((2, config.ports, CC_VCS), np.int64), np.zeros((2, config.ports), np.int64),
    )


@compiled
def freed(receiver: CreditReceiver, p: int, v: int) -> int:
    """R_CF of a VC."""
    return (receiver.vc[p, v, CONSUMED] - receiver.vc[p, v, STORED]) & CREDIT_MASK


@compiled
def requested(
    receiver: CreditReceiver, registers: Ints, sizes: Ints, now: int, p: int
) -> bool:
    """A CF_Update is asked for, as visible in the cycle."""
    state = receiver.state
    if not registers[p, _CBFC_CONTROL] >> _RECEIVER & 0xFF or not state[p, _ON_BEFORE]:
        return False
    since = (now - state[p, _SINCE]) * sizes[WORD_BYTES]
    return (state[p, _SOME] and since >= registers[p, _CF_MIN]) or since >= registers[p, _CF_MAX]


@compiled
def cf_update(receiver: CreditReceiver, p: int) -> int:
    """What it says, as bits of the ordered set without a check."""
    first, second = receiver.state[p, _FIRST], receiver.state[p, _SECOND]
    return ordered_set.encode_credits(first, freed(receiver, p, first) & CF_MASK,
                                      second, freed(receiver, p, second) & CF_MASK)


@compiled
def count_from(receiver: CreditReceiver, p: int, zero: int) -> None:
    """``since_cf`` is 0 in cycle ``zero``."""
    receiver.state[p, _SINCE] = zero


@compiled
def take(receiver: CreditReceiver, counters: Ints, now: int, p: int) -> None:
    """A CC_Update ends, whose counts stand in ``arrived``; it takes effect in the next cycle."""
    counters[p, _CC_UPDATES] += 1
    receiver.ended[now & 1, p] = 1


@compiled
def step(
    receiver: CreditReceiver, registers: Ints, counters: Ints, sizes: Ints, vc_cells: Ints,
    now: int, p: int, loaded: bool,
) -> None:
    """The work of a cycle on what is visible in it; ``loaded`` tells that a CF_Update is loaded."""
    state, vc = receiver.state, receiver.vc
    on = registers[p, _CBFC_CONTROL] >> _RECEIVER & 0xFF
    first, second, some = _choose(receiver, sizes, p, on)
    if sizes[GATE_STAGES] > 1:
        for v in range(sizes[VCS]):
            told = loaded and (v == state[p, _FIRST] or v == state[p, _SECOND])
            vc[p, v, _KEY] = 0 if told else _key_of(receiver, p, v)
    if loaded:
        # Both may be the same VC.
        for n in (state[p, _FIRST], state[p, _SECOND]):
            vc[p, n, _REPORTED] = freed(receiver, p, n) & CF_MASK
            vc[p, n, _DUE] = 0
        state[p, _TURN] = (state[p, _SECOND] + 1) % sizes[VCS]
    half = (now - 1) & 1
    if receiver.ended[half, p]:
        receiver.ended[half, p] = 0
        _apply(receiver, counters, sizes, p, on, half)
    for v in range(sizes[VCS]):
        if not on >> v & 1:
            vc[p, v, CONSUMED] = vc[p, v, _REPORTED] = vc[p, v, _DUE] = 0
            if not vc_cells[p, v]:
                vc[p, v, STORED] = 0
    state[p, _FIRST] = first
    state[p, _SECOND] = second
    state[p, _SOME] = some
    state[p, _ON_BEFORE] = on


@compiled
def _choose(receiver: CreditReceiver, sizes: Ints, p: int, on: int) -> tuple[int, int, int]:
    """``first``, ``second``, ``some`` of the keys."""
    if not on:
        return 0, 0, 0
    vcs, turn = sizes[VCS], receiver.state[p, _TURN]
    first, most = -1, -1
    for n in range(vcs):
        v = (turn + n) % vcs
        if on >> v & 1:
            key = _key(receiver, sizes, p, v)
            if key > most:
                first, most = v, key
    second = -1
    for n in range(vcs):
        v = (turn + n) % vcs
        if on >> v & 1 and v != first:
            if _key(receiver, sizes, p, v):
                second = v
                break
            if second < 0:
                second = v
    return first, second if second >= 0 else first, 1 if most > 0 else 0


@compiled
def _key(receiver: CreditReceiver, sizes: Ints, p: int, v: int) -> int:
    """By which a VC is chosen."""
    return receiver.vc[p, v, _KEY] if sizes[GATE_STAGES] > 1 else _key_of(receiver, p, v)


@compiled
def _key_of(receiver: CreditReceiver, p: int, v: int) -> int:
    """How much there is to tell of a VC by what is visible."""
    pending = (freed(receiver, p, v) - receiver.vc[p, v, _REPORTED]) & CF_MASK
    return 2 * pending + receiver.vc[p, v, _DUE]


@compiled
def _apply(
    receiver: CreditReceiver, counters: Ints, sizes: Ints, p: int, on: int, half: int
) -> None:
    """The CC_Update of the cycle before."""
    recovered = wrong = False
    for v in range(sizes[VCS]):
        if on >> v & 1:
            count = receiver.arrived[half, p, v]
            missing = (count - receiver.vc[p, v, CONSUMED]) & CREDIT_MASK
            recovered = recovered or 0 < missing < _HALF
            wrong = wrong or missing >= _HALF
            receiver.vc[p, v, CONSUMED] = count
            receiver.vc[p, v, _DUE] = 1
    if recovered:
        counters[p, _RECOVERED] += 1
    if wrong:
        counters[p, _CC_ERROR] += 1


@compiled
def count(
    receiver: CreditReceiver, registers: Ints, p: int, v: int, length: int, filed: bool
) -> None:
    """After `step`: a good frame of ``length`` bytes ended in the cycle before."""
    amount = credits_of(registers[p, _UNIT], length)
    vc = receiver.vc
    if registers[p, _CBFC_CONTROL] >> _RECEIVER >> v & 1:
        vc[p, v, CONSUMED] = (vc[p, v, CONSUMED] + amount) & CREDIT_MASK
    if filed:
        vc[p, v, STORED] = (vc[p, v, STORED] + amount) & CREDIT_MASK


@compiled
def free(receiver: CreditReceiver, registers: Ints, p: int, v: int, length: int) -> None:
    """After `step`: the last word of a frame was read in the cycle before."""
    amount = credits_of(registers[p, _UNIT], length)
    receiver.vc[p, v, STORED] = (receiver.vc[p, v, STORED] - amount) & CREDIT_MASK
