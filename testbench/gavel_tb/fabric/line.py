# SPDX-License-Identifier: Apache-2.0
"""One direction of a cable: from the pins of one node to the inbox of another."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from gavel_model.alarm import NEVER
from gavel_model.pins import RxPins, TxPins
from gavel_tb.fabric.usage import Usage
from gavel_tb.lossy_link import LossyLink


class WholeFrame(NamedTuple):
    """A frame on the pins of an accelerator without link-level retry, told with its last word:
    nothing happens there before.

    Attributes
    ----------
    words, empty
        Words, and unused lanes of the last one.
    first
        Cycle of the first word.
    fault
        What is wrong with its framing, or None.
    """

    words: list[int]
    empty: int
    first: int
    fault: str | None


Arrived = RxPins | WholeFrame
Inbox = dict[int, list[tuple[int, Any]]]
"""By cycle: the ports where something arrives in it, and the `Arrived` there: pins, but for ports
that take whole frames."""

_new_tuple = tuple.__new__  # half the time of RxPins(...)


class Node(Protocol):
    """What is at an end of a line: a switch or an accelerator.

    Attributes
    ----------
    next_at
        First cycle in which it has something to do.
    inbox
        What is on the way to it.
    """

    next_at: int
    inbox: Inbox

    def run(self, end: int) -> None:
        """Goes from ``next_at`` to ``end``, which is no later than what is put on a line in the
        meantime arrives anywhere."""
        ...


class Line:
    """Carries what is on the pins in a cycle, ``delay`` cycles later; idle pins need not be put.

    Parameters
    ----------
    name
        Ends, for people.
    target, port
        Where it goes.
    delay
        Cycles, at least 1.
    damage
        Makes the errors; it has no delay of its own. None: there are none.

    Attributes
    ----------
    usage
        Frame words.
    frames
        Frames whose last word was put on the line.
    whole
        The target takes a `WholeFrame` with its last word, instead of words.
    log
        If it is a list: (cycle, pins) of all that is put on the line.
    lose
        Numbers of frames, from 0 in the order of their first words, that vanish: for tests of
        what finds them.
    """

    __slots__ = ("_fault", "_first", "_losing", "_started", "_words", "damage", "delay", "frames",
                 "log", "lose", "name", "port", "target", "usage", "whole")

    def __init__(
        self, name: str, target: Node, port: int, delay: int, damage: LossyLink | None
    ) -> None:
        self.name = name
        self.target = target
        self.port = port
        self.delay = delay
        self.damage = damage
        self.usage = Usage()
        self.frames = 0
        self.log: list[tuple[int, RxPins]] | None = None
        self.lose: frozenset[int] = frozenset()
        self.whole = False
        self._started = 0
        self._losing = False
        self._words: list[int] = []
        self._first = 0
        self._fault: str | None = None

    def put(self, cycle: int, pins: TxPins | RxPins) -> None:
        """Takes the pins of a cycle; cycles never go back."""
        if self.log is not None:
            self.log.append((cycle, _new_tuple(RxPins, pins)))
        if pins[0]:
            self.usage.add(cycle)
            self.frames += pins[2]
            if self.lose and self._vanishes(pins):
                return
        damage = self.damage
        if damage is not None:
            damage.cycle = cycle
            pins = damage.step(pins)
            if not (pins[0] or pins[7]):
                return
        target = self.target
        at = cycle + self.delay
        item: tuple[int, Arrived]
        if self.whole:
            frame = self._collect(at, pins)
            if frame is None:
                return
            item = self.port, frame
        else:
            item = self.port, _new_tuple(RxPins, pins)
        waiting = target.inbox.get(at)
        if waiting is None:
            target.inbox[at] = [item]
            if at < target.next_at:
                target.next_at = at
        else:
            waiting.append(item)

    def _collect(self, at: int, pins: TxPins | RxPins) -> WholeFrame | None:
        words = self._words
        if pins[1]:
            if words:
                self._fault = "a frame begins before the last one ended"
            self._words = words = []
            self._first = at
        elif not words:
            self._fault = "a word outside of a frame"
        words.append(pins[10])
        if not (pins[2] or self._fault):
            return None
        self._words = []
        return WholeFrame(words, pins[4], self._first, self._fault)

    def _vanishes(self, pins: TxPins | RxPins) -> bool:
        if pins[1]:
            self._losing = self._started in self.lose
            self._started += 1
        return self._losing


def next_arrival(inbox: Inbox) -> int:
    """Cycle of the first arrival."""
    return min(inbox, default=NEVER)
