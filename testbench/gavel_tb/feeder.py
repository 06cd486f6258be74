# SPDX-License-Identifier: Apache-2.0
"""Feeds an output at line rate with frames that are all alike."""

from __future__ import annotations

import random
from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.pins import IDLE, RxPins
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_tb.frames import FrameFactory, frame_words
from gavel_tb.llr_deliveries import frame_cells


class Feeder:
    """Frames from one input to one output, as fast as the link, as long as the ingress buffer has
    room for another.

    Parameters
    ----------
    config
        The switch.
    rng
        What the frame holds.
    source, destination, size
        Ports, and length of the frame in bytes, FCS included.

    Attributes
    ----------
    fed, left
        Frames that have gone in, and that have come out, which the user counts.
    """

    def __init__(
        self, config: SwitchConfig, rng: random.Random, *, source: int, destination: int, size: int
    ) -> None:
        profile = PROFILE_NAMES.index(config.profile)
        factory = FrameFactory(config)
        frame = factory.build(rng, source, profile, size=size,
                              dst=factory.address(PROFILES[profile], destination))
        self._frame = frame_words(config, frame.data)
        self._words: deque[RxPins] = deque()
        self._room = config.buffer_cells // frame_cells(frame.data) - 1
        self.fed = self.left = 0

    def step(self, begin: bool) -> RxPins:
        """Receive pins of a cycle; without ``begin`` no new frame begins."""
        words = self._words
        if not words and begin and self.fed - self.left < self._room:
            words.extend(self._frame)
            self.fed += 1
        return words.popleft() if words else IDLE
