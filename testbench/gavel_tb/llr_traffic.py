# SPDX-License-Identifier: Apache-2.0
"""Traffic between link partners over links that lose and damage: link-level retry end to end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.pins import NO_ACCESS, Inputs, TxPins
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.register_map import Counter
from gavel_tb.jobs import NO_LIMIT, Session
from gavel_tb.link_errors import LinkOptions
from gavel_tb.link_partners import LinkPartners
from gavel_tb.llr_deliveries import Deliveries
from gavel_tb.llr_source import PartnerSource
from gavel_tb.lockstep import LockstepResult
from gavel_tb.register_traffic import profile_writes
from gavel_tb.stimulus import CheckError
from gavel_tb.traffic_options import check_options, frame_size

_SETTLE_CYCLES = 64
_WRITE_CYCLES = 4
_PATIENCE_TIMERS = 100
_PATIENCE_CYCLES = 100_000
_NO_LOSS = (Counter.RX_NO_BUFFER, Counter.RX_POISONED, Counter.LLR_TX_DISCARD,
            Counter.LLR_TX_FLUSH, Counter.RX_HEADER, Counter.RX_TTL, Counter.RX_NO_ROUTE)


@dataclass(frozen=True, kw_only=True)
class LlrTrafficJob:
    """What a run is made of.

    Attributes
    ----------
    seed
        Everything that is drawn follows from it.
    cycles
        Cycles in which frames begin, at most.
    frames
        Frames to be sent, 0: as many as go into the cycles.
    pattern, load, size
        As in `TrafficJob`.
    profile
        Header profile of all ports, ``mixed``, or empty for the switch's own.
    stalls
        Transmit pins are not ready in a quarter of the cycles, for words and for ordered sets.
    rules
        Every port is watched by a `RuleChecker`.
    bit_errors, word_errors, word_drops, set_drops, burst, delay, down_rate, down_cycles
        Of each direction of each link, as in `LinkOptions`.
    """

    seed: int = 1
    cycles: int = 20_000
    frames: int = 0
    pattern: str = "uniform"
    load: float = 1.0
    size: str | int = "mixed"
    profile: str = ""
    stalls: bool = False
    rules: bool = True
    bit_errors: float = 0.0
    word_errors: float = 0.0
    word_drops: float = 0.0
    set_drops: float = 0.0
    burst: float = 1.0
    delay: int = 20
    down_rate: float = 0.0
    down_cycles: float = 100.0

    def parameters(self) -> dict[str, Any]:
        """The job as plain data."""
        return asdict(self)

    def link_options(self) -> LinkOptions:
        """What each direction of each link does.

        Raises
        ------
        ValueError
            As `LinkOptions`.
        """
        return LinkOptions(
            bit_errors=self.bit_errors, word_errors=self.word_errors, word_drops=self.word_drops,
            set_drops=self.set_drops, burst=self.burst, delay=self.delay,
            down_rate=self.down_rate, down_cycles=self.down_cycles,
        )

    def check(self, config: SwitchConfig) -> None:
        """Refuses what cannot be run.

        Raises
        ------
        ValueError
            Names the option, its value, and what it may be.
        """
        self.link_options()
        check_options(self, config)
        for name, least in (("cycles", 1), ("frames", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} = {getattr(self, name)}: must be at least {least}")
        if config.buffer_cells < 2 * config.max_frame_cells:
            raise ValueError(f"buffer_cells = {config.buffer_cells}: must be at least "
                             f"{2 * config.max_frame_cells}, two longest frames, so that replays "
                             "find room")

    def session(self, config: SwitchConfig) -> Session:
        """Stimulus, which is its own check, and its figures.

        Raises
        ------
        ValueError
            As `check`.
        """
        self.check(config)
        traffic = LlrTraffic(config, self)
        return Session(traffic, (traffic,), NO_LIMIT, traffic.figures)


class LlrTraffic:
    """Stimulus and observer of a `LlrTrafficJob`.

    Attributes
    ----------
    around
        Partners, links and rule checkers.
    deliveries
        The end-to-end check.
    """

    def __init__(self, config: SwitchConfig, job: LlrTrafficJob) -> None:
        self._config = config
        self._job = job
        ports = range(config.ports)
        self.around = LinkPartners(config, job.link_options(), seed=job.seed, stalls=job.stalls,
                                   rules=job.rules)
        own = PROFILE_NAMES.index(config.profile)
        if job.profile == "mixed":
            numbers = [port % len(PROFILE_NAMES) for port in ports]
        else:
            numbers = [PROFILE_NAMES.index(job.profile) if job.profile else own] * config.ports
        profiles = profile_writes(numbers) if numbers != [own] * config.ports else []
        self._setup = deque([*profiles, *self.around.writes])
        self.deliveries = Deliveries(config)
        numbers_of_frames = count()
        self._sources = [
            PartnerSource(config, self.deliveries, numbers_of_frames, seed=job.seed, port=port,
                          profile=numbers[port], pattern=job.pattern, load=job.load,
                          size=frame_size(job.size))
            for port in ports
        ]
        for partner, source in zip(self.around.partners, self._sources, strict=True):
            partner.sender.refill = source.refill
            # An INIT that the switch does not listen to yet is repeated only much later.
            partner.silence(len(self._setup) + _WRITE_CYCLES)
        self._quiet = 0
        self._cycle = 0
        self._active = True
        # The last answers come back, and a replay for want of one is seen.
        self._settle = self.around.timer + _SETTLE_CYCLES
        self._patience = self._overdue = _PATIENCE_TIMERS * self.around.timer + _PATIENCE_CYCLES

    @property
    def finished(self) -> bool:
        """All has been sent, has arrived and been acknowledged."""
        return self._quiet > self._settle

    @property
    def progress(self) -> float:
        """Share of the frames, or of the cycles, 0...1."""
        job = self._job
        done = self._cycle / job.cycles
        if job.frames:
            done = max(done, self.deliveries.frames / job.frames)
        return min(1.0, done)

    def step(self, cycle: int, tx: Sequence[TxPins]) -> Inputs:
        """Inputs of a cycle."""
        self._cycle = cycle
        register = self._setup.popleft() if self._setup else NO_ACCESS
        rx, ready, ctl_ready = self.around.step(tx)
        if self._active:
            self._active = self._sending(cycle)
        elif self.deliveries.outstanding or not self.around.idle:
            self._quiet = 0
        else:
            self._quiet += 1
        return Inputs(rx, ready, register, 0, ctl_ready)

    def _sending(self, cycle: int) -> bool:
        job, deliveries = self._job, self.deliveries
        sent = deliveries.frames + deliveries.outstanding
        if cycle + 1 < job.cycles and not (job.frames and sent >= job.frames):
            return True
        for source in self._sources:
            source.stop()
        return False

    def observe(self, cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """Checks a cycle."""
        self.around.observe(cycle, inputs, tx)
        arrived = self.around.arrived
        if arrived:
            for port, arrival in arrived:
                self.deliveries.arrived(port, arrival)
            arrived.clear()
            self._overdue = cycle + self._patience
        elif cycle >= self._overdue:
            self._overdue = cycle + self._patience
            if self.deliveries.outstanding or not (self._active or self.around.idle):
                raise CheckError(f"nothing has arrived for {self._patience} cycles; "
                                 f"{self.deliveries.outstanding} frames are under way; "
                                 + self.around.state())

    def figures(self, result: LockstepResult) -> dict[str, Any]:
        """What was done and found.

        Raises
        ------
        CheckError
            If a frame is missing, or the counters do not tell the same.
        """
        deliveries = self.deliveries
        deliveries.finish()
        for port, counted in enumerate(result.counters):
            for counter in _NO_LOSS:
                if counted[counter]:
                    raise CheckError(f"port {port}: {counter.name} is {counted[counter]}, "
                                     "nothing may be lost")
            for counter, wanted in ((Counter.RX_FRAMES, deliveries.frames_from[port]),
                                    (Counter.TX_FRAMES, deliveries.frames_to[port])):
                if counted[counter] != wanted:
                    raise CheckError(f"port {port}: {counter.name} is {counted[counter]}, the "
                                     f"partners say {wanted}")
        capacity = self._config.ports * self._config.word_bytes * max(1, self._cycle)
        partners = self.around.partners
        return {
            "frames": deliveries.frames,
            "bytes": deliveries.bytes,
            "ecn_marked": deliveries.marked,
            "errors_injected": self.around.errors(),
            "partner_replays": sum(partner.sender.replays for partner in partners),
            "switch_replays": sum(counted[Counter.LLR_TX_REPLAY] for counted in result.counters),
            "goodput": deliveries.bytes / capacity,
        }
