# SPDX-License-Identifier: Apache-2.0
"""Attributes of Chakra nodes: a name and one value of one of 15 kinds, or a list of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gavel_tb.workload.wire import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    Buffer,
    WireField,
    bits_float,
    float_bits,
    put_bytes,
    put_tag,
    put_varint,
    signed,
    unzigzag,
    zigzag,
)

Scalar = int | float | str | bytes | bool
Value = Scalar | tuple[Scalar, ...]


class _Number(NamedTuple):
    """A numeric kind: how its raw bits stand in the file and what they mean."""

    wire_type: int
    decode: Callable[[int], Scalar]
    encode: Callable[[int | float], int]


def _mask(bits: int) -> Callable[[int | float], int]:
    return lambda value: int(value) & (1 << bits) - 1


# A negative int32 stands in the file as a 64-bit varint.
_NUMBERS: dict[str, _Number] = {
    "double": _Number(FIXED64, lambda v: bits_float(v, 8), lambda v: float_bits(v, 8)),
    "float": _Number(FIXED32, lambda v: bits_float(v, 4), lambda v: float_bits(v, 4)),
    "int32": _Number(VARINT, lambda v: signed(v, 32), _mask(64)),
    "int64": _Number(VARINT, lambda v: signed(v, 64), _mask(64)),
    "uint32": _Number(VARINT, lambda v: v & 0xFFFFFFFF, _mask(32)),
    "uint64": _Number(VARINT, lambda v: v, _mask(64)),
    "sint32": _Number(VARINT, lambda v: unzigzag(v & 0xFFFFFFFF), lambda v: zigzag(int(v))),
    "sint64": _Number(VARINT, unzigzag, lambda v: zigzag(int(v))),
    "fixed32": _Number(FIXED32, lambda v: v, _mask(32)),
    "fixed64": _Number(FIXED64, lambda v: v, _mask(64)),
    "sfixed32": _Number(FIXED32, lambda v: signed(v, 32), _mask(32)),
    "sfixed64": _Number(FIXED64, lambda v: signed(v, 64), _mask(64)),
    "bool": _Number(VARINT, bool, lambda v: int(bool(v))),
}

KINDS = (
    "double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64",
    "fixed32", "fixed64", "sfixed32", "sfixed64", "bool", "string", "bytes",
)
"""Value kinds in the order of their field numbers 3, 5, 7...31; the list form is one more."""


@dataclass(frozen=True)
class Attribute:
    """A named value.

    ``kind`` is one of `KINDS`, or one of them followed by ``[]`` for a list (``value`` is then
    a tuple); None if the file gives a name without a value that this reader knows.
    """

    name: str
    value: Value | None
    kind: str | None
    doc: str = ""


def attribute(name: str, value: Value) -> Attribute:
    """An attribute of the natural kind: bool, int64 (or uint64), double, string or bytes."""
    if isinstance(value, bool):
        return Attribute(name, value, "bool")
    if isinstance(value, int):
        return Attribute(name, value, "int64" if value < 1 << 63 else "uint64")
    if isinstance(value, float):
        return Attribute(name, value, "double")
    if isinstance(value, str):
        return Attribute(name, value, "string")
    if isinstance(value, bytes):
        return Attribute(name, value, "bytes")
    return Attribute(name, value, "int64[]")


def read_attribute(buffer: Buffer, start: int, end: int) -> Attribute:
    """The attribute message in bytes ``start`` to ``end``; of several values the last counts."""
    name, doc = "", ""
    value: Value | None = None
    kind: str | None = None
    for field in buffer.fields(start, end):
        if field.number == 1:
            name = buffer.text(field)
        elif field.number == 2:
            doc = buffer.text(field)
        elif 3 <= field.number <= 32:
            kind = KINDS[(field.number - 3) // 2]
            if field.number % 2:
                value = _scalar(buffer, field, kind)
            else:
                value = _list(buffer, field, kind)
                kind += "[]"
    return Attribute(name, value, kind, doc)


def _scalar(buffer: Buffer, field: WireField, kind: str) -> Scalar:
    if kind == "string":
        return buffer.text(field)
    if kind == "bytes":
        return buffer.bytes(field)
    number = _NUMBERS[kind]
    buffer.expect(field, number.wire_type)
    return number.decode(field.value)


def _list(buffer: Buffer, field: WireField, kind: str) -> tuple[Scalar, ...]:
    buffer.expect(field, BYTES)
    values: list[Scalar] = []
    for item in buffer.fields(field.value, field.end):
        if item.number != 1:
            continue
        if kind in ("string", "bytes"):
            values.append(_scalar(buffer, item, kind))
        else:
            number = _NUMBERS[kind]
            values.extend(number.decode(raw) for raw in buffer.numbers(item, number.wire_type))
    return tuple(values)


def write_attribute(item: Attribute) -> bytes:
    """The attribute as a protobuf message; lists of numbers are packed."""
    out = put_bytes(1, item.name.encode())
    if item.doc:
        out += put_bytes(2, item.doc.encode())
    if item.kind is None or item.value is None:
        return out
    kind = item.kind.removesuffix("[]")
    number = 3 + 2 * KINDS.index(kind)
    if not isinstance(item.value, tuple):
        return out + _put(number, kind, item.value)
    if kind in ("string", "bytes"):
        content = b"".join(_put(1, kind, value) for value in item.value)
    else:
        packed = b"".join(_raw(kind, value) for value in item.value)
        content = put_bytes(1, packed) if packed else b""
    return out + put_bytes(number + 1, content)


def _put(number: int, kind: str, value: Scalar) -> bytes:
    if isinstance(value, str):
        return put_bytes(number, value.encode())
    if isinstance(value, bytes):
        return put_bytes(number, value)
    return put_tag(number, _NUMBERS[kind].wire_type) + _raw(kind, value)


def _raw(kind: str, value: Scalar) -> bytes:
    if isinstance(value, str | bytes):
        raise TypeError(f"{value!r} is no {kind}")
    form = _NUMBERS[kind]
    bits = form.encode(value)
    if form.wire_type == VARINT:
        return put_varint(bits)
    return bits.to_bytes(8 if form.wire_type == FIXED64 else 4, "little")
