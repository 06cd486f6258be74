# SPDX-License-Identifier: Apache-2.0
"""The checker of a port's self-test (docs/selftest.md, chapters 6 and 7)."""

from __future__ import annotations

from dataclasses import dataclass

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.frame import fcs, join_words
from gavel_model.pins import IDLE, RxPins, TxPins
from gavel_model.selftest_format import HEAD_BYTES, SEQUENCE_BITS, STAMP, TIME_BITS
from gavel_model.selftest_frame import Frames

_SEQUENCES = 1 << SEQUENCE_BITS
_HEAD_FIELDS = ("source", "sequence", "time")
"""Fields that a checker keeps as soon as their word has come."""


@dataclass(frozen=True)
class CheckedFrame:
    """What a checker found in a frame, and outside of frames; each adds to the register of its
    name. ``latency`` None: the frame has none."""

    ended: int = 0
    bad: int = 0
    header: int = 0
    payload: int = 0
    lost: int = 0
    late: int = 0
    latency: int | None = None
    source: int = 0
    sequence: int = 0


@dataclass(frozen=True)
class _Verdict:
    """A word in t+2: the whole frame if it was its last."""

    outside: int
    data: bytes | None
    error: bool
    latency: int
    source: int
    sequence: int


class SelfTestChecker:
    """A checker.

    Attributes
    ----------
    frame
        What was found, in t+3 of a word.
    bytes
        What the cycle that was stepped adds to ``BYTES``.
    sequences
        Next number of each flow (source, class) that has begun.

    Parameters
    ----------
    config
        The switch.
    number
        Number of the port.
    """

    def __init__(self, config: SwitchConfig, number: int) -> None:
        self._config = config
        self._frames = Frames(config)
        self._number = number
        self._places = {name: STAMP[name].offset // 8 for name in _HEAD_FIELDS}
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.frame = CheckedFrame()
        self.bytes = 0
        self.sequences: dict[tuple[int, int], int] = {}
        self._pins: RxPins | TxPins = IDLE
        self._words: list[int] | None = None
        self._error = False
        self._latency = 0
        self._seen = dict.fromkeys(_HEAD_FIELDS, 0)
        self._verdict = _Verdict(0, None, False, 0, 0, 0)

    def step(self, pins: RxPins | TxPins | None, now_before: int, clear: int) -> None:
        """A cycle with these pins, and with ``CYCLES`` of four cycles before; None: no word."""
        self.frame = self._judge(self._verdict)
        if clear:
            self.sequences = {}
        self._verdict = self._take(self._pins, now_before)
        self._pins = IDLE if pins is None else pins

    def _take(self, pins: RxPins | TxPins, now_before: int) -> _Verdict:
        """A word in t+1."""
        self.bytes = 0
        outside = 0
        data = None
        if pins.valid and pins.up:
            outside = int(pins.sop and self._words is not None)
            if pins.sop:
                self._words, self._error = [], False
            if self._words is None:
                outside = 1
            else:
                data = self._word(self._words, pins, now_before)
        return _Verdict(outside, data, self._error, self._latency, self._seen["source"],
                        self._seen["sequence"])

    def _word(self, words: list[int], pins: RxPins | TxPins, now_before: int) -> bytes | None:
        """A word of a frame; the whole frame with its last."""
        size = self._config.word_bytes
        number = len(words)
        empty = pins.empty if pins.eop else 0
        words.append(pins.data & (1 << 8 * (size - empty)) - 1)
        self.bytes = size - empty
        self._error |= bool(pins.err)
        if number <= (HEAD_BYTES - 1) // size:
            stamp = self._frames.stamp(join_words(words, size))
            for name, place in self._places.items():
                if place // size == number:
                    self._seen[name] = getattr(stamp, name)
                    if name == "time":
                        self._latency = now_before - stamp.time & (1 << TIME_BITS) - 1
        if not pins.eop:
            return None
        self._words = None
        data = join_words(words, size)
        return data[:len(data) - empty]

    def _judge(self, verdict: _Verdict) -> CheckedFrame:
        """A word in t+2."""
        data, outside = verdict.data, verdict.outside
        source, sequence = verdict.source, verdict.sequence
        if data is None:
            return CheckedFrame(bad=outside, source=source, sequence=sequence)
        if (verdict.error or len(data) < FCS_BYTES
                or fcs(data[:-FCS_BYTES]) != data[-FCS_BYTES:]):
            return CheckedFrame(1, outside + 1, source=source, sequence=sequence)
        if self._frames.header_error(data, self._number):
            return CheckedFrame(1, outside, 1, source=source, sequence=sequence)
        flow = source, self._frames.stamp(data).class_
        delta = (sequence - self.sequences.get(flow, 0)) % _SEQUENCES
        late = int(delta >= _SEQUENCES // 2)
        if not late:
            self.sequences[flow] = (sequence + 1) % _SEQUENCES
        return CheckedFrame(1, outside, 0, int(self._frames.payload_error(data)),
                            0 if late else delta, late, verdict.latency, source, sequence)
