# SPDX-License-Identifier: Apache-2.0
"""Protocol-buffer wire format: varints, fields, packed and unpacked repeated numbers.

Only what a Chakra trace needs. Groups (wire types 3 and 4) are refused; unknown fields are
for the caller to skip.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from gavel_tb.workload.errors import TraceError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_NAMES = {VARINT: "varint", FIXED64: "64-bit", BYTES: "length-delimited", FIXED32: "32-bit"}
_MASK64 = (1 << 64) - 1


class WireField(NamedTuple):
    """One field as it stands in the file.

    ``value`` is a number (varint, unsigned; fixed widths as raw little-endian bits) or the
    (start, end) offsets of a length-delimited field. ``offset`` is where its tag stands.
    """

    number: int
    wire_type: int
    value: int
    end: int
    offset: int


class Buffer:
    """The bytes of one file and its name, for messages that say where the fault is."""

    __slots__ = ("data", "name")

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name

    def error(self, offset: int, what: str) -> TraceError:
        """A `TraceError` at a byte offset of this file."""
        return TraceError(self.name, what, offset)

    def varint(self, offset: int, end: int) -> tuple[int, int]:
        """The unsigned 64-bit varint at ``offset`` and the offset behind it."""
        value = 0
        data = self.data
        for count in range(10):
            place = offset + count
            if place >= end:
                raise self.error(offset, "truncated: a varint runs past the end")
            byte = data[place]
            value |= (byte & 0x7F) << (7 * count)
            if byte < 0x80:
                if value > _MASK64:
                    break
                return value, place + 1
        raise self.error(offset, "malformed: a varint of more than 64 bits")

    def fields(self, start: int, end: int) -> Iterator[WireField]:
        """The fields of the message in bytes ``start`` to ``end``, in file order."""
        place = start
        while place < end:
            tag_at = place
            tag, place = self.varint(place, end)
            number, wire_type = tag >> 3, tag & 7
            if number == 0:
                raise self.error(tag_at, "malformed: field number 0")
            if wire_type == VARINT:
                value, after = self.varint(place, end)
            elif wire_type == BYTES:
                size, value = self.varint(place, end)
                after = value + size
            elif wire_type in (FIXED64, FIXED32):
                width = 8 if wire_type == FIXED64 else 4
                after = place + width
                value = int.from_bytes(self.data[place:after], "little")
            else:
                raise self.error(tag_at, f"malformed: wire type {wire_type} of field {number}")
            if after > end:
                raise self.error(
                    tag_at, f"truncated: field {number} is {after - end} bytes longer than the rest"
                )
            place = after
            yield WireField(number, wire_type, value, after, tag_at)

    def expect(self, field: WireField, wire_type: int) -> None:
        """Raises `TraceError` unless the field has this wire type."""
        if field.wire_type != wire_type:
            raise self.error(
                field.offset,
                f"malformed: field {field.number} is {_NAMES[field.wire_type]}, "
                f"not {_NAMES[wire_type]}",
            )

    def bytes(self, field: WireField) -> bytes:
        """Content of a length-delimited field."""
        self.expect(field, BYTES)
        return self.data[field.value : field.end]

    def text(self, field: WireField) -> str:
        """Content of a string field."""
        try:
            return self.bytes(field).decode("utf-8")
        except UnicodeDecodeError:
            raise self.error(
                field.offset, f"malformed: field {field.number} is not UTF-8 text"
            ) from None

    def numbers(self, field: WireField, wire_type: int) -> list[int]:
        """Raw numbers of a repeated field: one if it stands unpacked, several if packed."""
        if field.wire_type != BYTES:
            self.expect(field, wire_type)
            return [field.value]
        values = []
        place = field.value
        width = {FIXED64: 8, FIXED32: 4}.get(wire_type, 0)
        if width and (field.end - place) % width:
            raise self.error(field.offset, f"malformed: packed field {field.number} has a rest")
        while place < field.end:
            if width:
                value = int.from_bytes(self.data[place : place + width], "little")
                place += width
            else:
                value, place = self.varint(place, field.end)
            values.append(value)
        return values


def put_varint(value: int) -> bytes:
    """``value`` (0...2^64-1) as a varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def put_tag(number: int, wire_type: int) -> bytes:
    """The tag that begins a field."""
    return put_varint(number << 3 | wire_type)


def put_bytes(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return put_tag(number, BYTES) + put_varint(len(content)) + content


def signed(value: int, bits: int) -> int:
    """The low ``bits`` of ``value`` as two's complement."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def zigzag(value: int) -> int:
    """Signed number to the unsigned one that stands for it in sint32 and sint64."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def unzigzag(value: int) -> int:
    """Inverse of `zigzag`."""
    return value >> 1 if value & 1 == 0 else -(value >> 1) - 1


def float_bits(value: float, width: int) -> int:
    """IEEE 754 bits of a number, ``width`` 4 or 8 bytes."""
    return int.from_bytes(struct.pack("<f" if width == 4 else "<d", value), "little")


def bits_float(value: int, width: int) -> float:
    """Inverse of `float_bits`."""
    result: float = struct.unpack("<f" if width == 4 else "<d", value.to_bytes(width, "little"))[0]
    return result
