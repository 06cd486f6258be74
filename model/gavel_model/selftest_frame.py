# SPDX-License-Identifier: Apache-2.0
"""Frames of the self-test: made, and judged (docs/selftest.md, Frames)."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.frame import append_fcs
from gavel_model.profiles import Field
from gavel_model.selftest_format import (
    DRAW_BITS,
    GROUP_BYTES,
    HEAD_BYTES,
    LENGTH_BITS,
    PRBS_BITS,
    PRBS_TAP,
    STAMP,
    FrameFormat,
)
from gavel_model.selftest_map import SelfTestPayload

_PAYLOAD_KINDS = 3
_HEAD_BITS = 8 * HEAD_BYTES


class Stamp(NamedTuple):
    """Fields of a stamp, named as in `STAMP`; ``length`` is one less than that of the frame."""

    source: int
    destination: int
    class_: int
    payload: int
    length: int
    sequence: int
    time: int
    seed: int


_FIELDS = tuple(STAMP.values())
"""In the order of `Stamp`."""


def _get(head: int, field: Field) -> int:
    return head >> _HEAD_BITS - field.offset - field.width & (1 << field.width) - 1


def _put(field: Field, value: int) -> int:
    return value << _HEAD_BITS - field.offset - field.width


def _ones(field: Field) -> int:
    return _put(field, (1 << field.width) - 1)


def prbs(state: int, bits: int) -> int:
    """``bits`` bits of PRBS31 behind the 31 bits of ``state``; bit 0 is the first."""
    sequence, have = state & (1 << PRBS_BITS) - 1, PRBS_BITS
    while have < PRBS_BITS + bits:
        # The recurrence holds for 2**k times the distances as well.
        step = 1 << (have // PRBS_BITS).bit_length() - 1
        new = PRBS_TAP * step
        more = sequence >> have - PRBS_BITS * step ^ sequence >> have - new
        sequence |= (more & (1 << new) - 1) << have
        have += new
    return sequence >> PRBS_BITS & (1 << bits) - 1


def payload_end(length: int) -> int:
    """Number of the first byte behind the payload, of a frame of ``length`` bytes."""
    return (length - FCS_BYTES) // GROUP_BYTES * GROUP_BYTES


def finished(data: bytes, length: int) -> bytes:
    """A frame of ``length`` bytes whose head and payload are ``data``: tail and FCS follow."""
    register = ~zlib.crc32(data) & (1 << 32) - 1
    tail = register.to_bytes(GROUP_BYTES, "little")[:length - FCS_BYTES - len(data)]
    return append_fcs(data + tail)


class Frames:
    """Makes and judges the frames of one switch.

    Parameters
    ----------
    config
        Its header profile, P, V, W.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self.format = form = FrameFormat(config)
        self._ports = config.ports
        self._word_bytes = config.word_bytes
        free = form.edited_mask | _ones(form.header["source"]) | _ones(form.header["class"])
        for name, field in STAMP.items():
            if name not in ("destination", "payload"):
                free |= _ones(field)
        self._fixed = (1 << _HEAD_BITS) - 1 & ~free & ~_put(STAMP["payload"], _PAYLOAD_KINDS)

    def head(self, stamp: Stamp) -> bytes:
        """Header and stamp."""
        header = self.format.header
        head = self.format.constant | _put(header["source"], stamp.source) \
            | _put(header["destination"], stamp.destination) | _put(header["class"], stamp.class_)
        for field, value in zip(_FIELDS, stamp, strict=True):
            head |= _put(field, value)
        return head.to_bytes(HEAD_BYTES, "big")

    def payload(self, stamp: Stamp) -> bytes:
        """What stands between the stamp and the tail."""
        length = payload_end(stamp.length + 1)
        if length <= HEAD_BYTES:
            return b""
        size = length - HEAD_BYTES
        seed = stamp.seed.to_bytes(DRAW_BITS // 8, "big")
        if stamp.payload == SelfTestPayload.PRBS:
            state = int.from_bytes(seed, "little") >> DRAW_BITS - PRBS_BITS
            return prbs(state, 8 * size).to_bytes(size, "little")
        if stamp.payload == SelfTestPayload.CONSTANT:
            return (seed * (size // len(seed) + 1))[:size]
        return bytes(n % 256 for n in range(HEAD_BYTES, length))

    def stamp(self, data: bytes) -> Stamp:
        """The stamp of a frame; bytes that it does not have count as 0."""
        head = int.from_bytes(data[:HEAD_BYTES].ljust(HEAD_BYTES, b"\0"), "big")
        return Stamp(*(_get(head, field) for field in _FIELDS))

    def header_error(self, data: bytes, port: int) -> bool:
        """Whether a frame with a good FCS that came to ``port`` has a header error."""
        if len(data) <= (HEAD_BYTES - 1) // self._word_bytes * self._word_bytes:
            return True
        head = int.from_bytes(data[:HEAD_BYTES].ljust(HEAD_BYTES, b"\0"), "big")
        stamp = Stamp(*(_get(head, field) for field in _FIELDS))
        header = self.format.header
        wanted = self.format.constant | _put(header["destination"], port) \
            | _put(STAMP["destination"], port)
        return ((head ^ wanted) & self._fixed != 0
                or stamp.source >= self._ports or stamp.class_ >= self.format.classes
                or _get(head, header["source"]) != stamp.source
                or _get(head, header["class"]) != stamp.class_
                or stamp.length != (len(data) - 1) % (1 << LENGTH_BITS))

    def payload_error(self, data: bytes) -> bool:
        """Whether the payload of a frame without a header error is wrong."""
        return data[HEAD_BYTES : payload_end(len(data))] != self.payload(self.stamp(data))
