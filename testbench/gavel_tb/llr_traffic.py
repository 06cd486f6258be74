# SPDX-License-Identifier: Apache-2.0
"""Traffic between link partners over links that lose and damage: link-level retry and flow control
end to end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import count
from typing import Any

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.pins import NO_ACCESS, Inputs, RegisterPins, TxPins
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.register_map import Counter, Port, port_address
from gavel_tb.flow_options import DEFAULT_CC_PERIOD, FlowOptions, number_list
from gavel_tb.flow_plan import FlowPlan
from gavel_tb.jobs import NO_LIMIT, Session
from gavel_tb.link_errors import LinkOptions
from gavel_tb.link_partners import LinkPartners
from gavel_tb.llr_deliveries import Deliveries
from gavel_tb.llr_source import PartnerSource
from gavel_tb.load_figures import LoadFigures
from gavel_tb.lockstep import LockstepResult
from gavel_tb.readers import Readers
from gavel_tb.register_traffic import profile_writes
from gavel_tb.request_source import RequestSource
from gavel_tb.stimulus import CheckError
from gavel_tb.traffic_options import check_options, frame_size

_SETTLE_CYCLES = 64
_WRITE_CYCLES = 4
_LARGEST_WEIGHT = 15
_PATIENCE_TIMERS = 100
_PATIENCE_CYCLES = 100_000
_NO_ROOM = (Counter.RX_NO_BUFFER, Counter.RX_VC_LIMIT)
_NO_LOSS = (Counter.RX_LOSSLESS_DROP, Counter.RX_POISONED, Counter.LLR_TX_DISCARD,
            Counter.LLR_TX_FLUSH, Counter.RX_HEADER, Counter.RX_TTL, Counter.RX_NO_ROUTE,
            Counter.CBFC_RX_CF_ERROR, Counter.CBFC_RX_CC_ERROR, Counter.CBFC_RX_RECOVERED,
            Counter.PFC_WATCHDOG)
_ERRORS = ("bit_errors", "word_errors", "word_drops", "set_drops", "down_rate", "stalls")


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
        Every port is watched by a `RuleChecker`, and with flow control every partner, too.
    bit_errors, word_errors, word_drops, set_drops, burst, delay, down_rate, down_cycles
        Of each direction of each link, as in `LinkOptions`.
    credits, total_credits, pfc, best_effort, credit_size, credit_overhead, cc_period
        Flow control of every link, as in `FlowOptions`.
    slow_ports, slow_rate, stuck_ports, stuck_cycles, stuck_vcs
        How fast the partners read, as in `FlowOptions`.
    requests
        Frames of VC 0, 2, ... are requests, and a partner sends those of the VC above as responses
        to what it has read, as `RequestSource` says. Needs credits.
    weights
        Weights of the VCs at all outputs, 0...15, with commas between them; empty: as after reset.
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
    credits: bool = False
    total_credits: bool = False
    pfc: bool = False
    best_effort: str = ""
    credit_size: int = 64
    credit_overhead: int = 0
    cc_period: int = DEFAULT_CC_PERIOD
    slow_ports: str = ""
    slow_rate: float = 0.1
    stuck_ports: str = ""
    stuck_cycles: int = 2000
    stuck_vcs: str = ""
    requests: bool = False
    weights: str = ""

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

    def flow_options(self) -> FlowOptions:
        """Flow control, and how fast the partners read.

        Raises
        ------
        ValueError
            As `FlowOptions`.
        """
        return FlowOptions(**{item.name: getattr(self, item.name) for item in fields(FlowOptions)})

    def flow_plan(self, config: SwitchConfig) -> FlowPlan | None:
        """What follows from it, None without flow control.

        Raises
        ------
        ValueError
            As `FlowPlan`.
        """
        options, size = self.flow_options(), frame_size(self.size)
        if not options.on:
            return None
        longest = MIN_FRAME_BYTES if size == "min" else config.max_frame_bytes
        return FlowPlan(config, options, self.link_options(),
                        size if isinstance(size, int) else longest,
                        errors_free=not any(getattr(self, name) for name in _ERRORS))

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
        self.flow_plan(config)
        for name in ("slow_ports", "stuck_ports"):
            number_list(name, getattr(self, name), config.ports)
        number_list("stuck_vcs", self.stuck_vcs, config.vcs)
        if self.requests and (not self.credits or self.best_effort or config.vcs < 2):
            raise ValueError("requests = True: needs credits on all VCs, and two VCs at least")
        vc_weights(self.weights, config.vcs)

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


def vc_weights(text: str, vcs: int) -> int | None:
    """Value of ``VC_WEIGHTS`` for a list of weights; None if it is empty.

    Raises
    ------
    ValueError
        If it is no list of as many weights as VCs.
    """
    if not text:
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != vcs or not all(
        part.isdecimal() and int(part) <= _LARGEST_WEIGHT for part in parts
    ):
        raise ValueError(f"weights = {text!r}: must be {vcs} numbers in 0...{_LARGEST_WEIGHT} with "
                         "commas between them")
    return sum(int(part) << 4 * vc for vc, part in enumerate(parts))


class LlrTraffic:
    """Stimulus and observer of a `LlrTrafficJob`.

    Attributes
    ----------
    around
        Partners, links and rule checkers.
    deliveries
        The end-to-end check.
    lead
        See `OpenStimulus`: the delay of the links.
    """

    def __init__(self, config: SwitchConfig, job: LlrTrafficJob) -> None:
        self._config = config
        self._job = job
        ports = range(config.ports)
        plan = job.flow_plan(config)
        self.deliveries = Deliveries(config, plan.best_effort if plan is not None else 0)
        self.around = LinkPartners(config, job.link_options(), seed=job.seed, stalls=job.stalls,
                                   rules=job.rules, plan=plan, vc_of=self.deliveries.vc_of)
        self.lead = self.around.lead
        own = PROFILE_NAMES.index(config.profile)
        if job.profile == "mixed":
            numbers = [port % len(PROFILE_NAMES) for port in ports]
        else:
            numbers = [PROFILE_NAMES.index(job.profile) if job.profile else own] * config.ports
        profiles = profile_writes(numbers) if numbers != [own] * config.ports else []
        weights = vc_weights(job.weights, config.vcs)
        shares = [] if weights is None else [
            RegisterPins(port_address(port, Port.VC_WEIGHTS), weights, 1) for port in ports
        ]
        self._setup = deque([*profiles, *shares, *self.around.writes])
        self._readers = Readers(self.around.partners, job.flow_options(), config.vcs)
        self._sources: list[PartnerSource] = []
        self._responders: list[RequestSource] = []
        numbers_of_frames = count()
        for port, partner in enumerate(self.around.partners):
            options: dict[str, Any] = {
                "seed": job.seed, "port": port, "profile": numbers[port], "pattern": job.pattern,
                "load": job.load, "size": frame_size(job.size), "plan": plan,
            }
            common = config, self.deliveries, numbers_of_frames
            if job.requests:
                assert partner.flow is not None
                self._responders.append(RequestSource(
                    *common, flow=partner.flow, rate=self._readers.rates[port], **options))
                self._sources.append(self._responders[-1])
            else:
                self._sources.append(PartnerSource(*common, **options))
        self._load = LoadFigures(config, self.deliveries, self.around.partners, job.cycles // 2)
        for partner, source in zip(self.around.partners, self._sources, strict=True):
            partner.sender.refill = source.refill
            if partner.flow is not None:
                source.queues = partner.flow.queues
                source.queues.refill = source.refill_vc
        # An INIT that the switch does not listen to yet is repeated only much later.
        self.around.silence(len(self._setup) + _WRITE_CYCLES)
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
        if self.lead:
            inputs = self.drive(cycle)
            self.watch(cycle, tx)
            return inputs
        # What comes out in a cycle is answered in it.
        ready, ctl_ready = self.around.readiness()
        self.watch(cycle, tx)
        return Inputs(self.around.receive(), ready, self._access(), 0, ctl_ready)

    def active(self, cycle: int) -> bool:
        """See `OpenStimulus`: only cycles that pass make a stimulus finished."""
        return self._quiet + cycle - self._cycle <= self._settle

    def drive(self, cycle: int) -> Inputs:
        """See `OpenStimulus`."""
        ready, ctl_ready = self.around.readiness()
        return Inputs(self.around.receive(), ready, self._access(), 0, ctl_ready)

    def _access(self) -> RegisterPins:
        return self._setup.popleft() if self._setup else NO_ACCESS

    def watch(self, cycle: int, tx: Sequence[TxPins]) -> None:
        """See `OpenStimulus`."""
        self._cycle = cycle
        if cycle >= self._readers.due:
            self._readers.step(cycle)
        if cycle >= self._load.due:
            self._load.step(cycle)
        self.around.watch(tx)
        if self._active:
            self._active = self._sending(cycle)
        elif (self.deliveries.outstanding or not self.around.idle
              or any(source.owes for source in self._responders)):
            self._quiet = 0
        else:
            self._quiet += 1

    def _sending(self, cycle: int) -> bool:
        job, deliveries = self._job, self.deliveries
        sent = deliveries.frames + deliveries.outstanding
        if cycle + 1 < job.cycles and not (job.frames and sent >= job.frames):
            return True
        self._load.end(cycle)
        for source in self._sources:
            source.stop()
        self._readers.stop()
        return False

    def observe(self, cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """Checks a cycle."""
        self.around.observe(cycle, inputs, tx)
        arrived = self.around.arrived
        if arrived:
            for port, arrival in arrived:
                frame = self.deliveries.arrived(port, arrival)
                if self._responders:
                    self._responders[port].heard(frame)
            arrived.clear()
            self._quiet = 0
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
        lost = deliveries.finish()
        for port, counted in enumerate(result.counters):
            dropped = sum(counted[counter] for counter in _NO_ROOM)
            if dropped != lost[port]:
                raise CheckError(f"port {port}: {dropped} frames have found no room, and "
                                 f"{lost[port]} best-effort frames are missing")
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
        flows = [partner.flow for partner in partners if partner.flow is not None]
        for port, flow in enumerate(flows):
            if flow.buffer.overruns:
                raise CheckError(f"port {port}: {flow.buffer.overruns} frames have come to a full "
                                 "buffer of the partner")
        return {
            "frames": deliveries.frames,
            "bytes": deliveries.bytes,
            "ecn_marked": deliveries.marked,
            "errors_injected": self.around.errors(),
            "partner_replays": sum(partner.sender.replays for partner in partners),
            "switch_replays": sum(counted[Counter.LLR_TX_REPLAY] for counted in result.counters),
            "best_effort_lost": sum(lost),
            "cf_updates": sum(counted[Counter.CBFC_TX_CF_UPDATE] + counted[
                Counter.CBFC_RX_CF_UPDATE] for counted in result.counters),
            "cc_updates": sum(counted[Counter.CBFC_TX_CC_UPDATE] + counted[
                Counter.CBFC_RX_CC_UPDATE] for counted in result.counters),
            "pfc_frames": sum(counted[Counter.PFC_TX] + counted[Counter.PFC_RX]
                              for counted in result.counters),
            "goodput": deliveries.bytes / capacity,
            "frames_on": deliveries.frames_on,
            "responses": sum(source.responses for source in self._responders),
            "request_holds": sum(source.holds for source in self._responders),
            **self._load.figures(),
        }
