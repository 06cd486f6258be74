# SPDX-License-Identifier: Apache-2.0
"""Sinks of all outputs: check and measure the transmit pins of blocks of cycles, in compiled code.

Every frame must be as it was sent, at its output, and within its (source, destination, VC) in
order and once. Frames that are missing are counted from the gaps in the numbers; whether the switch
may have dropped them is judged by its counters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast.compiled import compiled
from gavel_fast.pin_block import EMPTY_SHIFT, EOP, ERR, LLR, SOP, VALID, PinBlock
from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_tb.stimulus import CheckError
from gavel_tb.sweep.frame_code import (
    ARRIVAL,
    LANE_BYTES,
    LENGTH,
    NUMBER,
    SOURCE,
    TARGET,
    VC,
    build,
    decode,
    lane_count,
)
from gavel_tb.sweep.histogram import BINS, bin_of
from gavel_tb.sweep.rules import Numbers, Words
from gavel_tb.sweep.source import Span

BATCHES = 20
"""Equal parts of the measured cycles."""

_NO_FAULT, _FRAMING, _MARKED, _CONTENT, _OUTPUT, _AGAIN, _LATE, _EARLY = range(8)
_WHAT = {
    _FRAMING: "words are not a frame: begin, end, or length is wrong",
    _MARKED: "a word has err or llr",
    _CONTENT: "a frame is not as it was sent",
    _OUTPUT: "a frame has come to the wrong output",
    _AGAIN: "a frame has come a second time",
    _LATE: "a frame has come after one that was sent later",
    _EARLY: "a frame has come before it can: in less than K cycles",
}
_CODE, _CYCLE, _PORT, _FROM, _CHANNEL, _FRAME, _WANTED = range(7)
_ONE, _REMEMBERED = np.uint64(1), 64


class SinkState(NamedTuple):
    """``fill_key`` (1): as in `SourceState`; ``open`` (P), ``lane`` (P), ``begun`` (P): a frame is
    coming, its lanes so far, the cycle of its first word; ``lanes``, ``again`` (P, lanes): the
    frame, and as it must be; ``fields`` (P, 6); ``wanted`` (P, P, V): number of each flow's next
    frame; ``seen`` (P, P, V): bit n is set if the frame n + 1 before that has come; ``arrived``
    (P): frames by source; ``frames`` (P, P): those whose last word came in the span, by source and
    output; ``words`` (P): words in the span by output; ``batch_words`` (BATCHES);
    ``batch_frames``, ``batch_delay``, ``batch_wait`` (BATCHES): number of the frames that arrived
    at their source in a batch, and sums of their delays to the first word out and of their waits;
    ``last_delay`` (1): sum of delays to the last word; ``delays`` (BINS); ``longest`` (1);
    ``fault`` (7)."""

    fill_key: Words
    open: Numbers
    lane: Numbers
    begun: Numbers
    lanes: Words
    again: Words
    fields: Numbers
    wanted: Numbers
    seen: Words
    arrived: Numbers
    frames: Numbers
    words: Numbers
    batch_words: Numbers
    batch_frames: Numbers
    batch_delay: Numbers
    batch_wait: Numbers
    last_delay: Numbers
    delays: Numbers
    longest: Numbers
    fault: Numbers


def sink_state(config: SwitchConfig, fill_key: Words) -> SinkState:
    """Sinks that have got nothing from sources with ``fill_key``."""
    ports, vcs = config.ports, config.vcs

    def zeros(*shape: int) -> Numbers:
        return np.zeros(shape, np.int64)

    # One word more than the longest frame is taken before it is refused.
    lanes = lane_count(config)
    return SinkState(
        fill_key, zeros(ports), zeros(ports), zeros(ports), np.zeros((ports, lanes), np.uint64),
        np.zeros((ports, lanes), np.uint64), zeros(ports, 6), zeros(ports, ports, vcs),
        np.zeros((ports, ports, vcs), np.uint64), zeros(ports), zeros(ports, ports), zeros(ports),
        zeros(BATCHES), zeros(BATCHES), zeros(BATCHES), zeros(BATCHES), zeros(1), zeros(BINS),
        zeros(1), zeros(7),
    )


@compiled
def _fault(state: SinkState, code: int, cycle: int, port: int, wanted: int) -> bool:
    fault, fields = state.fault, state.fields[port]
    fault[_CODE], fault[_CYCLE], fault[_PORT], fault[_WANTED] = code, cycle, port, wanted
    fault[_FROM], fault[_CHANNEL], fault[_FRAME] = fields[SOURCE], fields[VC], fields[NUMBER]
    return False


@compiled
def _in_order(state: SinkState, cycle: int, port: int) -> bool:
    fields = state.fields[port]
    source, vc, number = fields[SOURCE], fields[VC], fields[NUMBER]
    wanted = state.wanted[source, port, vc]
    seen = state.seen[source, port, vc]
    if number < wanted:
        back = wanted - 1 - number
        again = back >= _REMEMBERED or seen >> np.uint64(back) & _ONE == _ONE
        return _fault(state, _AGAIN if again else _LATE, cycle, port, wanted)
    skipped = number - wanted + 1
    moved = seen << np.uint64(skipped) if skipped < _REMEMBERED else np.uint64(0)
    state.seen[source, port, vc] = moved | _ONE
    state.wanted[source, port, vc] = number + 1
    return True


@compiled
def _ended(state: SinkState, latency: int, cycle: int, port: int, length: int, words: int,
           span: Span) -> bool:
    """Judges and measures a whole frame; returns whether it is right."""
    fields, lanes, again = state.fields[port], state.lanes[port], state.again[port]
    ports = state.open.size
    if not MIN_FRAME_BYTES <= length <= again.size * LANE_BYTES:
        return _fault(state, _FRAMING, cycle, port, 0)
    decode(lanes, fields)
    if (fields[LENGTH] != length or fields[SOURCE] >= ports
            or fields[VC] >= state.wanted.shape[2]):
        return _fault(state, _CONTENT, cycle, port, 0)
    build(again, state.fill_key[0], fields)
    for n in range((length + LANE_BYTES - 1) // LANE_BYTES):
        if lanes[n] != again[n]:
            return _fault(state, _CONTENT, cycle, port, 0)
    if fields[TARGET] != port:
        return _fault(state, _OUTPUT, cycle, port, 0)
    if not _in_order(state, cycle, port):
        return False
    source, arrival = fields[SOURCE], fields[ARRIVAL]
    state.arrived[source] += 1
    if span.begin <= cycle < span.end:
        state.frames[source, port] += 1
    delay = state.begun[port] - arrival
    wait = delay - (words - 1) - latency
    if wait < 0:
        return _fault(state, _EARLY, cycle, port, 0)
    if span.begin <= arrival < span.end:
        batch = (arrival - span.begin) * BATCHES // (span.end - span.begin)
        state.batch_frames[batch] += 1
        state.batch_delay[batch] += delay
        state.batch_wait[batch] += wait
        state.last_delay[0] += cycle - arrival
        state.delays[bin_of(delay)] += 1
        state.longest[0] = max(state.longest[0], delay)
    return True


@compiled
def absorb(tx: PinBlock, state: SinkState, latency: int, first: int, span: Span) -> int:
    """Takes the transmit pins of a block, whose first cycle is ``first``; returns how many words
    there were, or -1 at a fault."""
    width = tx.data.shape[2]
    taken = 0
    for row in range(tx.flags.shape[0]):
        cycle = first + row
        measured = span.begin <= cycle < span.end
        for port in range(tx.flags.shape[1]):
            flags = np.int64(tx.flags[row, port])
            if not flags & VALID:
                continue
            taken += 1
            if flags & (ERR | LLR):
                _fault(state, _MARKED, cycle, port, 0)
                return -1
            begins = flags & SOP != 0
            if begins == (state.open[port] == 1):
                _fault(state, _FRAMING, cycle, port, 0)
                return -1
            if begins:
                state.open[port] = 1
                state.begun[port] = cycle
                state.lane[port] = 0
            at = state.lane[port]
            if at + width > state.lanes.shape[1]:
                _fault(state, _FRAMING, cycle, port, 0)
                return -1
            for lane in range(width):
                state.lanes[port, at + lane] = tx.data[row, port, lane]
            at += width
            state.lane[port] = at
            if measured:
                state.words[port] += 1
                state.batch_words[(cycle - span.begin) * BATCHES // (span.end - span.begin)] += 1
            if flags & EOP:
                state.open[port] = 0
                length = at * LANE_BYTES - (flags >> EMPTY_SHIFT)
                if not _ended(state, latency, cycle, port, length, at // width, span):
                    return -1
    return taken


def raise_fault(state: SinkState) -> None:
    """Raises the fault that `absorb` has found, if any.

    Raises
    ------
    CheckError
        Says what is wrong, at which output and in which cycle.
    """
    fault = [int(value) for value in state.fault]
    if fault[_CODE] != _NO_FAULT:
        text = f"output {fault[_PORT]}, cycle {fault[_CYCLE]}: {_WHAT[fault[_CODE]]}"
        if fault[_CODE] in (_OUTPUT, _AGAIN, _LATE, _EARLY):
            text += f": number {fault[_FRAME]} from input {fault[_FROM]}, vc {fault[_CHANNEL]}"
        if fault[_CODE] in (_AGAIN, _LATE):
            text += f"; the next was to be number {fault[_WANTED]}"
        raise CheckError(text)
