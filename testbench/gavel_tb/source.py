# SPDX-License-Identifier: Apache-2.0
"""One port's stream of frames."""

from __future__ import annotations

from collections import deque

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.pins import IDLE, RxPins
from gavel_model.profiles import PROFILES
from gavel_tb.faulty_input import FaultyInput, control_set
from gavel_tb.frames import FrameFactory, SentFrame, frame_words
from gavel_tb.register_traffic import EXTRA_IDS, fdb_address
from gavel_tb.stimulus import derived_random

PATTERNS = ("uniform", "permutation", "incast", "converge", "bursty")
SIZES = ("min", "max", "mixed")

_SHORT_LIMIT = 256
_BURST_FRAMES = 12
_INCAST_SHARE = 0.9
_TABLE_SHARE = 0.2
_CONTROL_SHARE = 0.1


class PortSource:
    """Frames of one input.

    Parameters
    ----------
    config, factory, seed, port
        Where they go and what they are drawn from.
    profile
        Number of the profile that frames are built for.
    pattern, load, size
        As in `TrafficJob`; ``size`` in bytes or one of `SIZES`.
    gaps
        Probability of an idle cycle before each word inside a frame.
    faults
        Share of the frames that are faulty.
    tables
        Also use destinations that table writes map and unmap.
    """

    def __init__(
        self,
        config: SwitchConfig,
        factory: FrameFactory,
        *,
        seed: int,
        port: int,
        profile: int,
        pattern: str,
        load: float,
        size: str | int,
        gaps: float,
        faults: float,
        tables: bool,
    ) -> None:
        self._config = config
        self._factory = factory
        self._rng = derived_random(seed, "source", port)
        self._port = port
        self._profile = profile
        self._pattern = pattern
        self._load = load
        self._size = size
        self._gaps = gaps
        self._faults = faults
        self._tables = tables
        self._faulty = FaultyInput(config, factory, derived_random(seed, "faults", port))
        self._words: deque[RxPins] = deque()
        self._wait = 0
        self._burst = 0
        self._burst_output = 0
        self._frame: SentFrame | None = None
        # Uniform over the destinations of a permutation that differs from seed to seed.
        self._shift = derived_random(seed, "permutation").randrange(config.ports)
        self.start: SentFrame | None = None
        self.open = False

    def step(self, active: bool) -> RxPins:
        """Receive pins of this cycle; without ``active`` no new frame begins."""
        self.start = None
        words = self._words
        if not words:
            if not active:
                return IDLE
            if self._wait:
                self._wait -= 1
                return self._idle()
            self._next()
        if self._gaps and self._rng.random() < self._gaps:
            return self._idle()
        pins = words.popleft()
        if pins.valid and pins.sop:
            self.start = self._frame
        if pins.valid:
            self.open = not pins.eop
        if self._faults and self._rng.random() < self._faults * _CONTROL_SHARE:
            pins = control_set(self._rng, pins)
        return pins

    def close(self) -> RxPins:
        """Pins that end a frame that was left open: the link goes down for a cycle."""
        self.open = False
        self.start = None
        return IDLE._replace(up=0)

    @property
    def idle(self) -> bool:
        """No words are left."""
        return not self._words

    def _idle(self) -> RxPins:
        if self._faults and self._rng.random() < self._faults * _CONTROL_SHARE:
            return control_set(self._rng, IDLE)
        return IDLE

    def _next(self) -> None:
        rng = self._rng
        profile = PROFILES[self._profile]
        destination = self._destination()
        if self._tables and profile.dst.width == 48 and rng.random() < _TABLE_SHARE:
            destination = fdb_address(rng)
        else:
            if self._tables and rng.random() < _TABLE_SHARE:
                destination = self._config.ports + rng.randrange(EXTRA_IDS)
            destination = self._factory.address(profile, destination)
        frame = self._factory.build(
            rng,
            self._port,
            self._profile,
            dst=destination,
            size=self._frame_size(),
            traffic_class=rng.randrange(1 << profile.traffic_class.width),
        )
        self._frame = frame
        words: list[RxPins] = []
        if self._faults and rng.random() < self._faults:
            faulty, words = self._faulty.make(frame)
            if self.open and words[0].valid and not words[0].sop:
                # Words meant to be stray would continue the frame that was left open.
                words = []
            else:
                self._frame = faulty
        if not words:
            words = frame_words(self._config, frame.data, rng if self._faults else None)
        self._words.extend(words)
        self._pause(len(words))

    def _pause(self, words: int) -> None:
        """Idle cycles after a frame, so that the load comes out on average."""
        if self._load >= 1.0:
            return
        mean = words * (1 - self._load) / self._load
        if self._pattern == "bursty":
            self._burst -= 1
            if self._burst > 0:
                return
            mean *= _BURST_FRAMES
        # Geometric, by inversion: idle cycles until the next frame.
        self._wait = int(self._rng.expovariate(1 / mean) + 0.5) if mean > 0 else 0

    def _destination(self) -> int:
        ports, rng = self._config.ports, self._rng
        if self._pattern == "permutation":
            return (self._port + self._shift) % ports
        if self._pattern == "converge":
            return self._shift
        if self._pattern == "incast" and rng.random() < _INCAST_SHARE:
            return self._shift
        if self._pattern == "bursty":
            if self._burst <= 0:
                self._burst = rng.randrange(1, 2 * _BURST_FRAMES)
                self._burst_output = rng.randrange(ports)
            return self._burst_output
        return rng.randrange(ports)

    def _frame_size(self) -> int:
        size, rng, longest = self._size, self._rng, self._config.max_frame_bytes
        if isinstance(size, int):
            return size
        if size == "min":
            return MIN_FRAME_BYTES
        if size == "max":
            return longest
        draw = rng.random()
        if draw < 0.4:
            return min(longest, MIN_FRAME_BYTES + rng.randrange(5))
        if draw < 0.96:
            return rng.randint(MIN_FRAME_BYTES, min(longest, _SHORT_LIMIT))
        return longest if draw > 0.99 else rng.randint(MIN_FRAME_BYTES, longest)
