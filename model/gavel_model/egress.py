# SPDX-License-Identifier: Apache-2.0
"""ECN mark, TTL and FCS of outgoing frames (docs/spec.md, Egress)."""

from __future__ import annotations

import zlib

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.counters import COUNTER_MASK, Counters
from gavel_model.frame import read_field, split_words, write_field
from gavel_model.outgoing_frame import OutgoingFrame, outgoing_words
from gavel_model.pins import TxPins
from gavel_model.profiles import PROFILES
from gavel_model.received_frame import ReceivedFrame
from gavel_model.register_map import Counter

_FRAMES = int(Counter.TX_FRAMES)
_BYTES = int(Counter.TX_BYTES)
_ECN_MARKED = int(Counter.TX_ECN_MARKED)
_ECN_CAPABLE = (1, 2)
_ECN_CONGESTED = 3


class Egress:
    """Edits frames for one output and counts what leaves.

    What a word becomes depends on its frame and mark alone, so the model edits the frame once,
    when its transfer opens, and lets finished words go through the crossbar. Counting happens
    in the cycle in which each word is in the crossbar's output register.
    """

    __slots__ = ("_counters", "_word_bytes")

    def __init__(self, config: SwitchConfig, counters: Counters) -> None:
        self._word_bytes = config.word_bytes
        self._counters = counters

    def edit(self, frame: ReceivedFrame, mark: bool) -> OutgoingFrame:
        """The frame as it leaves."""
        profile = PROFILES[frame.profile]
        words = frame.words
        marked = False
        if profile.ttl is not None or (mark and profile.ecn is not None):
            data = frame.data
            body = data[:-FCS_BYTES]
            if mark and profile.ecn is not None and read_field(body, profile.ecn) in _ECN_CAPABLE:
                body = write_field(body, profile.ecn, _ECN_CONGESTED)
                marked = True
            if profile.ttl is not None:
                body = write_field(body, profile.ttl, read_field(body, profile.ttl) - 1)
            # CRC-32 is linear: the change of the FCS depends on the change of the bytes alone.
            change = zlib.crc32(data[:-FCS_BYTES]) ^ zlib.crc32(body)
            fcs = int.from_bytes(data[-FCS_BYTES:], "little") ^ change
            words = split_words(body + fcs.to_bytes(FCS_BYTES, "little"), self._word_bytes)
        empty = len(words) * self._word_bytes - frame.length
        return OutgoingFrame(
            outgoing_words(words, empty), marked, frame.poisoned, frame.vc, frame.length
        )

    def count(self, word: TxPins, marked: bool) -> None:
        """Counts a word in the crossbar's output register."""
        counters = self._counters
        values = counters.values
        values[_BYTES] = values[_BYTES] + self._word_bytes - word[4] & COUNTER_MASK
        counters.changed = True
        if word[2]:
            values[_FRAMES] = values[_FRAMES] + 1 & COUNTER_MASK
            if marked:
                values[_ECN_MARKED] = values[_ECN_MARKED] + 1 & COUNTER_MASK
