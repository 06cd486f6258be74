# SPDX-License-Identifier: Apache-2.0
"""The two output registers of a port (docs/spec.md, LlrTransmitter and LinkTx)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast import pin_block
from gavel_fast.compiled import Ints, compiled
from gavel_fast.sizes import LANE_BYTES, LANES, PORTS
from gavel_model.config import SwitchConfig
from gavel_model.register_map import Port

FLAGS = 0
"""`gavel_fast.pin_block` flags VALID, SOP, EOP and LLR, ``empty`` above them; 0: no word."""

SEQ = 1
_COUNT = 2

_UP = pin_block.UP
_CTL_VALID = pin_block.CTL_VALID
_CONTROL = int(Port.CONTROL)


class WordRegister(NamedTuple):
    """A register of each port that holds a frame word or none: ``state`` (P, fields), ``word``
    (P, W/64)."""

    state: Ints
    word: Ints


class LinkTx(NamedTuple):
    """``frame``: O of the specification; ``ctl`` (P): the ordered set, D1...D7, 0 is none."""

    frame: WordRegister
    ctl: Ints


def word_register(config: SwitchConfig) -> WordRegister:
    """Reset values."""
    return WordRegister(np.zeros((config.ports, _COUNT), np.int64),
                        np.zeros((config.ports, config.word_bytes // LANE_BYTES), np.int64))


def link_tx(config: SwitchConfig) -> LinkTx:
    """Reset values."""
    return LinkTx(word_register(config), np.zeros(config.ports, np.int64))


@compiled
def move(source: WordRegister, target: WordRegister, sizes: Ints, p: int) -> None:
    """``target`` takes what ``source`` holds."""
    target.state[p, FLAGS] = source.state[p, FLAGS]
    if source.state[p, FLAGS]:
        target.state[p, SEQ] = source.state[p, SEQ]
        for lane in range(sizes[LANES]):
            target.word[p, lane] = source.word[p, lane]


@compiled
def show(
    link_tx: LinkTx, registers: Ints, sizes: Ints, flags: Ints, seq: Ints, ctl: Ints,
    data: Ints, row: int,
) -> None:
    """Writes the transmit pins of a cycle into a row of the block."""
    state = link_tx.frame.state
    for p in range(sizes[PORTS]):
        pins = state[p, FLAGS]
        seq[row, p] = state[p, SEQ] if pins else 0
        for lane in range(sizes[LANES]):
            data[row, p, lane] = link_tx.frame.word[p, lane] if pins else 0
        ctl[row, p] = link_tx.ctl[p]
        if link_tx.ctl[p]:
            pins |= _CTL_VALID
        if registers[p, _CONTROL]:
            pins |= _UP
        flags[row, p] = pins
