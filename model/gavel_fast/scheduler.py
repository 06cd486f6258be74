# SPDX-License-Identifier: Apache-2.0
"""Packet-mode iSLIP with waiting for busy inputs (docs/spec.md, Scheduler)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast.bits import first_at_or_after, highest_of_eight, lowest
from gavel_fast.compiled import Ints, compiled
from gavel_fast.sizes import ITERATIONS, PORTS, VCS
from gavel_model.config import SwitchConfig
from gavel_model.register_map import Port, VcControl

GRANT = 0
CATCH_UP = 1
BYPASS = 2
_REQUEST = 3
_NEW_ROUND = 4
_COUNT = 5

MATCHED_OUTPUT = 0
MATCHED_VC = 1
_MATCH_COUNT = 2

VC_WEIGHTS = int(Port.VC_WEIGHTS)
VC_CONTROL = int(Port.VC_CONTROL)
_STRICT = int(VcControl.STRICT)
_NIBBLE = 15


class Scheduler(NamedTuple):
    """State, and what it works on.

    ``output`` (P, fields), ``accept`` (P); ``turn``, ``quota`` (P, V) by output. ``filled``
    (P, V): by output and VC the inputs that show a frame. ``allow`` (P): VCs that an output may
    send. ``match`` (P, 2): output and VC of each input matched in the cycle. ``rows`` (P, V): by
    output and VC the inputs whose requests count, where not all do. ``grants`` (P): outputs that
    granted to an input.
    """

    output: Ints
    accept: Ints
    turn: Ints
    quota: Ints
    filled: Ints
    allow: Ints
    match: Ints
    rows: Ints
    grants: Ints


def scheduler(config: SwitchConfig) -> Scheduler:
    """Reset values."""
    ports, each = config.ports, (config.ports, config.vcs)
    return Scheduler(
        np.zeros((ports, _COUNT), np.int64), np.zeros(ports, np.int64), np.zeros(each, np.int64),
        np.zeros(each, np.int64), np.zeros(each, np.int64),
        np.full(ports, (1 << config.vcs) - 1, np.int64),
        np.zeros((ports, _MATCH_COUNT), np.int64), np.zeros(each, np.int64),
        np.zeros(ports, np.int64),
    )


@compiled
def voq_filled(scheduler: Scheduler, i: int, j: int, v: int) -> None:
    """VOQ (j, v) of input i is shown: no longer empty, or with one queue per input the head."""
    scheduler.filled[j, v] |= 1 << i


@compiled
def voq_emptied(scheduler: Scheduler, i: int, j: int, v: int) -> None:
    """VOQ (j, v) of input i is no longer shown."""
    scheduler.filled[j, v] &= ~(1 << i)


@compiled
def inputs_of(scheduler: Scheduler, sizes: Ints, j: int, vcs: int) -> int:
    """Inputs that show a frame for output j in one of a set of VCs."""
    inputs = 0
    for v in range(sizes[VCS]):
        if vcs >> v & 1:
            inputs |= scheduler.filled[j, v]
    return inputs


@compiled
def step(
    scheduler: Scheduler, registers: Ints, sizes: Ints, bypass_limit: int, free_inputs: int,
    free_outputs: int, unknown: int,
) -> int:
    """Makes the matches of a cycle from what is visible in it; returns the inputs matched.
    ``unknown``: inputs that are not free, which requests do not know yet."""
    output = scheduler.output
    ports = sizes[PORTS]
    urgent = 0
    for j in range(ports):
        if output[j, CATCH_UP]:
            output[j, CATCH_UP] &= inputs_of(scheduler, sizes, j, -1)
            if output[j, CATCH_UP] & inputs_of(scheduler, sizes, j, scheduler.allow[j]):
                urgent |= 1 << j
    if not free_inputs:
        return 0
    requested = 0
    rest = free_outputs
    while rest:
        j = lowest(rest)
        rest &= rest - 1
        inputs = inputs_of(scheduler, sizes, j, scheduler.allow[j]) & (free_inputs | unknown)
        if urgent >> j & 1:
            inputs &= output[j, CATCH_UP]
        if inputs:
            if registers[j, VC_WEIGHTS] or registers[j, VC_CONTROL] >> _STRICT & 0xFF:
                inputs = _consider(scheduler, registers, sizes, j, inputs)
            output[j, _REQUEST] = inputs
            requested |= 1 << j
    busy_inputs = ~free_inputs
    matched = 0
    for iteration in range(sizes[ITERATIONS]):
        granted = 0
        rest = requested
        while rest:
            j = lowest(rest)
            rest &= rest - 1
            inputs = output[j, _REQUEST] & free_inputs
            if inputs:
                i = first_at_or_after(inputs, output[j, GRANT])
                if not granted >> i & 1:
                    scheduler.grants[i] = 0
                granted |= 1 << i
                scheduler.grants[i] |= 1 << j
        if not granted:
            break
        matched |= granted
        free_inputs &= ~granted
        while granted:
            i = lowest(granted)
            granted &= granted - 1
            outputs = scheduler.grants[i]
            if outputs & urgent:
                outputs &= urgent
            j = first_at_or_after(outputs, scheduler.accept[i])
            requested &= ~(1 << j)
            if not iteration:
                output[j, GRANT] = (i + 1) % ports
                scheduler.accept[i] = (j + 1) % ports
            scheduler.match[i, MATCHED_OUTPUT] = j
            scheduler.match[i, MATCHED_VC] = _choose_vc(scheduler, registers, sizes, i, j)
            _count_bypass(scheduler, sizes, bypass_limit, i, j, busy_inputs, urgent)
    return matched


@compiled
def _weight(registers: Ints, j: int, v: int) -> int:
    weight = registers[j, VC_WEIGHTS] >> 4 * v & _NIBBLE
    return weight if weight else 1


@compiled
def _consider(scheduler: Scheduler, registers: Ints, sizes: Ints, j: int, inputs: int) -> int:
    """Chooses the requests of an output that count; returns the inputs that have one."""
    weighted = registers[j, VC_WEIGHTS] != 0
    rows = scheduler.rows
    requested = 0
    left = 0
    for v in range(sizes[VCS]):
        rows[j, v] = scheduler.filled[j, v] & inputs if scheduler.allow[j] >> v & 1 else 0
        if rows[j, v]:
            requested |= 1 << v
            if scheduler.quota[j, v]:
                left |= 1 << v
    strict = requested & registers[j, VC_CONTROL] >> _STRICT & 0xFF
    new_round = False
    if strict:
        requested = 1 << highest_of_eight(strict)
    elif weighted:
        new_round = not left
        if left:
            requested = left
    scheduler.output[j, _NEW_ROUND] = 1 if new_round else 0
    wanted = 0
    for v in range(sizes[VCS]):
        if not requested >> v & 1:
            rows[j, v] = 0
        elif weighted and rows[j, v] & ~scheduler.turn[j, v]:
            rows[j, v] &= ~scheduler.turn[j, v]
        wanted |= rows[j, v]
    return wanted


@compiled
def _choose_vc(scheduler: Scheduler, registers: Ints, sizes: Ints, i: int, j: int) -> int:
    """The VC of a match."""
    turn = scheduler.turn
    weighted = registers[j, VC_WEIGHTS] != 0
    strict = registers[j, VC_CONTROL] >> _STRICT & 0xFF
    vcs = 0
    had = 0
    for v in range(sizes[VCS]):
        if weighted or strict:
            inputs = scheduler.rows[j, v]
        else:
            inputs = scheduler.filled[j, v] if scheduler.allow[j] >> v & 1 else 0
        if inputs >> i & 1:
            vcs |= 1 << v
        if turn[j, v] >> i & 1:
            had |= 1 << v
    if not weighted and vcs & ~had:
        vcs &= ~had
    chosen = lowest(vcs)
    if turn[j, chosen] >> i & 1:
        if weighted:
            turn[j, chosen] = 0
        else:
            for v in range(sizes[VCS]):
                turn[j, v] &= ~(1 << i)
    turn[j, chosen] |= 1 << i
    if weighted and not strict >> chosen & 1:
        if scheduler.output[j, _NEW_ROUND]:
            for v in range(sizes[VCS]):
                scheduler.quota[j, v] = _weight(registers, j, v)
        scheduler.quota[j, chosen] -= 1
    return chosen


@compiled
def _count_bypass(
    scheduler: Scheduler, sizes: Ints, limit: int, i: int, j: int, busy_inputs: int, urgent: int
) -> None:
    """Updates ``catch_up`` and ``bypass`` of output j, matched with input i."""
    output = scheduler.output
    if urgent >> j & 1:
        output[j, CATCH_UP] &= ~(1 << i)
        output[j, BYPASS] = 0
        return
    passed = inputs_of(scheduler, sizes, j, scheduler.allow[j]) & busy_inputs
    if not limit:
        output[j, BYPASS] = 0
    elif passed:
        if output[j, BYPASS] + 1 >= limit:
            output[j, CATCH_UP] |= passed
            output[j, BYPASS] = 0
        else:
            output[j, BYPASS] += 1
