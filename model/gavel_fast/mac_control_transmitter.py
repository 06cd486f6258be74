# SPDX-License-Identifier: Apache-2.0
"""MAC Control frames that go out (docs/flow_control.md, MAC Control frames)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast import crc32, pin_block
from gavel_fast import credit_sender as crediting
from gavel_fast import crossbar as at
from gavel_fast import pause_sender as pausing
from gavel_fast.compiled import Ints, compiled
from gavel_fast.credit_sender import CreditSender
from gavel_fast.crossbar import Crossbar
from gavel_fast.parser import vc_of_class
from gavel_fast.sizes import (
    CELL_LANES,
    CELL_WORDS,
    LANES,
    MATCH_TO_EGRESS,
    PORTS,
    STAGES,
    TO_EGRESS,
    VCS,
    ring_place,
)
from gavel_model.config import FCS_BYTES, MIN_FRAME_BYTES, SwitchConfig
from gavel_model.mac_control import (
    CC_BITS,
    CC_OFFSET,
    CC_UPDATE_MESSAGE,
    CC_UPDATE_OPCODE,
    MAC_CONTROL_ADDRESS,
    MAC_CONTROL_ETHERTYPE,
    PFC_CLASSES,
    PFC_OPCODE,
    PFC_TIME_BITS,
    PFC_TIMES_OFFSET,
)
from gavel_model.register_map import Counter, PfcControl, Port

CC_WANTED = 0
_CC_TIME = 1
_FREE_AT = 2
"""First cycle in which no control frame is under way."""

TAKEN = 3
"""In this cycle: `NOTHING`, `PAUSE` or `COUNTS`."""

_WORDS_AT = 4
"""Cycle of the first word of the frame built last."""

_BUILD = 5
"""What was taken in a cycle, by cycle mod 8, and is not built: `NOTHING`, `PAUSE` or `COUNTS`. A
frame may be taken before the one before it is built."""

_COUNT = _BUILD + STAGES

NOTHING = 0
PAUSE = 1
COUNTS = 2

_CONTENT_TO_WORD = 2
"""Cycles from the one whose visible values are the content of a frame to that of its first word."""

_LONG_AGO = -100
_VALID, _SOP, _EOP = pin_block.VALID, pin_block.SOP, pin_block.EOP

_CC_PERIOD = int(Port.CBFC_CC_PERIOD)
_PFC_CONTROL = int(Port.PFC_CONTROL)
_PFC_TIME = int(Port.PFC_TIME)
_TRANSMIT = int(PfcControl.TRANSMIT)
_MAC_HI = int(Port.MAC_ADDRESS_HI)
_MAC_LO = int(Port.MAC_ADDRESS_LO)
_PFC_TX = int(Counter.PFC_TX)
_CC_TX = int(Counter.CBFC_TX_CC_UPDATE)


class MacControlTransmitter(NamedTuple):
    """``state`` (P, fields); ``frame`` (P, 8): the bytes of the frame built last."""

    state: Ints
    frame: Ints


def mac_control_transmitter(config: SwitchConfig) -> MacControlTransmitter:
    """Reset values."""
    state = np.zeros((config.ports, _COUNT), np.int64)
    state[:, _WORDS_AT] = _LONG_AGO
    return MacControlTransmitter(state, np.zeros((config.ports, CELL_LANES), np.int64))


@compiled
def claims(transmitter: MacControlTransmitter, pauses: Ints, now: int, p: int) -> bool:
    """A control frame is wanted or under way, as visible in the cycle."""
    state = transmitter.state
    return bool(state[p, CC_WANTED] or pauses[p, pausing.WANTED] or now < state[p, _FREE_AT])


@compiled
def take(
    transmitter: MacControlTransmitter, pauses: Ints, counters: Ints, sizes: Ints, now: int, p: int
) -> bool:
    """The output is free but for the claim: a control frame is taken, unless one is under way;
    returns whether one is."""
    state = transmitter.state
    if now < state[p, _FREE_AT]:
        return False
    if pauses[p, pausing.WANTED]:
        state[p, TAKEN] = PAUSE
        counters[p, _PFC_TX] += 1
    else:
        state[p, TAKEN] = COUNTS
        counters[p, _CC_TX] += 1
    state[p, _BUILD + ring_place(now)] = state[p, TAKEN]
    state[p, _FREE_AT] = now + sizes[CELL_WORDS] + 2
    return True


@compiled
def build(
    transmitter: MacControlTransmitter, sender: CreditSender, pauses: Ints, registers: Ints,
    sizes: Ints, now: int,
) -> None:
    """First part of a cycle: contents of frames, of what is visible in it."""
    state = transmitter.state
    # What was matched before it is in S_CC by now.
    taken = _BUILD + ring_place(now - sizes[MATCH_TO_EGRESS])
    for p in range(sizes[PORTS]):
        kind = state[p, taken]
        if kind != NOTHING:
            state[p, taken] = NOTHING
            state[p, _WORDS_AT] = now + _CONTENT_TO_WORD
            _fill(transmitter, sender, pauses, registers, sizes, p, kind)


@compiled
def _put(transmitter: MacControlTransmitter, p: int, offset: int, width: int, value: int) -> None:
    """ORs a big-endian field into the frame; byte by byte, for it may begin and end anywhere."""
    for n in range(width):
        if value >> width - 1 - n & 1:
            bit = offset + n
            place = 8 * (bit >> 3 & 7) + 7 - (bit & 7)
            transmitter.frame[p, bit >> 6] |= np.int64(1) << place


@compiled
def _fill(
    transmitter: MacControlTransmitter, sender: CreditSender, pauses: Ints, registers: Ints,
    sizes: Ints, p: int, kind: int,
) -> None:
    frame = transmitter.frame
    for lane in range(CELL_LANES):
        frame[p, lane] = 0
    _put(transmitter, p, 0, 48, MAC_CONTROL_ADDRESS)
    _put(transmitter, p, 48, 16, registers[p, _MAC_HI])
    _put(transmitter, p, 64, 32, registers[p, _MAC_LO])
    _put(transmitter, p, 96, 16, MAC_CONTROL_ETHERTYPE)
    if kind == PAUSE:
        transmit = registers[p, _PFC_CONTROL] >> _TRANSMIT & 0xFF
        enabled = 0
        for n in range(PFC_CLASSES):
            v = vc_of_class(registers, sizes, p, n)
            if transmit >> v & 1:
                enabled |= 1 << n
                if pauses[p, pausing.XOFF] >> v & 1:
                    _put(transmitter, p, 8 * PFC_TIMES_OFFSET + PFC_TIME_BITS * n, PFC_TIME_BITS,
                         registers[p, _PFC_TIME])
        _put(transmitter, p, 112, 16, PFC_OPCODE)
        _put(transmitter, p, 128, 16, enabled)
    else:
        _put(transmitter, p, 112, 16, CC_UPDATE_OPCODE)
        _put(transmitter, p, 128, 32, CC_UPDATE_MESSAGE)
        on = crediting.senders(registers, p)
        for v in range(sizes[VCS]):
            if on >> v & 1:
                _put(transmitter, p, 8 * CC_OFFSET + CC_BITS * v, CC_BITS,
                     sender.vc[p, v, crediting.CONSUMED])
    crc = crc32.FIRST
    for lane in range(CELL_LANES - 1):
        crc = crc32.add_lane(crc, frame[p, lane])
    last = MIN_FRAME_BYTES - FCS_BYTES & 7
    crc = crc32.add_bytes(crc, frame[p, CELL_LANES - 1], last) ^ crc32.FIRST
    frame[p, CELL_LANES - 1] |= crc << 8 * last


@compiled
def send(
    transmitter: MacControlTransmitter, crossbar: Crossbar, sizes: Ints, now: int
) -> None:
    """Words of control frames, put in the place of words of `Egress`."""
    lanes, words = sizes[LANES], sizes[CELL_WORDS]
    slot = ring_place(now - sizes[TO_EGRESS])
    for p in range(sizes[PORTS]):
        number = now - transmitter.state[p, _WORDS_AT]
        if number < 0 or number >= words:
            continue
        crossbar.arrived[slot] |= 1 << p
        flags = _VALID
        if number == 0:
            flags |= _SOP
        if number == words - 1:
            flags |= _EOP
        for lane in range(lanes):
            crossbar.word[p, slot, lane] = transmitter.frame[p, number * lanes + lane]
        info = crossbar.info
        info[p, slot, at.FLAGS] = flags
        info[p, slot, at.LENGTH] = 0
        info[p, slot, at.WORDS] = words
        info[p, slot, at.VC] = 0
        info[p, slot, at.MARKED] = 0
        info[p, slot, at.POISONED] = 0


@compiled
def step(
    transmitter: MacControlTransmitter, registers: Ints, p: int, resynchronise: bool
) -> None:
    """Last part of a cycle: ``resynchronise`` asks for a CC_Update."""
    state = transmitter.state
    on = crediting.senders(registers, p)
    period = registers[p, _CC_PERIOD]
    if state[p, TAKEN] == COUNTS:
        state[p, CC_WANTED] = 0
    state[p, TAKEN] = NOTHING
    if not (on and period):
        state[p, _CC_TIME] = 0
    elif state[p, _CC_TIME] + 1 >= period:
        state[p, _CC_TIME] = 0
        state[p, CC_WANTED] = 1
    else:
        state[p, _CC_TIME] += 1
    if resynchronise:
        state[p, CC_WANTED] = 1
    if not on:
        state[p, CC_WANTED] = 0
