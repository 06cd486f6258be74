# SPDX-License-Identifier: Apache-2.0
"""Pins of all ports over a block of cycles, as arrays.

Row n of every array is cycle n of the block. What goes in and what comes out stand in the same
row: outputs in row n are those that the pins show while the inputs of row n are on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gavel_model.config import SwitchConfig
from gavel_model.pins import Inputs, RegisterPins, RxPins, TxPins

VALID = 1
SOP = 2
EOP = 4
ERR = 8
LLR = 16
CTL_VALID = 32
UP = 64
EMPTY_SHIFT = 8
"""Flags of a port in a cycle; ``empty`` stands in the bits from `EMPTY_SHIFT` on."""

LANE_BITS = 64
"""Bits of one element of ``data``; lane 0 has byte 0 of the word in its bits 7:0."""

_LANE = (1 << LANE_BITS) - 1
_FLAGS = ("valid", "sop", "eop", "err", "llr", "ctl_valid", "up")
_FLAG_BITS = (VALID, SOP, EOP, ERR, LLR, CTL_VALID, UP)

Flags = npt.NDArray[np.uint16]
Word32 = npt.NDArray[np.uint32]
Word64 = npt.NDArray[np.uint64]


class PinBlock(NamedTuple):
    """Pins of one direction, N cycles of P ports.

    ``flags`` (N, P), ``seq`` (N, P), ``ctl`` (N, P), ``data`` (N, P, W/64).
    """

    flags: Flags
    seq: Word32
    ctl: Word64
    data: Word64


class InputBlock(NamedTuple):
    """All that goes into a switch in N cycles.

    ``ready`` and ``ctl_ready`` (N) have a bit a port; ``register`` (N) is addr in bits 15:0,
    wdata in 47:16, we in 48, re in 49; ``reset`` (N) is 0 or 1.
    """

    rx: PinBlock
    ready: Word64
    ctl_ready: Word64
    register: Word64
    reset: npt.NDArray[np.uint8]


class OutputBlock(NamedTuple):
    """All that comes out of a switch in N cycles; ``rdata`` (N)."""

    tx: PinBlock
    rdata: Word32


def pin_block(config: SwitchConfig, cycles: int) -> PinBlock:
    """A block of silent pins, with ``up`` = 0."""
    shape = cycles, config.ports
    return PinBlock(
        np.zeros(shape, np.uint16), np.zeros(shape, np.uint32), np.zeros(shape, np.uint64),
        np.zeros((*shape, config.data_width // LANE_BITS), np.uint64),
    )


def input_block(config: SwitchConfig, cycles: int) -> InputBlock:
    """Idle inputs: links up, everything ready, no register access."""
    rx = pin_block(config, cycles)
    rx.flags[:] = UP
    everyone = (1 << config.ports) - 1
    return InputBlock(
        rx, np.full(cycles, everyone, np.uint64), np.full(cycles, everyone, np.uint64),
        np.zeros(cycles, np.uint64), np.zeros(cycles, np.uint8),
    )


def output_block(config: SwitchConfig, cycles: int) -> OutputBlock:
    """A block to be filled."""
    return OutputBlock(pin_block(config, cycles), np.zeros(cycles, np.uint32))


def put_pins(block: PinBlock, cycle: int, port: int, pins: RxPins | TxPins) -> None:
    """Writes the pins of one port in one cycle."""
    flags = pins.empty << EMPTY_SHIFT
    for name, bit in zip(_FLAGS, _FLAG_BITS, strict=True):
        if getattr(pins, name):
            flags |= bit
    block.flags[cycle, port] = flags
    block.seq[cycle, port] = pins.seq
    block.ctl[cycle, port] = pins.ctl
    for lane in range(block.data.shape[2]):
        block.data[cycle, port, lane] = pins.data >> LANE_BITS * lane & _LANE


def get_pins(block: PinBlock, cycle: int, port: int) -> dict[str, int]:
    """The pins of one port in one cycle, by the names of `gavel_model.pins.RxPins`."""
    flags = int(block.flags[cycle, port])
    pins = {name: int(bool(flags & bit)) for name, bit in zip(_FLAGS, _FLAG_BITS, strict=True)}
    pins["empty"] = flags >> EMPTY_SHIFT
    pins["seq"] = int(block.seq[cycle, port])
    pins["ctl"] = int(block.ctl[cycle, port])
    pins["data"] = sum(int(lane) << LANE_BITS * place
                       for place, lane in enumerate(block.data[cycle, port]))
    return pins


def put_inputs(block: InputBlock, cycle: int, inputs: Inputs) -> None:
    """Writes the inputs of one cycle."""
    everyone = (1 << block.rx.flags.shape[1]) - 1
    for port, pins in enumerate(inputs.rx):
        put_pins(block.rx, cycle, port, pins)
    block.ready[cycle] = inputs.ready & everyone
    block.ctl_ready[cycle] = inputs.ctl_ready & everyone
    access = inputs.register
    block.register[cycle] = access.addr | access.wdata << 16 | access.we << 48 | access.re << 49
    block.reset[cycle] = inputs.reset


def get_inputs(block: InputBlock, cycle: int) -> Inputs:
    """The inputs of one cycle, for the model in plain Python."""
    access = int(block.register[cycle])
    return Inputs(
        tuple(RxPins(**get_pins(block.rx, cycle, port))
              for port in range(block.rx.flags.shape[1])),
        int(block.ready[cycle]),
        RegisterPins(access & 0xFFFF, access >> 16 & 0xFFFFFFFF, access >> 48 & 1,
                     access >> 49 & 1),
        int(block.reset[cycle]), int(block.ctl_ready[cycle]),
    )


def put_outputs(block: OutputBlock, cycle: int, tx: Sequence[TxPins], rdata: int) -> None:
    """Writes the outputs of one cycle."""
    for port, pins in enumerate(tx):
        put_pins(block.tx, cycle, port, pins)
    block.rdata[cycle] = rdata
