# SPDX-License-Identifier: Apache-2.0
"""Stimulus and expected pins of a run as a file that a plain Verilog player reads.

The file is a sequence of records, each of which holds for one cycle or more. A record is

* 2 bytes: the number of cycles, 1...65535; 0 ends the file;
* the mask, one bit a group, from bit 0 on: which groups change with this record. Bit 0 is the
  control group, bit 1 the read data, bit 2 + p the receive pins of port p, bit 2 + P + p its
  transmit pins. The mask has as many bytes as it needs;
* the groups that change, in the order of their bits.

Every number has its most significant byte first, which is what ``$fread`` into a register expects.
A group of pins is a record of `gavel_tb.pin_record`; the control group is `CONTROL`. All groups
are 0 before the first record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from gavel_fast.pin_block import PinBlock
from gavel_model.config import SwitchConfig
from gavel_tb.block_producer import Chunk
from gavel_tb.harness import REGISTER_BITS
from gavel_tb.pin_record import record_type

COUNT_BYTES = 2
MOST_CYCLES = (1 << 8 * COUNT_BYTES) - 1
READ_DATA_BYTES = 4
_WORD = 64

CONTROL: Mapping[str, int] = {"ready": 0, "ctl_ready": _WORD, "register": 2 * _WORD,
                              "rst": 2 * _WORD + REGISTER_BITS}
"""First bit of each part of the control group. ``register`` is as in `gavel_tb.harness`."""

CONTROL_BYTES = 3 * _WORD // 8

Bytes = npt.NDArray[np.uint8]


def mask_bytes(config: SwitchConfig) -> int:
    """Bytes of a record's mask."""
    return -(-(2 + 2 * config.ports) // 8)


def _big_endian(columns: Iterable[npt.NDArray[np.uint64]]) -> Bytes:
    """Rows of bytes, most significant first, of 64-bit columns, the least significant first."""
    table = np.stack(list(columns), axis=1)[:, ::-1].astype(">u8")
    return np.ascontiguousarray(table).view(np.uint8)


def _pins(config: SwitchConfig, pins: PinBlock) -> list[Bytes]:
    """The groups of each port."""
    records = np.zeros(pins.flags.shape, record_type(config))
    for name, values in zip(pins._fields, pins, strict=True):
        records[name] = values
    rows = records.view(np.uint8).reshape(*pins.flags.shape, -1)[:, :, ::-1]
    return [np.ascontiguousarray(rows[:, port]) for port in range(config.ports)]


def _groups(config: SwitchConfig, chunk: Chunk) -> list[Bytes]:
    """Bytes of each group in each cycle."""
    inputs = chunk.inputs
    access = inputs.register | inputs.reset.astype(np.uint64) << np.uint64(REGISTER_BITS)
    read = chunk.outputs.rdata.astype(">u4")[:, np.newaxis]
    return [_big_endian((inputs.ready, inputs.ctl_ready, access)),
            np.ascontiguousarray(read).view(np.uint8),
            *_pins(config, inputs.rx), *_pins(config, chunk.outputs.tx)]


def encode(config: SwitchConfig, chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """The file in pieces: the records of the chunks, and the end."""
    size = mask_bytes(config)
    last: list[Bytes] | None = None
    cycles = 0
    record = b""
    for chunk in chunks:
        groups = _groups(config, chunk)
        before = [np.zeros(group.shape[1], np.uint8) for group in groups] if last is None else last
        changed = np.stack([
            (np.concatenate([old[np.newaxis], group[:-1]]) != group).any(axis=1)
            for old, group in zip(before, groups, strict=True)], axis=1)
        masks = np.packbits(changed, axis=1, bitorder="little")
        for row in range(chunk.cycles):
            if record and cycles < MOST_CYCLES and not masks[row].any():
                cycles += 1
                continue
            if record:
                yield cycles.to_bytes(COUNT_BYTES, "big") + record
            cycles = 1
            record = masks[row].tobytes().ljust(size, b"\0")[::-1] + b"".join(
                [groups[group][row].tobytes() for group in np.flatnonzero(changed[row])])
        last = [group[-1] for group in groups]
    if record:
        yield cycles.to_bytes(COUNT_BYTES, "big") + record
    yield bytes(COUNT_BYTES)
