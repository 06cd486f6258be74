# SPDX-License-Identifier: Apache-2.0
"""Where two blocks of outputs differ, and what the pins were before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gavel_fast.pin_block import OutputBlock, get_inputs, get_pins
from gavel_model.config import SwitchConfig
from gavel_model.pins import Inputs, TxPins
from gavel_tb.block_producer import Chunk
from gavel_tb.block_switch import block_arrays
from gavel_tb.difference import Difference, pin_differences, register_difference
from gavel_tb.harness import harness_layout


def first_difference(rtl: OutputBlock, model: OutputBlock) -> int | None:
    """The first row in which any bit differs; None: the blocks are equal."""
    first: int | None = None
    for ours, theirs in zip(block_arrays(rtl), block_arrays(model), strict=True):
        if np.array_equal(ours, theirs):
            continue
        unequal = (ours != theirs).reshape(len(ours), -1).any(axis=1)
        row = int(unequal.argmax())
        first = row if first is None else min(first, row)
    return first


def row_differences(
    config: SwitchConfig, cycle: int, row: int, rtl: OutputBlock, model: OutputBlock
) -> list[Difference]:
    """All that differs in a row, named as in lockstep."""
    found = []
    if rtl.rdata[row] != model.rdata[row]:
        found.append(register_difference(cycle, int(rtl.rdata[row]), int(model.rdata[row])))
    return found + pin_differences(
        config, harness_layout(config), cycle, _packed(config, rtl, row),
        _packed(config, model, row))


def _tx(block: OutputBlock, row: int) -> tuple[TxPins, ...]:
    ports = block.tx.flags.shape[1]
    return tuple(TxPins(**get_pins(block.tx, row, port)) for port in range(ports))


def _packed(config: SwitchConfig, block: OutputBlock, row: int) -> bytes:
    layout = harness_layout(config)
    return b"".join(layout.pins.pack(pins).to_bytes(layout.port_bytes, "little")
                    for pins in _tx(block, row))


def cycles_before(
    chunks: Sequence[Chunk], cycle: int, count: int
) -> list[tuple[int, Inputs, tuple[TxPins, ...]]]:
    """The last ``count`` cycles before ``cycle`` that stand in consecutive chunks."""
    rows = [(chunk, row) for chunk in chunks
            for row in range(max(0, cycle - count - chunk.first),
                             min(chunk.cycles, cycle - chunk.first))]
    return [(chunk.first + row, get_inputs(chunk.inputs, row), _tx(chunk.outputs, row))
            for chunk, row in rows[-count:]]
