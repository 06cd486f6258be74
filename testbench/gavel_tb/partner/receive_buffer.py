# SPDX-License-Identifier: Apache-2.0
"""The buffer behind a link partner's receiver, which is read fast, slowly, or not at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from gavel_model.mac_control import CC_BITS
from gavel_tb.partner.flow_settings import FlowSettings, cells_of
from gavel_tb.partner.receiver import Arrival
from gavel_tb.partner.settings import NEVER

_COUNT = (1 << CC_BITS) - 1


class _Stored(NamedTuple):
    """A frame that is not read to its end."""

    arrival: Arrival
    words: int
    cells: int
    credits: int


class ReceiveBuffer:
    """Frames of each VC in order. Each VC is read at a rate of its own, whatever the others do.

    Parameters
    ----------
    flow
        What was agreed.
    word_bytes
        Bytes of a word; a rate of 1 reads one in each cycle.

    Attributes
    ----------
    read
        Called with each frame that has been read to its end.
    cells, stored
        Of each VC: cells, and credits, of what is in the buffer.
    received
        Of each VC: credits of all frames that came, cyclic in 20 bits.
    peak
        Largest number of cells, of each VC.
    overruns
        Frames that came although the other end had no credits for them.
    due
        Cycle in which the next frame is read to its end.
    """

    def __init__(self, flow: FlowSettings, word_bytes: int) -> None:
        self._flow = flow
        self._word_bytes = word_bytes
        vcs = flow.vcs
        self.read: Callable[[Arrival], None] | None = None
        self.cells = [0] * vcs
        self.stored = [0] * vcs
        self.received = [0] * vcs
        self.peak = [0] * vcs
        self.overruns = 0
        self.due = NEVER
        self._frames: list[deque[_Stored]] = [deque() for _ in range(vcs)]
        self._rates = [1.0] * vcs
        # Words that are left of the frame being read, as of a cycle; and when it will be read.
        self._left = [0.0] * vcs
        self._since = [0] * vcs
        self._ends = [NEVER] * vcs

    @property
    def empty(self) -> bool:
        """All has been read."""
        return not any(self._frames)

    def put(self, vc: int, arrival: Arrival, now: int) -> None:
        """A frame has come."""
        length, own = len(arrival.data), self._flow.own
        frame = _Stored(arrival, -(-length // self._word_bytes), cells_of(length),
                        own.unit.credits(length))
        self._frames[vc].append(frame)
        self.cells[vc] += frame.cells
        self.peak[vc] = max(self.peak[vc], self.cells[vc])
        if self._flow.credited >> vc & 1:
            self.received[vc] = self.received[vc] + frame.credits & _COUNT
            self.stored[vc] += frame.credits
            self.overruns += (sum(self.stored) if own.total else self.stored[vc]) > own.of(vc)
        if len(self._frames[vc]) == 1:
            self._begin(vc, now)

    def freed(self, vc: int) -> int:
        """Credits of all frames that have been read, cyclic in 20 bits."""
        return self.received[vc] - self.stored[vc] & _COUNT

    def step(self, now: int) -> None:
        """Frames that are read to their end in this cycle leave; call it when `due` has come."""
        for vc, end in enumerate(self._ends):
            if end > now:
                continue
            frame = self._frames[vc].popleft()
            self.cells[vc] -= frame.cells
            if self._flow.credited >> vc & 1:
                self.stored[vc] -= frame.credits
            self._begin(vc, now)
            if self.read is not None:
                self.read(frame.arrival)

    def set_rate(self, rate: float, now: int, vc: int | None = None) -> None:
        """From now on ``rate`` words are read in a cycle, of one VC or of all.

        Raises
        ------
        ValueError
            If the rate is negative.
        """
        if rate < 0:
            raise ValueError(f"rate = {rate}: must be at least 0")
        for n in range(len(self._rates)) if vc is None else (vc,):
            if self._frames[n]:
                done = (now - self._since[n]) * self._rates[n]
                self._left[n] = max(0.0, self._left[n] - done)
            self._rates[n] = rate
            self._since[n] = now
            self._plan(n)

    def _begin(self, vc: int, now: int) -> None:
        frames = self._frames[vc]
        self._left[vc] = frames[0].words if frames else 0.0
        self._since[vc] = now
        self._plan(vc)

    def _plan(self, vc: int) -> None:
        rate = self._rates[vc]
        running = self._frames[vc] and rate > 0
        self._ends[vc] = self._since[vc] + ceil(self._left[vc] / rate) if running else NEVER
        self.due = min(self._ends)
