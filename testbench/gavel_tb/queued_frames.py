# SPDX-License-Identifier: Apache-2.0
"""Frames that go into the VOQs of an input and out of them, for the benches of telemetry."""

from __future__ import annotations

import random
from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.observation import Observation

_PHASE = 40
_RATES = ((0.9, 0.2), (0.9, 0.9), (0.1, 0.9), (0.3, 0.3), (0.0, 0.05))
"""How likely a frame is filed, and opened, in the phases."""


class QueuedFrames:
    """A stream of observations in which what is opened has been filed, and cells are kept.

    Parameters
    ----------
    config
        Of the switch.
    rng
        Decides everything.

    Attributes
    ----------
    filed_cell, opened_cell
        First cells of what the last observation says of frames.
    both
        How often a VOQ gained a frame in a cycle in which it lost one.
    """

    def __init__(self, config: SwitchConfig, rng: random.Random) -> None:
        self._config, self._rng = config, rng
        self._cycle = 0
        self._free = list(range(config.buffer_cells))
        self._left: list[int] = []
        self._queues: list[deque[list[int]]] = [deque() for _ in range(config.voqs)]
        self.filed_cell = self.opened_cell = 0
        self.both = 0

    def next(self) -> Observation:
        """What is observed in the next cycle."""
        rng, config = self._rng, self._config
        filing, opening = _RATES[self._cycle // _PHASE % len(_RATES)]
        self._cycle += 1
        voq = rng.randrange(config.voqs)
        # The cells of the frame opened before are free again.
        self._free += self._left
        self._left = []
        seen = Observation(
            filed_voq=voq, filed_cells=rng.randint(1, config.max_frame_cells),
            filed_length=rng.randint(64, config.max_frame_bytes),
            opened_voq=rng.choice((voq, rng.randrange(config.voqs))))
        self.filed_cell = self.opened_cell = rng.randrange(config.buffer_cells)
        queue = self._queues[seen.opened_voq]
        if queue and rng.random() < opening:
            self._left = queue.popleft()
            self.opened_cell = self._left[0]
            seen = seen._replace(opened=1, opened_cells=len(self._left))
        if len(self._free) >= seen.filed_cells and rng.random() < filing:
            rng.shuffle(self._free)
            frame = [self._free.pop() for _ in range(seen.filed_cells)]
            self._queues[voq].append(frame)
            self.filed_cell = frame[0]
            self.both += seen.opened and voq == seen.opened_voq
            seen = seen._replace(filed=1)
        return seen
