# SPDX-License-Identifier: Apache-2.0
"""Measures the uncontended latency of every port pair and VC, for many frame lengths."""

from __future__ import annotations

from collections import Counter as Tally
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.pins import IDLE, Inputs, RxPins, TxPins
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_tb.frames import FrameFactory, frame_words
from gavel_tb.jobs import Session
from gavel_tb.stimulus import CheckError, derived_random

_EXTRA_LENGTHS = 64
_SILENCE = 3


@dataclass(frozen=True, kw_only=True)
class LatencyJob:
    """Parameters of the measurement.

    Attributes
    ----------
    seed
        Decides payloads and the order of lengths.
    lengths
        Frames per port pair and VC, each of another length.
    """

    seed: int = 1
    lengths: int = 3

    def parameters(self) -> dict[str, Any]:
        """The job as plain data."""
        return asdict(self)

    def session(self, config: SwitchConfig) -> Session:
        """Stimulus, which is its own check, and its figures."""
        probe = LatencyProbe(config, self)
        rounds = config.ports * config.vcs * self.lengths + config.ports
        limit = rounds * (2 * config.max_frame_words + 32)
        return Session(probe, (probe,), limit, lambda _: probe.figures())


class LatencyProbe:
    """Sends one frame from every input at the same time, to outputs that all differ, and waits for
    silence: nothing contends. Shifting the outputs covers all pairs."""

    def __init__(self, config: SwitchConfig, job: LatencyJob) -> None:
        self._config = config
        self._factory = FrameFactory(config)
        self._rng = derived_random(job.seed, "latency")
        self._profile = PROFILE_NAMES.index(config.profile)
        self._rounds = self._plan(job.lengths)
        self._words: list[deque[RxPins]] = [deque() for _ in range(config.ports)]
        self._source = [0] * config.ports
        self._last = [0] * config.ports
        self._left = [0] * config.ports
        self._expected = [0] * config.ports
        self._silent = 0
        self._done = False
        self.latencies: Tally[int] = Tally()
        self.pairs: set[tuple[int, int, int]] = set()
        self.sizes: set[int] = set()

    def _plan(self, lengths: int) -> Iterator[tuple[int, int, int]]:
        """(shift, VC, length) of each round."""
        config = self._config
        shortest = MIN_FRAME_BYTES
        span = min(2 * config.word_bytes + _EXTRA_LENGTHS, config.max_frame_bytes - shortest)
        pool: deque[int] = deque(range(shortest, shortest + span + 1))
        classes = 1 << PROFILES[self._profile].traffic_class.width
        for shift in range(config.ports):
            for vc in range(min(config.vcs, classes)):
                for _ in range(lengths):
                    yield shift, vc, pool[0]
                    pool.rotate(-1)
            yield shift, 0, config.max_frame_bytes

    @property
    def finished(self) -> bool:
        """All rounds are done."""
        return self._done

    def step(self, cycle: int, tx: Sequence[TxPins]) -> Inputs:
        """Inputs of a cycle."""
        quiet = not any(self._words) and not any(self._left) and not any(pins.valid for pins in tx)
        self._silent = self._silent + 1 if quiet else 0
        if self._silent > _SILENCE:
            self._begin(cycle)
        rx = tuple(words.popleft() if words else IDLE for words in self._words)
        return Inputs(rx, (1 << self._config.ports) - 1)

    def _begin(self, cycle: int) -> None:
        following = next(self._rounds, None)
        if following is None:
            self._done = True
            return
        self._silent = 0
        shift, vc, size = following
        ports = self._config.ports
        profile = PROFILES[self._profile]
        for source in range(ports):
            output = (source + shift) % ports
            frame = self._factory.build(
                self._rng, source, self._profile, dst=self._factory.address(profile, output),
                size=size, traffic_class=vc,
            )
            words = frame_words(self._config, frame.data)
            self._words[source].extend(words)
            self._last[output] = cycle + len(words) - 1
            self._left[output] = len(words)
            self._expected[output] = len(words)
            self.pairs.add((source, output, vc))
        self.sizes.add(size)

    def observe(self, cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """Checks that words come when they must."""
        for port, pins in enumerate(tx):
            left = self._left[port]
            if pins.valid:
                if not left:
                    raise CheckError(f"output {port}: a word that was not sent")
                if pins.sop:
                    latency = cycle - self._last[port]
                    self.latencies[latency] += 1
                    if latency != self._config.latency_cycles:
                        raise CheckError(
                            f"output {port}: latency is {latency} cycles, K is "
                            f"{self._config.latency_cycles} (frame of {self._expected[port]} words)"
                        )
                self._left[port] = left - 1
            elif 0 < left < self._expected[port]:
                raise CheckError(f"output {port}: a gap inside a frame")

    def figures(self) -> dict[str, Any]:
        """Latencies that were seen, pairs (source, output, VC) and lengths that were covered."""
        return {
            "latencies": {str(value): count for value, count in sorted(self.latencies.items())},
            "pairs": len(self.pairs),
            "lengths": sorted(self.sizes),
        }
