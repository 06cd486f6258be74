# SPDX-License-Identifier: Apache-2.0
"""Bins of the pins, each by the pins that make it."""

from __future__ import annotations

import pytest

from gavel_model.loader import load_config
from gavel_model.pins import IDLE, Inputs, RxPins, TxPins
from gavel_tb.coverage.pins import PinCoverage

FIRST, MIDDLE, LAST = RxPins(1, 1), RxPins(1), RxPins(1, 0, 1)
WHOLE, GAP, DOWN = RxPins(1, 1, 1), RxPins(), RxPins(up=0)
QUIET = TxPins(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0)


def hits(words, *, tx=QUIET, ready: int = 3, ctl_ready: int = 3) -> list[str]:
    """Bins that are hit while port 1 receives some words and port 0 is idle."""
    found: list[str] = []
    coverage = PinCoverage(load_config("tiny"), found.append)
    for word in words:
        coverage.observe(Inputs((IDLE, word), ready, ctl_ready=ctl_ready), (QUIET, tx))
    return [name.partition(".")[2] for name in found]


@pytest.mark.parametrize(("words", "wanted"), [
    ([FIRST, MIDDLE, LAST], []),
    ([WHOLE], ["frame of one word"]),
    ([FIRST, LAST, IDLE, FIRST], []),
    ([FIRST, LAST, GAP, FIRST], []),
    ([FIRST, LAST, FIRST], ["back to back"]),
    ([FIRST, GAP, GAP, LAST], 2 * ["gap in a frame"]),
    ([FIRST, IDLE, LAST], ["gap in a frame"]),
    ([FIRST, FIRST, LAST], ["start in a frame"]),
    ([MIDDLE, LAST, FIRST, LAST], 2 * ["outside of a frame"]),
    ([FIRST, DOWN, MIDDLE], ["link down", "outside of a frame"]),
    ([FIRST._replace(err=1)], ["error"]),
    ([FIRST, MIDDLE._replace(ctl_valid=1)], ["ordered set beside a word"]),
    ([GAP._replace(ctl_valid=1), IDLE], []),
])
def test_words(words, wanted):
    assert hits(words) == wanted


@pytest.mark.parametrize(("pins", "wanted"), [
    ({"sop": 1}, "first word"), ({"eop": 1}, "last word"), ({}, "middle word"),
])
def test_stalls_of_words(pins, wanted):
    word = QUIET._replace(valid=1, **pins)
    assert hits([IDLE], tx=word, ready=1) == [wanted]
    assert hits([IDLE], tx=word, ready=2) == []


def test_stalls_of_ordered_sets():
    assert hits([IDLE], tx=QUIET._replace(ctl_valid=1), ctl_ready=1) == ["ordered set"]
    assert hits([IDLE], tx=QUIET._replace(ctl_valid=1), ctl_ready=2) == []
