# SPDX-License-Identifier: Apache-2.0
"""Sources of all inputs: fill the receive pins of blocks of cycles, in compiled code.

A source needs no memory that grows, whatever the load: it draws the arrival of a frame when the
one before has left, also if that arrival lies in the past.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast.compiled import compiled
from gavel_fast.pin_block import EMPTY_SHIFT, EOP, SOP, UP, VALID, PinBlock
from gavel_model.config import SwitchConfig
from gavel_tb.sweep.frame_code import (
    ARRIVAL,
    LANE_BYTES,
    LENGTH,
    NUMBER,
    TARGET,
    VC,
    build,
    lane_count,
)
from gavel_tb.sweep.random64 import below, draw, happens, key_of
from gavel_tb.sweep.rules import (
    IN_TURN,
    MEMORYLESS,
    SLOTS,
    TO_FIXED,
    TO_HOT,
    Numbers,
    SourceRules,
    Words,
)

_ONE = np.uint64(1)


class Span(NamedTuple):
    """Cycles: frames that arrive from ``begin`` on and before ``end`` are measured, and those that
    arrive before ``stop`` are sent."""

    begin: int
    end: int
    stop: int


class SourceState(NamedTuple):
    """``key`` (P), ``draws`` (P): generator of each input; ``fill_key`` (1): of the frames' bytes;
    ``word``, ``words`` (P): next word and words of the frame on the line, 0 words without;
    ``wait`` (P): idle cycles to come; ``due`` (P): first cycle of which it is not drawn yet whether
    a frame arrives in it; ``bursting``, ``to`` (P): in a burst, and the output of the last frame;
    ``fields`` (P, 6) and ``lanes`` (P, lanes): the frame; ``numbers`` (P, P, V): the next of each
    flow; ``offered`` (P, P): frames with their first word in the span, ``offered_words`` (P),
    ``sent`` (P): frames in all."""

    key: Words
    draws: Words
    fill_key: Words
    word: Numbers
    words: Numbers
    wait: Numbers
    due: Numbers
    bursting: Numbers
    to: Numbers
    fields: Numbers
    lanes: Words
    numbers: Numbers
    offered: Numbers
    offered_words: Numbers
    sent: Numbers


def source_state(config: SwitchConfig, seed: int) -> SourceState:
    """Sources that have sent nothing."""
    ports = config.ports

    def zeros(*shape: int) -> Numbers:
        return np.zeros(shape, np.int64)

    fields = zeros(ports, 6)
    fields[:, 0] = np.arange(ports)
    return SourceState(
        np.array([key_of(seed, "sweep", port) for port in range(ports)], np.uint64),
        np.zeros(ports, np.uint64), np.array([key_of(seed, "bytes")], np.uint64),
        zeros(ports), zeros(ports), zeros(ports), zeros(ports), zeros(ports),
        np.arange(ports, dtype=np.int64), fields, np.zeros((ports, lane_count(config)), np.uint64),
        zeros(ports, ports, config.vcs), zeros(ports, ports), zeros(ports), zeros(ports),
    )


@compiled
def _bits(state: SourceState, port: int) -> np.uint64:
    state.draws[port] += _ONE
    return draw(state.key[port], state.draws[port])


@compiled
def _length(state: SourceState, rules: SourceRules, port: int) -> int:
    kind = 0
    if rules.up_to.size > 1:
        bits = _bits(state, port)
        while not happens(bits, rules.up_to[kind]):
            kind += 1
    least, largest = rules.least[kind], rules.largest[kind]
    if least == largest:
        return int(least)
    return int(least + below(_bits(state, port), largest - least + 1))


@compiled
def _target(state: SourceState, rules: SourceRules, port: int) -> int:
    ports = state.key.size
    if rules.choice == TO_FIXED:
        return int(rules.fixed[port])
    if rules.choice == IN_TURN:
        following = (state.to[port] + 1) % ports
        return int((following + 1) % ports if following == port else following)
    if rules.choice == TO_HOT and happens(_bits(state, port), rules.hot):
        return int(rules.fixed[port])
    return below(_bits(state, port), ports)


@compiled
def _begin(state: SourceState, rules: SourceRules, port: int, length: int, arrival: int) -> None:
    """A frame comes to the line."""
    fields = state.fields[port]
    to, vc = state.to[port], 0
    if rules.vcs > 1:
        vc = below(_bits(state, port), rules.vcs)
    fields[TARGET], fields[VC], fields[LENGTH] = to, vc, length
    fields[NUMBER] = state.numbers[port, to, vc]
    fields[ARRIVAL] = arrival
    state.numbers[port, to, vc] += 1
    state.sent[port] += 1
    state.word[port] = 0
    state.words[port] = (length + rules.word_bytes - 1) // rules.word_bytes
    build(state.lanes[port], state.fill_key[0], fields)


@compiled
def _next(state: SourceState, rules: SourceRules, port: int, cycle: int) -> None:
    """The line is free: a frame comes to it, or an idle slot, or an idle cycle."""
    if rules.arrivals == MEMORYLESS:
        at = state.due[port]
        while at <= cycle and not happens(_bits(state, port), rules.arrival):
            at += 1
        state.due[port] = at
        if at <= cycle:
            state.due[port] = at + 1
            length = _length(state, rules, port)
            state.to[port] = _target(state, rules, port)
            _begin(state, rules, port, length, at)
        return
    length = _length(state, rules, port)
    if rules.arrivals == SLOTS:
        comes = happens(_bits(state, port), rules.arrival)
        if comes:
            state.to[port] = _target(state, rules, port)
    else:
        comes = state.bursting[port] == 1
        if not comes and happens(_bits(state, port), rules.burst_begins):
            comes = True
            state.bursting[port] = 1
            state.to[port] = _target(state, rules, port)
        if comes and happens(_bits(state, port), rules.burst_ends):
            state.bursting[port] = 0
    if comes:
        _begin(state, rules, port, length, cycle)
    else:
        state.wait[port] = (length + rules.word_bytes - 1) // rules.word_bytes


@compiled
def fill(rx: PinBlock, state: SourceState, rules: SourceRules, first: int, span: Span) -> int:
    """Writes the receive pins of all cycles of a block, whose first is cycle ``first``; returns how
    many words there are."""
    lanes, given = rx.data.shape[2], 0
    for row in range(rx.flags.shape[0]):
        cycle = first + row
        measured = span.begin <= cycle < span.end
        for port in range(rx.flags.shape[1]):
            if state.words[port] == 0 and cycle < span.stop:
                if state.wait[port] == 0:
                    _next(state, rules, port, cycle)
                if state.wait[port] > 0:
                    state.wait[port] -= 1
            if state.words[port] == 0:
                rx.flags[row, port] = UP
                continue
            word = state.word[port]
            flags = UP | VALID
            given += 1
            if word == 0:
                flags |= SOP
                if measured:
                    state.offered[port, state.to[port]] += 1
            if measured:
                state.offered_words[port] += 1
            word += 1
            if word == state.words[port]:
                flags |= EOP
                empty = word * rules.word_bytes - state.fields[port, LENGTH]
                flags |= empty << EMPTY_SHIFT
                state.words[port] = 0
            state.word[port] = word
            rx.flags[row, port] = flags
            used = (state.fields[port, LENGTH] + LANE_BYTES - 1) // LANE_BYTES
            for lane in range(lanes):
                place = (word - 1) * lanes + lane
                value = np.uint64(0)
                if place < used:
                    value = state.lanes[port, place]
                rx.data[row, port, lane] = value
    return given
