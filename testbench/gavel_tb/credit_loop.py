# SPDX-License-Identifier: Apache-2.0
"""Measures how many credits an output needs for line rate, beside what docs/flow_control.md, Sizes,
says.

A port without flow control feeds frames of one length at line rate; they leave by a port with
credits, to a partner that reads at once and gives credits back as soon as it may.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from gavel_model.config import FRAMES_UNDER_WAY, SwitchConfig
from gavel_model.pins import IDLE, NO_ACCESS, Inputs, RegisterPins, TxPins
from gavel_model.register_map import (
    CBFC_CONTROL_RESET,
    LLR_CONTROL_RESET,
    CbfcControl,
    LlrControl,
    Port,
    port_address,
)
from gavel_model.switch import Switch
from gavel_tb.feeder import Feeder
from gavel_tb.jobs import NO_LIMIT, Session
from gavel_tb.link_errors import LinkOptions
from gavel_tb.lossy_link import LossyLink
from gavel_tb.partner.device import LlrPartner
from gavel_tb.partner.flow_settings import BufferLimits, CreditSize, FlowSettings, cells_of
from gavel_tb.partner.receiver import ReceiverState
from gavel_tb.partner.settings import NEVER, PartnerSettings
from gavel_tb.stimulus import CheckError, derived_random

CREDITED, CLEAN = 0, 1
"""Port of the link that is measured, and of the one that feeds it."""

LINE_RATE = 0.999
"""Share of the cycles with a word that counts as line rate."""

_STAGES = 10

_FRAMES_FED = 24
_LOOPS, _SETTLE_LOOPS = 8, 3
_LEAST_CYCLES = 2000
_READ_AT_ONCE = 1e9
_READ_CYCLES = 1
_WRITE_CYCLES = 4
_NO_TIMER = 0


def stages_in_loop(config: SwitchConfig) -> int:
    """Cycles of the switch within the loop of a credit (docs/flow_control.md, Sizes)."""
    return (_STAGES + config.receive_stages + 2 * config.gate_stages + config.match_stages
            + config.read_stages + config.egress_stages + config.launch_stages)


def credit_config(
    data_width: int, frame_bytes: int, delay: int, longest_bytes: int, *,
    receive_stages: int = 0, gate_stages: int = 0, match_stages: int = 0, read_stages: int = 0,
    egress_stages: int = 0, launch_stages: int = 0,
) -> SwitchConfig:
    """Two ports with one VC, and replay buffers that never limit.

    Parameters
    ----------
    frame_bytes, longest_bytes
        Length of all frames, and the longest that the switch takes, FCS included.
    delay
        Of the link, cycles each way.
    receive_stages, gate_stages, match_stages, read_stages, egress_stages, launch_stages
        Pipeline options.
    """
    word_bytes = data_width // 8
    cells, longest = cells_of(frame_bytes), cells_of(longest_bytes)
    base = SwitchConfig(
        ports=2, data_width=data_width, vcs=1,
        buffer_cells=max(64, 2 * longest, _FRAMES_FED * cells), max_frame_bytes=longest_bytes,
        replay_frames=4, replay_cells=FRAMES_UNDER_WAY * longest, islip_iterations=1,
        id_entries=16, fdb_sets=4, loop_cycles=2 * delay, replay_timer=_NO_TIMER,
        pcs_lost_timer=_NO_TIMER, data_age_timer=_NO_TIMER,
        receive_stages=receive_stages, gate_stages=gate_stages, match_stages=match_stages,
        read_stages=read_stages, egress_stages=egress_stages,
        launch_stages=launch_stages,
    )
    in_loop = 4 * (2 * delay * word_bytes + base.ctl_spacing + longest_bytes)
    return replace(base, replay_frames=in_loop // frame_bytes + 4 * FRAMES_UNDER_WAY,
                   replay_cells=base.replay_cells + in_loop // frame_bytes * cells)


def credits_for_line_rate(
    config: SwitchConfig, frame_bytes: int, loop: int, *, total: bool = False
) -> int:
    """Native credits with which frames of one length leave at line rate (docs/flow_control.md,
    Sizes).

    Parameters
    ----------
    loop
        Cycles from a frame's last word on the transmit pins to the earliest CF_Update on the
        receive pins that can give its credits back.
    total
        One limit for all VCs.
    """
    word = config.word_bytes
    words = -(-frame_bytes // word)
    # CF_Updates go through every stage, frames through one.
    stages = config.gate_stages + min(config.gate_stages, 1) + config.match_stages
    unseen = (config.match_to_egress + total + stages) // words
    line = word * (loop + stages_in_loop(config) + total) + config.cf_min_spacing + frame_bytes
    # A frame takes whole words of the line and whole cells of the buffer.
    cost = cells_of(frame_bytes)
    return -(-line * cost // (words * word)) + (1 + unseen) * config.max_frame_cells


@dataclass(frozen=True, kw_only=True)
class CreditLoopJob:
    """One point of the measurement.

    Attributes
    ----------
    seed
        Of what the frames hold.
    credits
        Limit of the output, native credits.
    frame_bytes
        Length of all frames, FCS included.
    delay
        Of the link, cycles each way.
    total
        The limit is that of all VCs together.
    llr
        Link-level retry is on: its ACKs share the ordered sets with CF_Updates.
    cycles
        Measured cycles; 0: eight loops, and thousands.
    """

    seed: int = 1
    credits: int = 0
    frame_bytes: int = 64
    delay: int = 0
    total: bool = False
    llr: bool = False
    cycles: int = 0

    def parameters(self) -> dict[str, Any]:
        """The job as plain data."""
        return asdict(self)

    @property
    def loop(self) -> int:
        """Cycles from a last word on the transmit pins to the CF_Update for it."""
        return 2 * self.delay + _READ_CYCLES

    def check(self, config: SwitchConfig) -> None:
        """Refuses what would never end.

        Raises
        ------
        ValueError
            Names the option, its value, and what it may be.
        """
        if self.credits < config.max_frame_cells:
            raise ValueError(f"credits = {self.credits}: must be at least "
                             f"{config.max_frame_cells}, a longest frame")

    def session(self, config: SwitchConfig) -> Session:
        """Stimulus, and its figures.

        Raises
        ------
        ValueError
            As `check`.
        """
        self.check(config)
        probe = CreditLoopProbe(config, self)
        return Session(probe, (probe,), NO_LIMIT, lambda _: probe.figures())


class CreditLoopProbe:
    """Stimulus of a `CreditLoopJob`."""

    def __init__(self, config: SwitchConfig, job: CreditLoopJob) -> None:
        self._others = (IDLE,) * (config.ports - 2)
        self._everyone = (1 << config.ports) - 1
        self._feeder = Feeder(config, derived_random(job.seed, "credits"), source=CLEAN,
                              destination=CREDITED, size=job.frame_bytes)
        vcs = config.vcs
        limits = BufferLimits(unit=CreditSize(), per_vc=(job.credits,) * vcs,
                              total=job.credits * job.total)
        flow = FlowSettings(vcs=vcs, credited=1, own=limits, peer=limits,
                            cf_min=config.cf_min_spacing, cf_max=config.cf_max_spacing,
                            cc_period=0)
        self._partner = LlrPartner(
            PartnerSettings(data_width=config.data_width, llr=job.llr, spacing=config.ctl_spacing,
                            min_spacing=config.ctl_min_spacing, seq_bits=config.seq_bits,
                            flow=flow),
            lambda _: None, lambda _: 0,
        )
        assert self._partner.flow is not None
        self._partner.flow.set_rate(_READ_AT_ONCE, 0)
        link = LinkOptions(delay=job.delay)
        self._out = LossyLink(config.data_width, link, derived_random(job.seed, "out"))
        self._back = LossyLink(config.data_width, link, derived_random(job.seed, "back"))
        self._setup = deque(_writes(job))
        # An INIT that the switch does not listen to yet is repeated only much later.
        self._partner.silence(len(self._setup) + _WRITE_CYCLES)
        self._waits_for_llr = job.llr
        words = -(-job.frame_bytes // config.word_bytes)
        loop = (job.loop + stages_in_loop(config)
                + -(-config.cf_min_spacing // config.word_bytes) + 2 * words)
        self._cycles = job.cycles or max(_LEAST_CYCLES, _LOOPS * loop)
        self._settle = _SETTLE_LOOPS * loop
        self._begin = NEVER
        self._idle = 0
        self._cycle = 0

    @property
    def finished(self) -> bool:
        """All cycles are measured."""
        return self._cycle >= self._begin + self._cycles

    @property
    def progress(self) -> float:
        """Share of the cycles that are done."""
        return min(1.0, max(0, self._cycle - self._begin) / self._cycles)

    def step(self, cycle: int, tx: Sequence[TxPins]) -> Inputs:
        """Inputs of a cycle."""
        pins = tx[CREDITED]
        if pins.valid and pins.sop:
            self._feeder.left += 1
            if self._begin == NEVER:
                self._begin = cycle + self._settle
        if cycle >= self._begin:
            self._idle += not pins.valid
        self._cycle = cycle + 1
        answer = self._back.step(self._partner.step(self._out.step(pins)))
        if self._waits_for_llr and self._partner.receiver.state is not ReceiverState.OFF:
            self._waits_for_llr = False
        ready = not self._setup and not self._waits_for_llr
        access = self._setup.popleft() if self._setup else NO_ACCESS
        return Inputs((answer, self._feeder.step(ready), *self._others), self._everyone, access)

    def observe(self, cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """The partner's buffer never takes more than the limit."""
        flow = self._partner.flow
        assert flow is not None
        if flow.buffer.overruns:
            raise CheckError(f"cycle {cycle}: a frame has come without credits")

    def figures(self) -> dict[str, Any]:
        """``rate``: share of the measured cycles with a word."""
        return {"rate": 1 - self._idle / self._cycles, "measured_cycles": self._cycles}


