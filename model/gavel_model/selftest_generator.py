# SPDX-License-Identifier: Apache-2.0
"""The traffic generator of a port's self-test (docs/selftest.md, chapters 4 and 5)."""

from __future__ import annotations

from typing import NamedTuple

from gavel_model.config import SwitchConfig
from gavel_model.frame import split_words
from gavel_model.pins import RxPins
from gavel_model.register_map import WORD_BITS
from gavel_model.selftest_format import (
    CLASS_DRAW,
    DESTINATION_DRAW,
    LENGTH_DRAW,
    LINE_RATE,
    SEQUENCE_BITS,
    STAMP,
    TIME_BITS,
    xorshift,
)
from gavel_model.selftest_frame import Frames, Stamp, finished, payload_end
from gavel_model.selftest_map import SelfTestFault, SelfTestInject, SelfTestPayload
from gavel_model.selftest_settings import SelfTestSettings

_PIPELINE = 3
"""R1, R2 and O."""

_EVERY_MASK = (1 << SelfTestInject.HOW) - 1
_COUNT_MASK = (1 << WORD_BITS) - 1
_TIME_BYTE = STAMP["time"].offset // 8


class _Planned(NamedTuple):
    """A frame in D1 or D2; ``extra`` bytes longer than the shortest, until it is in D2."""

    destination: int
    class_: int
    length: int


class _Frame:
    """A frame in F and behind it."""

    def __init__(self, stamp: Stamp, inject: SelfTestFault | None, words: list[int]) -> None:
        self.stamp = stamp
        self.inject = inject
        self.words = words
        self.length = stamp.length + 1


def _bits(draw: int, where: tuple[int, int]) -> int:
    return draw >> where[0] & (1 << where[1]) - 1


def first_at_or_after(mask: int, number: int) -> int:
    """The first set bit of a mask, which is not 0, at or after ``number``, coming round."""
    at_or_after = mask >> number << number
    chosen = at_or_after or mask
    return (chosen & -chosen).bit_length() - 1


