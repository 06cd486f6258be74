# SPDX-License-Identifier: Apache-2.0
"""Records of telemetry, read from the bytes of their stream (docs/telemetry.md, Records)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from gavel_model.record_format import HEAD, MARK, PORT, VERSION, WORD_BITS, record_words
from gavel_model.telemetry_names import TelemetryPortEvents

_CODE_OF_BITS = {8: "B", 16: "H", 32: "I", 64: "Q"}
_HEAD = struct.Struct("<" + "".join(_CODE_OF_BITS[bits] for bits in HEAD.values()))
_PORT = struct.Struct("<" + "".join(_CODE_OF_BITS[bits] for bits in PORT.values()))
_WORD_BYTES = WORD_BITS // 8


class RecordError(ValueError):
    """Bytes that are no record, in one line."""


class PortRecord(NamedTuple):
    """A port in an interval.

    Attributes
    ----------
    rx_bytes, tx_bytes
        Bytes of frames.
    cells
        Largest number of cells in the ingress buffer.
    blocked
        Cycles in which a VC of the output had a frame that its link, its peer or software kept
        from being sent.
    events
        Register ``EVENTS`` at the end: bits of `TelemetryPortEvents`.
    corrected, uncorrectable
        Events of the link.
    dropped
        Frames.
    """

    rx_bytes: int
    tx_bytes: int
    cells: int
    blocked: int
    events: int
    corrected: int
    uncorrectable: int
    dropped: int

    @property
    def event_names(self) -> tuple[str, ...]:
        """The events, as the register's fields are called."""
        return tuple(event.name.lower() for event in TelemetryPortEvents
                     if self.events >> event & 1)


class Record(NamedTuple):
    """A switch in an interval.

    Attributes
    ----------
    interval
        Number of the interval since ``STREAM_PERIOD`` was written.
    cycle
        Its last cycle, counted from reset.
    ports
        By number.
    """

    interval: int
    cycle: int
    ports: tuple[PortRecord, ...]

    def cycles_since(self, before: Record | None) -> int | None:
        """Cycles that this record is about, given the record before it: those of its interval,
        and of all before it whose records were lost. None: that cannot be known."""
        if before is None or before.interval >= self.interval or before.cycle >= self.cycle:
            return None
        return self.cycle - before.cycle


def decode_records(data: bytes) -> Iterator[Record]:
    """The records that follow each other in ``data``, in its order.

    Raises
    ------
    RecordError
        At the first byte that is not of a whole record of this version.
    """
    at = 0
    while at < len(data):
        mark, version, ports, interval, cycle = _unpack(_HEAD, data, at, at, "the head of a record")
        if mark != MARK:
            raise RecordError(f"no record of telemetry at byte {at}: it begins with 0x{mark:04X}, "
                              f"not 0x{MARK:04X}")
        if version != VERSION:
            raise RecordError(f"record of version {version} at byte {at}: version {VERSION} is "
                              "known")
        if not ports:
            raise RecordError(f"record of no ports at byte {at}")
        begin, at = at, at + _HEAD.size
        what = f"a record of {record_words(ports) * _WORD_BYTES} bytes"
        found = []
        for _ in range(ports):
            found.append(PortRecord(*_unpack(_PORT, data, at, begin, what)))
            at += _PORT.size
        yield Record(interval, cycle, tuple(found))


def _unpack(layout: struct.Struct, data: bytes, at: int, begin: int,
            what: str) -> tuple[int, ...]:
    if at + layout.size > len(data):
        if begin == 0 and data[:2] != MARK.to_bytes(2, "little"):
            raise RecordError("no record of telemetry: it does not begin with 'GT'")
        raise RecordError(f"the data end at byte {len(data)}, within {what} that begins at byte "
                          f"{begin}")
    return layout.unpack_from(data, at)
