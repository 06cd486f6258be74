# SPDX-License-Identifier: Apache-2.0
"""Words on their way from inputs to outputs (docs/spec.md, Crossbar)."""

from __future__ import annotations

from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.outgoing_frame import OutgoingFrame
from gavel_model.pins import TxPins

CrossbarWord = tuple[int, TxPins, OutgoingFrame]
"""Output, finished word, and the frame that the word is a part of."""


class Crossbar:
    """Two registers for each output, and those of ``read_stages`` around the memory. At most one
    transfer goes to an output, so words of a cycle never collide, and a list of what moves is the
    state of all registers."""

    __slots__ = ("_first", "_read_stages", "_reading", "_second")

    def __init__(self, config: SwitchConfig) -> None:
        self._read_stages = config.read_stages
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._reading: deque[list[CrossbarWord]] = deque([[] for _ in range(self._read_stages)])
        self._first: list[CrossbarWord] = []
        self._second: list[CrossbarWord] = []

    @property
    def empty(self) -> bool:
        """No word is under way."""
        return not (any(self._reading) or self._first or self._second)

    @property
    def leaving(self) -> list[CrossbarWord]:
        """The words in the output registers in this cycle."""
        return self._second

    def step(self, words: list[CrossbarWord]) -> list[CrossbarWord]:
        """Takes the words read in cycle c; returns those in the output registers, read in c-2, with
        ``read_stages`` earlier."""
        if self._read_stages:
            self._reading.append(words)
            words = self._reading.popleft()
        arrived = self._second
        self._second = self._first
        self._first = words
        return arrived