def _writes(job: CreditLoopJob) -> list[RegisterPins]:
    control = (CBFC_CONTROL_RESET | 1 << CbfcControl.SENDER
               | job.total << CbfcControl.TOTAL)
    llr = LLR_CONTROL_RESET | (1 << LlrControl.LOCAL | 1 << LlrControl.REMOTE) * job.llr
    return [
        RegisterPins(port_address(CREDITED, offset), value, 1)
        for offset, value in (
            (Port.CBFC_LIMIT, job.credits), (Port.CBFC_TOTAL_LIMIT, job.credits),
            (Port.CBFC_CC_PERIOD, 0), (Port.CBFC_CONTROL, control), (Port.LLR_CONTROL, llr),
        )
    ]


def rate_on_model(config: SwitchConfig, job: CreditLoopJob) -> float:
    """Share of the line rate that the golden model reaches.

    Raises
    ------
    ValueError
        As `CreditLoopJob.check`.
    CheckError
        If a frame is sent without credits.
    """
    job.check(config)
    probe = CreditLoopProbe(config, job)
    switch = Switch(config)
    cycle = 0
    while not probe.finished:
        inputs = probe.step(cycle, switch.tx)
        probe.observe(cycle, inputs, switch.tx)
        switch.step(inputs)
        cycle += 1
    rate: float = probe.figures()["rate"]
    return rate


