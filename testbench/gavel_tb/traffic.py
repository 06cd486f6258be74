# SPDX-License-Identifier: Apache-2.0
"""Random traffic: patterns, loads, sizes, back-pressure, faults, register writes, resets."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.pins import NO_ACCESS, Inputs, RegisterPins, TxPins
from gavel_model.profiles import PROFILE_NAMES
from gavel_tb.frames import FrameFactory, SentFrame
from gavel_tb.jobs import Session
from gavel_tb.known_state import KnownState
from gavel_tb.lockstep import LockstepResult
from gavel_tb.register_traffic import RegisterTraffic, profile_writes
from gavel_tb.scoreboard import Scoreboard
from gavel_tb.source import PortSource
from gavel_tb.stimulus import ANY_LEAD, derived_random
from gavel_tb.traffic_options import check_choice, check_options, frame_size

BACKPRESSURE = ("none", "random", "alternate", "bursts")
QUIET_CYCLES = 64
"""A run ends when no input and no output has moved for so long."""

_STALL_CYCLES = 80
_REGISTER_RATE = 0.15
_RESET_CYCLES = 3


@dataclass(frozen=True, kw_only=True)
class TrafficJob:
    """What a traffic run is made of; every name is an option of ``gavel compare``.

    Attributes
    ----------
    seed
        Everything that is drawn follows from it.
    cycles
        Cycles in which frames begin; after them the switch drains.
    pattern
        ``uniform``, ``permutation``, ``incast`` (90 % to one output), ``converge`` (all to one
        output) or ``bursty`` (on and off, one destination a burst).
    load
        Share of the cycles in which an input sends a word, 0...1.
    size
        ``min``, ``max``, ``mixed``, or a number of bytes, FCS included.
    gaps
        Probability of an idle cycle before each word inside a frame.
    backpressure
        ``none``, ``random`` (each output ready in half of the cycles), ``alternate`` (every
        second cycle) or ``bursts`` (long stalls of single outputs).
    faults
        Share of the frames that are faulty, and noise wherever the switch must ignore it.
    profile
        Header profile of all ports, ``mixed`` (port p starts with number p mod 6), or empty for
        the switch's own.
    registers
        Register reads and writes in traffic.
    resets
        Resets at random times.
    """

    seed: int = 1
    cycles: int = 2000
    pattern: str = "uniform"
    load: float = 0.8
    size: str | int = "mixed"
    gaps: float = 0.0
    backpressure: str = "none"
    faults: float = 0.0
    profile: str = ""
    registers: bool = False
    resets: int = 0

    def parameters(self) -> dict[str, Any]:
        """The job as plain data."""
        return asdict(self)

    def check(self, config: SwitchConfig) -> None:
        """Refuses what cannot be run.

        Raises
        ------
        ValueError
            Names the option, its value, and what it may be.
        """
        check_options(self, config)
        check_choice("backpressure", self.backpressure, BACKPRESSURE)
        for name in ("gaps", "faults"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} = {getattr(self, name)}: must be in 0...1, 1 excluded")
        if self.cycles < 1:
            raise ValueError(f"cycles = {self.cycles}: must be at least 1")
        if self.resets < 0:
            raise ValueError(f"resets = {self.resets}: must be at least 0")

    def session(self, config: SwitchConfig) -> Session:
        """Stimulus and scoreboard of the run.

        Raises
        ------
        ValueError
            As `check`.
        """
        self.check(config)
        traffic = Traffic(config, self)
        known = KnownState(config)
        scoreboard = Scoreboard(config, known, traffic)

        def finish(result: LockstepResult) -> dict[str, Any]:
            figures = scoreboard.finish(result.counters)
            return {
                **figures,
                "words_in_active_cycles": traffic.active_words,
                "words_in_second_half": traffic.settled_words,
            }

        # Every queued cell of every input could go to one output that stalls half of the time.
        drain = 4 * config.ports * config.buffer_cells * config.words_per_cell + 10_000
        return Session(traffic, (scoreboard,), self.cycles + drain, finish)


class Traffic:
    """Stimulus of a `TrafficJob`."""

    lead = ANY_LEAD

    def __init__(self, config: SwitchConfig, job: TrafficJob) -> None:
        self._config = config
        self._job = job
        self._ports = range(config.ports)
        own = PROFILE_NAMES.index(config.profile)
        if job.profile == "mixed":
            numbers = [port % len(PROFILE_NAMES) for port in self._ports]
        else:
            wanted = PROFILE_NAMES.index(job.profile) if job.profile else own
            numbers = [wanted] * config.ports
        self._settings = profile_writes(numbers) if numbers != [own] * config.ports else []
        self._setup = deque(self._settings)
        factory = FrameFactory(config)
        size = frame_size(job.size)
        self._sources = [
            PortSource(config, factory, seed=job.seed, port=port, profile=numbers[port],
                       pattern=job.pattern, load=job.load, size=size, gaps=job.gaps,
                       faults=job.faults, tables=job.registers)
            for port in self._ports
        ]
        self._registers = RegisterTraffic(
            config, derived_random(job.seed, "registers"), rate=_REGISTER_RATE,
            profiles=job.faults > 0,
        )
        self._ready_rng = derived_random(job.seed, "ready")
        self._all_ready = (1 << config.ports) - 1
        self._stalled = [0] * config.ports
        rng = derived_random(job.seed, "resets")
        self._resets = sorted(rng.randrange(job.cycles) for _ in range(job.resets))
        self._reset_left = 0
        self._quiet = 0
        self._cycle = 0
        self._driven: deque[tuple[bool, list[SentFrame | None]]] = deque()
        self.starts: list[SentFrame | None] = [None] * config.ports
        self.active_words = [0] * config.ports
        self.settled_words = [0] * config.ports

    @property
    def finished(self) -> bool:
        """All has been sent, and nothing has moved for a while."""
        return self._quiet >= QUIET_CYCLES

    @property
    def progress(self) -> float:
        """Share of the cycles with new frames, 0...1."""
        return min(1.0, self._cycle / self._job.cycles)

    def step(self, cycle: int, tx: Sequence[TxPins]) -> Inputs:
        """Inputs of a cycle."""
        inputs = self.drive(cycle)
        self.watch(cycle, tx)
        return inputs

    def active(self, cycle: int) -> bool:
        """Whether frames begin in a cycle."""
        return cycle < self._job.cycles

    def drive(self, cycle: int) -> Inputs:
        """Inputs of a cycle, which depend on nothing that comes out of the switch. So they may be
        taken any number of cycles before `watch` is called for the same cycle."""
        active = self.active(cycle)
        register = self._register(active)
        sending = active and not self._setup
        moving = False
        rx = []
        starts = []
        for source in self._sources:
            pins = source.step(sending)
            if not active and source.idle and source.open:
                pins = source.close()
            starts.append(source.start)
            moving = moving or pins.valid == 1
            rx.append(pins)
        self._driven.append((moving or active or register is not NO_ACCESS, starts))
        ready = self._ready(cycle) if active else self._all_ready
        return Inputs(tuple(rx), ready, register, self._reset(cycle))

    def watch(self, cycle: int, tx: Sequence[TxPins]) -> None:
        """Takes note of the transmit pins of a cycle, and makes `starts` those of it."""
        self._cycle = cycle
        active = self.active(cycle)
        settled = active and 2 * cycle >= self._job.cycles
        busy, self.starts = self._driven.popleft()
        for port in self._ports:
            if tx[port].valid:
                busy = True
                self.active_words[port] += active
                self.settled_words[port] += settled
        self._quiet = 0 if busy else self._quiet + 1

    def _register(self, active: bool) -> RegisterPins:
        if self._setup:
            return self._setup.popleft()
        return self._registers.step() if active and self._job.registers else NO_ACCESS

    def _reset(self, cycle: int) -> int:
        if self._resets and cycle >= self._resets[0]:
            self._resets.pop(0)
            self._reset_left = _RESET_CYCLES
        if not self._reset_left:
            return 0
        self._reset_left -= 1
        # A reset takes the ports' profiles, too.
        self._setup = deque(self._settings)
        return 1

    def _ready(self, cycle: int) -> int:
        kind = self._job.backpressure
        if kind == "none":
            return self._all_ready
        if kind == "random":
            return self._ready_rng.getrandbits(self._config.ports)
        if kind == "alternate":
            return self._all_ready if cycle & 1 else 0
        ready = 0
        for port in self._ports:
            if self._stalled[port]:
                self._stalled[port] -= 1
            else:
                ready |= 1 << port
                if self._ready_rng.random() < 1 / _STALL_CYCLES:
                    self._stalled[port] = self._ready_rng.randrange(1, _STALL_CYCLES)
        return ready


