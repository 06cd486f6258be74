# SPDX-License-Identifier: Apache-2.0
"""Which counters must have moved, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gavel_model.register_map import Counter
from gavel_tb.behaviour.ledger import Entry
from gavel_tb.behaviour.pin_log import NOT_AT_THE_PINS
from gavel_tb.behaviour.switches import CLEAN, LINK

C = Counter
"""Short, because scenarios name many of them."""

Counts = dict[Counter, int]

SOME = -1
"""As many as there were on the pins, at least one."""

_FIRST_LLR = Counter.LLR_TX_INIT_CTL_OS
_OF_TRAFFIC = (Counter.TX_FRAMES, Counter.TX_BYTES)

HANDSHAKE: Counts = {
    C.LLR_TX_INIT_CTL_OS: 1,
    C.LLR_TX_INIT_ECHO_CTL_OS: 1,
    C.LLR_RX_INIT_CTL_OS: 1,
    C.LLR_RX_INIT_ECHO_CTL_OS: 1,
}
"""Both directions come up at the first attempt."""


def sent(frames: int) -> Counts:
    """The switch sends so many frames, each once, and gets ACKs."""
    return {C.LLR_TX_OK: frames, C.LLR_RX_ACK_CTL_OS: SOME}


def received(frames: int) -> Counts:
    """The switch gets so many good frames, each once, and sends ACKs."""
    return {C.LLR_RX_OK: frames, C.LLR_RX_EXPECTED_SEQ_GOOD: frames,
            C.LLR_TX_ACK_CTL_OS: SOME}


def compare(
    expected: Mapping[Counter, int], seen: Mapping[Counter, int], counted: Sequence[int]
) -> list[str]:
    """What is wrong with the counters of the port under test.

    Parameters
    ----------
    expected
        Counters of link-level retry that are not 0.
    seen
        What was on the pins.
    """
    found = []
    for counter in C:
        value = counted[counter]
        if counter >= _FIRST_LLR:
            wanted = expected.get(counter, 0)
            if value != wanted and not (wanted == SOME and value):
                text = "at least 1" if wanted == SOME else wanted
                found.append(f"{counter.name} is {value}, must be {text}")
        if counter not in NOT_AT_THE_PINS and counter not in _OF_TRAFFIC and \
                value != seen[counter]:
            found.append(f"{counter.name} is {value}, by the pins it must be {seen[counter]}")
    return found


def expected_elsewhere(
    entered: Sequence[Entry], seen: Mapping[Counter, int], counters: Sequence[Sequence[int]]
) -> list[str]:
    """What is wrong with the counters of frames sent, and with all of the clean port.

    Parameters
    ----------
    entered
        Frames that were filed.
    """
    found = []
    fed = [entry for entry in entered if entry.source == CLEAN]
    clean = {C.RX_FRAMES: len(fed), C.RX_BYTES: sum(len(e.data) for e in fed)}
    for port in (LINK, CLEAN):
        leaving = [entry for entry in entered if entry.destination == port]
        wanted = {C.TX_FRAMES: len(leaving),
                  C.TX_BYTES: sum(len(entry.data) for entry in leaving)}
        for counter in C if port == CLEAN else _OF_TRAFFIC:
            value = counters[port][counter]
            right = wanted.get(counter, clean.get(counter, 0))
            if value != right:
                found.append(f"port {port}: {counter.name} is {value}, must be {right}")
    return found