def measure_credits(data_width: int, longest_bytes: int, job: CreditLoopJob) -> dict[str, Any]:
    """The least limit with which the golden model reaches `LINE_RATE`, by bisection.

    Parameters
    ----------
    longest_bytes
        Longest frame that the switch takes.
    job
        All but the limit.

    Returns
    -------
    ``measured`` and ``formula``, credits; ``rate`` with the formula, and ``rate_below`` with one
    credit less than ``measured``, None if that is not enough for a frame; ``loop_cycles``.

    Raises
    ------
    CheckError
        If twice the formula is not enough.
    """
    config = credit_config(data_width, job.frame_bytes, job.delay, longest_bytes)
    formula = credits_for_line_rate(config, job.frame_bytes, job.loop, total=job.total)
    rates: dict[int, float] = {}

    def reached(limit: int) -> bool:
        if limit not in rates:
            rates[limit] = rate_on_model(config, replace(job, credits=limit))
        return rates[limit] >= LINE_RATE

    low, high = config.max_frame_cells - 1, formula
    if not reached(high):
        low, high = high, 2 * high
        if not reached(high):
            raise CheckError(f"no line rate with {high} credits, twice the formula")
    while high - low > 1:
        middle = (low + high) // 2
        if reached(middle):
            high = middle
        else:
            low = middle
    return {"measured": high, "formula": formula, "rate": rates[formula],
            "rate_below": rates.get(high - 1), "loop_cycles": job.loop}
