# SPDX-License-Identifier: Apache-2.0
"""Frames that a link partner sends, and their words."""

from __future__ import annotations

from typing import Any, NamedTuple

from gavel_model.config import FCS_BYTES
from gavel_model.frame import split_words
from gavel_model.pins import RxPins

POISON = 0xAAAAAAAA
_new_tuple = tuple.__new__  # half the time of RxPins(...)


class OutFrame(NamedTuple):
    """A frame to be sent.

    Attributes
    ----------
    data
        All bytes, FCS included.
    tag
        Comes back when the frame is acknowledged or given up.
    eligible
        Link-level retry looks after it.
    poisoned
        Its FCS is spoiled by `POISON` before it is sent.
    """

    data: bytes
    tag: Any = None
    eligible: bool = True
    poisoned: bool = False


def poisoned(data: bytes) -> bytes:
    """The frame with an FCS that says that it was bad before it came here."""
    fcs = int.from_bytes(data[-FCS_BYTES:], "little") ^ POISON
    return data[:-FCS_BYTES] + fcs.to_bytes(FCS_BYTES, "little")


def partner_words(data: bytes, word_bytes: int, seq: int | None) -> list[RxPins]:
    """Words of a frame with its number, None for an ineligible one."""
    values = split_words(data, word_bytes)
    last = len(values) - 1
    words = [_new_tuple(RxPins, (1, 0, 0, 0, 0, 0, 0, 0, 0, 1, value)) for value in values]
    words[last] = _new_tuple(
        RxPins, (1, 0, 1, 0, -len(data) % word_bytes, 0, 0, 0, 0, 1, values[last])
    )
    words[0] = words[0]._replace(sop=1, llr=int(seq is not None), seq=seq or 0)
    return words
