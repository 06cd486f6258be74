# SPDX-License-Identifier: Apache-2.0
"""Random XGMII words: frames and sets as they should be, spoilt ones, and noise."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from gavel_model import preamble
from gavel_model.xgmii import (
    COLUMN_LANES,
    ERROR,
    IDLE,
    LANES,
    SEQUENCE,
    SIGNAL,
    START,
    TERMINATE,
    Fault,
    XgmiiWord,
)

Lane = tuple[int, int]
"""Character, and 1 if it is a control character."""

_IDLE_LANE: Lane = (IDLE, 1)
_CONTROL = (IDLE, START, TERMINATE, ERROR, SEQUENCE, SIGNAL, 0x1C)
_DATA = (*_CONTROL, 0x00, 0x01, 0x02, 0x55, 0xD5)
"""Data that look like control characters are the ones to mistake."""

_CLEARING = (60, 63, 64, 65)
"""Words without a fault set: about as many as clear a fault."""


def join(lanes: list[Lane]) -> XgmiiWord:
    """Eight lanes as a word."""
    data = ctl = 0
    for n, (character, control) in enumerate(lanes):
        data |= character << 8 * n
        ctl |= control << n
    return XgmiiWord(data, ctl)


class WordSource:
    """Endless random words.

    Parameters
    ----------
    rng
        Decides everything.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._lanes: list[Lane] = []
        self._protect = True

    def words(self) -> Iterator[tuple[XgmiiWord, bool]]:
        """Words, and whether ``protect`` is on."""
        rng = self._rng
        while True:
            self._extend()
            while len(self._lanes) >= LANES:
                yield join(self._lanes[:LANES]), self._protect
                del self._lanes[:LANES]
            if rng.random() < 0.02:
                self._protect = not self._protect

    def _extend(self) -> None:
        """At least a column more, up to a column's end."""
        rng = self._rng
        part = rng.choices(
            (self._frame, self._idle, self._control_set, self._fault_sets, self._noise),
            (70, 14, 10, 1, 5),
        )[0]
        lanes = part()
        if lanes and rng.random() < 0.15:
            lanes[rng.randrange(len(lanes))] = self._any_lane()
        lanes += [_IDLE_LANE] * (-len(lanes) % COLUMN_LANES)
        self._lanes += lanes

    def _any_lane(self) -> Lane:
        rng = self._rng
        control = rng.getrandbits(1)
        return rng.choice(_CONTROL if control else _DATA), control

    def _frame(self) -> list[Lane]:
        rng = self._rng
        seq = rng.getrandbits(preamble.SEQ_BITS) if rng.random() < 0.7 else None
        other = rng.random() < 0.1
        start, *rest = preamble.encode(seq, self._protect is not other)
        length = rng.choice((0, 1, 7, 8, 9)) if rng.getrandbits(1) else rng.randrange(40)
        body = [rng.getrandbits(8) for _ in range(length)]
        lanes = [(start, 1), *((byte, 0) for byte in (*rest, *body))]
        end = rng.random()
        if end < 0.85:
            lanes.append((TERMINATE, 1))
        elif end < 0.95:
            lanes.append(_IDLE_LANE)
        return lanes

    def _idle(self) -> list[Lane]:
        return [_IDLE_LANE] * (COLUMN_LANES * self._rng.randrange(1, 6))

    def _control_set(self) -> list[Lane]:
        lanes = [_IDLE_LANE] * (len(self._lanes) % LANES)
        return [*lanes, (SIGNAL, 1), *((self._rng.getrandbits(8), 0) for _ in range(LANES - 1))]

    def _fault_sets(self) -> list[Lane]:
        """Sets enough for a fault, or one too few, and perhaps the time that clears it."""
        rng = self._rng
        lanes: list[Lane] = []
        for _ in range(rng.randrange(1, 7)):
            kind = rng.choice((Fault.LOCAL, Fault.LOCAL, Fault.LOCAL, Fault.REMOTE))
            for _ in range(rng.choice((1, 3, 4, 5))):
                lanes += [(SEQUENCE, 1), (0, 0), (0, 0), (kind, 0)]
                lanes += [_IDLE_LANE] * (COLUMN_LANES * rng.choice((0, 0, 1)))
            if rng.random() < 0.5:
                count = 2 * rng.choice(_CLEARING) + rng.choice((-1, 0, 0, 1))
                lanes += [_IDLE_LANE] * (COLUMN_LANES * count)
        return lanes

    def _noise(self) -> list[Lane]:
        return [self._any_lane() for _ in range(COLUMN_LANES * self._rng.randrange(1, 12))]
