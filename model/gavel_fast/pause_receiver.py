# SPDX-License-Identifier: Apache-2.0
"""Receiving side of PFC, and its watchdog (docs/flow_control.md, PFC)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast.compiled import Ints, compiled
from gavel_fast.parser import vc_of_class
from gavel_fast.sizes import QUANTUM, VCS
from gavel_model.config import TIMER_BITS, SwitchConfig
from gavel_model.mac_control import PFC_CLASSES
from gavel_model.register_map import Counter, PfcControl, Port

_WATCH = 0
_RESTORE = 1
_VC_COUNT = 2

_LONGEST = (1 << TIMER_BITS) - 1
_PFC_CONTROL = int(Port.PFC_CONTROL)
_RECEIVE = int(PfcControl.RECEIVE)
_PFC_WATCHDOG = int(Port.PFC_WATCHDOG)
_PFC_RESTORE = int(Port.PFC_RESTORE)
_FRAMES = int(Counter.PFC_RX)
_BITES = int(Counter.PFC_WATCHDOG)


class PauseReceiver(NamedTuple):
    """``ends`` (P, 8): first cycle in which the timer of a class is 0; ``vc`` (P, V, fields);
    ``asked`` (P): VCs that the peer asks to pause, as `look` found them."""

    ends: Ints
    vc: Ints
    asked: Ints


def pause_receiver(config: SwitchConfig) -> PauseReceiver:
    """Reset values."""
    return PauseReceiver(np.zeros((config.ports, PFC_CLASSES), np.int64),
                         np.zeros((config.ports, config.vcs, _VC_COUNT), np.int64),
                         np.zeros(config.ports, np.int64))


@compiled
def take(
    pauses: PauseReceiver, counters: Ints, sizes: Ints, now: int, p: int, enabled: int,
    times: tuple[int, int],
) -> None:
    """A PFC frame ends: 16-bit ``times`` of classes 0...3 and 4...7, the first in bits 63:48."""
    counters[p, _FRAMES] += 1
    for n in range(PFC_CLASSES):
        if enabled >> n & 1:
            quanta = times[n >> 2] >> 48 - 16 * (n & 3) & 0xFFFF
            pauses.ends[p, n] = now + 1 + quanta * sizes[QUANTUM]


@compiled
def look(pauses: PauseReceiver, registers: Ints, sizes: Ints, now: int, p: int) -> int:
    """First part of a cycle, before a PFC frame may end in it: notes which VCs the peer asks to
    pause; returns those that may not send."""
    asked = 0
    for n in range(PFC_CLASSES):
        if now < pauses.ends[p, n]:
            asked |= 1 << vc_of_class(registers, sizes, p, n)
    asked &= registers[p, _PFC_CONTROL] >> _RECEIVE & 0xFF
    pauses.asked[p] = asked
    members = asked
    for v in range(sizes[VCS]):
        if pauses.vc[p, v, _RESTORE]:
            members &= ~(1 << v)
    return members


@compiled
def step(pauses: PauseReceiver, registers: Ints, counters: Ints, sizes: Ints, p: int) -> None:
    """The watchdog."""
    vc = pauses.vc
    asked = pauses.asked[p]
    watchdog = registers[p, _PFC_WATCHDOG]
    bitten = False
    for v in range(sizes[VCS]):
        if vc[p, v, _RESTORE]:
            vc[p, v, _RESTORE] -= 1
            vc[p, v, _WATCH] = 0
        elif not asked >> v & 1:
            vc[p, v, _WATCH] = 0
        elif watchdog and vc[p, v, _WATCH] + 1 >= watchdog:
            vc[p, v, _WATCH] = 0
            vc[p, v, _RESTORE] = registers[p, _PFC_RESTORE]
            bitten = True
        else:
            vc[p, v, _WATCH] = min(vc[p, v, _WATCH] + 1, _LONGEST)
    if bitten:
        counters[p, _BITES] += 1