class SelfTestGenerator:
    """A generator.

    Attributes
    ----------
    settings
        Registers as visible in the cycle.
    word
        Register O as pins: what is on the pins in the cycle; None: no word.
    sent
        In the cycle that was stepped a frame was begun.
    sequences
        Next number of each flow (destination, class) that has begun.

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
        self._classes = self._frames.format.classes
        self._number = number
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self.settings = SelfTestSettings()
        self.sequences: dict[tuple[int, int], int] = {}
        self.sent = False
        self.word: RxPins | None = None
        self._planned: list[_Planned | None] = [None, None]
        self._last = -1
        self._last_class = -1
        self._draw = 1
        self._frame: _Frame | None = None
        self._next_word = 0
        self._stages: list[tuple[_Frame, int] | None] = [None] * _PIPELINE
        self._tokens = 0
        self._left = 0
        self._until = 0

    def _on(self, run: int) -> bool:
        settings = self.settings
        return bool(run and settings.mode and settings.destinations and settings.classes)

    def busy(self, run: int) -> bool:
        """``BUSY`` in the cycle."""
        return (self._frame is not None or any(self._stages)
                or (self._on(run) and self._more()))

    def _more(self) -> bool:
        return not self.settings.count or self._left != 0

    def step(self, run: int, clear: int, now: int, ready: int) -> None:
        """A cycle, with ``CONTROL`` and ``CYCLES`` as visible in it."""
        on = self._on(run)
        step = self.word is None or bool(ready)
        formed = self._frame is not None and step
        if self._tokens < 0 or formed:
            self._tokens += self.settings.load
        if formed:
            self._tokens -= LINE_RATE
        last = self._frame is not None and self._next_word == self._word_count - 1
        planned = self._planned[1]
        load = (on and step and planned is not None and (self._frame is None or last)
                and self._tokens >= 0 and self._more())
        new_frame = self._load(planned) if load and planned is not None else None
        self.sent = load
        if formed:
            self._form(now)
        if step:
            self._move(formed)
        if new_frame is not None:
            self._frame, self._next_word = new_frame, 0
        elif formed:
            self._next_word += 1
            if last:
                self._frame = None
        self._plan(on, step and (planned is None or load))
        if clear:
            self.sequences = {}

    @property
    def _word_count(self) -> int:
        assert self._frame is not None
        return -(-self._frame.length // self._config.word_bytes)

    def _plan(self, on: bool, advance: bool) -> None:
        """X, D1, D2 and what counts the frames of a run."""
        settings = self.settings
        if not on:
            self._draw = settings.seed | (not settings.seed)
            self._planned = [None, None]
            self._last = self._last_class = -1
            self._left = settings.count
            self._until = settings.inject_every
        elif advance:
            first = self._planned[0]
            second = None if first is None else first._replace(
                length=settings.shortest + first.length)
            self._planned = [self._choose(self._draw), second]
            self._draw = xorshift(self._draw)

    def _choose(self, draw: int) -> _Planned:
        settings = self.settings
        ports, classes = self._config.ports, self._classes
        span = max(0, settings.longest - settings.shortest) + 1
        extra = _bits(draw, LENGTH_DRAW) * span >> LENGTH_DRAW[1]
        if settings.order:
            port = _bits(draw, DESTINATION_DRAW) * ports >> DESTINATION_DRAW[1]
            class_ = _bits(draw, CLASS_DRAW) * classes >> CLASS_DRAW[1]
            destination = first_at_or_after(settings.destinations, port)
        else:
            destination = first_at_or_after(settings.destinations, self._last + 1)
            around = destination <= self._last
            class_ = max(0, self._last_class + around)
        class_ = first_at_or_after(settings.classes, class_)
        self._last, self._last_class = destination, class_
        return _Planned(destination, class_, extra)

    def _load(self, planned: _Planned) -> _Frame:
        settings = self.settings
        inject = None
        if settings.inject_every and self._until == 1:
            inject = SelfTestFault(min(settings.inject_how, SelfTestFault.LEFT_OUT))
            self._until = settings.inject_every
        else:
            self._until = self._until - 1 & _EVERY_MASK
        self._left = self._left - 1 & _COUNT_MASK
        flow = planned.destination, planned.class_
        sequence = self.sequences.get(flow, 0) + (inject is SelfTestFault.LEFT_OUT)
        sequence &= (1 << SEQUENCE_BITS) - 1
        self.sequences[flow] = sequence + 1 & (1 << SEQUENCE_BITS) - 1
        stamp = Stamp(self._number, planned.destination, planned.class_, settings.payload,
                      planned.length - 1, sequence, 0, 0)
        # All but the words before that with time and seed is put together when they are known.
        words = split_words(self._frames.head(stamp), self._config.word_bytes)
        return _Frame(stamp, inject, words)

    def _form(self, now: int) -> None:
        frame = self._frame
        assert frame is not None
        if self._next_word == _TIME_BYTE // self._config.word_bytes:
            constant = frame.stamp.payload == SelfTestPayload.CONSTANT
            stamp = frame.stamp._replace(
                time=now & (1 << TIME_BITS) - 1,
                seed=self.settings.seed if constant else self._draw)
            frame.words = split_words(self._finished(stamp, frame.inject),
                                      self._config.word_bytes)

    def _move(self, formed: bool) -> None:
        """R1 -> R2 -> O."""
        first = (self._frame, self._next_word) if formed and self._frame is not None else None
        self._stages = [first, *self._stages[:-1]]
        shown = self._stages[-1]
        self.word = None
        if shown is not None:
            frame, number = shown
            size = self._config.word_bytes
            last = (number + 1) * size >= frame.length
            self.word = RxPins(
                valid=1, sop=int(number == 0), eop=int(last),
                empty=-frame.length % size if last else 0,
                data=frame.words[number])

    def _finished(self, stamp: Stamp, inject: SelfTestFault | None) -> bytes:
        """The whole frame."""
        payload = bytearray(self._frames.payload(stamp))
        if inject is SelfTestFault.PAYLOAD:
            payload[0] ^= 1
        length = stamp.length + 1
        data = bytearray(finished(self._frames.head(stamp) + payload, length))
        if inject is SelfTestFault.FCS:
            end = payload_end(length)
            data[end + (3 if length - end < 8 else 7)] ^= 1
        return bytes(data)
