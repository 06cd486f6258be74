# SPDX-License-Identifier: Apache-2.0
"""Measures what link-level retry leaves of the line rate on a link with errors.

A clean port feeds frames of one length at line rate; they leave by a port whose link delays and
damages them, to a partner that answers at once. Counted are the frames that the partner accepts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from gavel_model.config import (
    FRAMES_UNDER_WAY,
    PIPELINE_FRAMES,
    PIPELINE_WORDS,
    SwitchConfig,
)
from gavel_model.pins import NO_ACCESS, Inputs, RegisterPins, TxPins
from gavel_model.register_map import LLR_CONTROL_RESET, LlrControl, Port, port_address
from gavel_model.switch import Switch
from gavel_tb.feeder import Feeder
from gavel_tb.go_back_n import GoBackN
from gavel_tb.jobs import Session
from gavel_tb.link_errors import LinkOptions
from gavel_tb.lossy_link import LossyLink
from gavel_tb.partner.device import LlrPartner
from gavel_tb.partner.receiver import Arrival, ReceiverState
from gavel_tb.partner.settings import PartnerSettings
from gavel_tb.stimulus import CheckError, derived_random

LOSSY, CLEAN = 0, 1
"""Port of the link that is measured, and of the one that feeds it."""

BATCHES = 20
_ACK_SPACING = 400
_SETTLE_LOOPS = 4
_SETTLE_CYCLES = 1000
_NO_LIMIT = 255


def goodput_config(
    data_width: int, frame_bytes: int, delay: int, *, receive_stages: int = 0,
    gate_stages: int = 0, read_stages: int = 0, egress_stages: int = 0, launch_stages: int = 0,
) -> SwitchConfig:
    """Two ports, and a replay buffer by the formula of docs/llr.md, Sizes, with the shortest
    replay timer that a configuration may have.

    Parameters
    ----------
    frame_bytes
        Length of all frames, FCS included.
    delay
        Of the link, cycles each way.
    receive_stages, gate_stages, read_stages, egress_stages, launch_stages
        Pipeline options.
    """
    word_bytes = data_width // 8
    cells = -(-frame_bytes // 64)
    in_loop = 2 * delay * word_bytes + _ACK_SPACING
    base = SwitchConfig(
        ports=2, data_width=data_width, vcs=1, buffer_cells=max(64, 16 * cells),
        max_frame_bytes=frame_bytes, replay_frames=PIPELINE_FRAMES,
        replay_cells=FRAMES_UNDER_WAY * cells, islip_iterations=1, id_entries=16, fdb_sets=4,
        loop_cycles=2 * delay, replay_timer=0, pcs_lost_timer=0, data_age_timer=0,
        replay_count=_NO_LIMIT, ctl_spacing=_ACK_SPACING, ctl_min_spacing=word_bytes,
        receive_stages=receive_stages, gate_stages=gate_stages, read_stages=read_stages,
        egress_stages=egress_stages, launch_stages=launch_stages,
    )
    more, words = base.more_frames_under_way, base.more_words_under_way
    in_buffer = (in_loop + (FRAMES_UNDER_WAY + more) * 64 * cells
                 + (PIPELINE_WORDS + words) * word_bytes)
    return replace(
        base, replay_frames=-(-in_loop // frame_bytes) + PIPELINE_FRAMES + more + words,
        replay_cells=max(-(-in_buffer // 64), -(-in_loop // frame_bytes) * cells),
        replay_timer=base.ack_cycles + 1,
    )


@dataclass(frozen=True, kw_only=True)
class GoodputJob:
    """One point of the curve.

    Attributes
    ----------
    seed
        Of the errors.
    word_errors
        Probability that a word on its way to the partner is hit.
    delay
        Of the link, cycles each way.
    cycles
        Measured cycles.
    """

    seed: int = 1
    word_errors: float = 0.0
    delay: int = 0
    cycles: int = 100_000

    def parameters(self) -> dict[str, Any]:
        """The job as plain data."""
        return asdict(self)

    def session(self, config: SwitchConfig) -> Session:
        """Stimulus, and its figures."""
        probe = GoodputProbe(config, self)
        return Session(probe, (probe,), 2 * self.cycles + 100_000, lambda _: probe.figures())

    def bound(self, config: SwitchConfig) -> float:
        """Goodput of the rules themselves, words per cycle."""
        return GoBackN(
            frame_words=config.max_frame_words,
            loop_cycles=2 * self.delay + config.receive_stages + config.launch_stages,
            window_frames=min(config.replay_frames, config.replay_words // config.max_frame_words),
            replay_timer=config.replay_timer,
        ).goodput(self.word_errors)


class GoodputProbe:
    """Stimulus of a `GoodputJob`; frames have the longest length of the configuration."""

    def __init__(self, config: SwitchConfig, job: GoodputJob) -> None:
        self._config = config
        self._job = job
        self._feeder = Feeder(config, derived_random(job.seed, "goodput"), source=CLEAN,
                              destination=LOSSY, size=config.max_frame_bytes)
        self._partner = LlrPartner(
            PartnerSettings(data_width=config.data_width, spacing=_ACK_SPACING,
                            min_spacing=config.word_bytes, seq_bits=config.seq_bits),
            self._accept,
        )
        out = LinkOptions(word_errors=job.word_errors, delay=job.delay)
        back = LinkOptions(delay=job.delay)
        self._out = LossyLink(config.data_width, out, derived_random(job.seed, "out"))
        self._back = LossyLink(config.data_width, back, derived_random(job.seed, "back"))
        both = 1 << LlrControl.LOCAL | 1 << LlrControl.REMOTE
        self._setup = deque([
            RegisterPins(port_address(LOSSY, Port.LLR_CONTROL), LLR_CONTROL_RESET | both, 1),
        ])
        self._next = self._accepted = 0
        self._settled = _SETTLE_CYCLES + 2 * _SETTLE_LOOPS * job.delay
        self._marks: list[int] = []
        self._began: int | None = None

    @property
    def finished(self) -> bool:
        """All batches are done."""
        return len(self._marks) > BATCHES

    @property
    def progress(self) -> float:
        """Share of the batches that are done."""
        return len(self._marks) / (BATCHES + 1)

    def step(self, cycle: int, tx: Sequence[TxPins]) -> Inputs:
        """Inputs of a cycle."""
        pins = tx[LOSSY]
        if pins.valid and pins.sop and pins.llr and pins.seq == self._next:
            self._next = self._next + 1 & (1 << self._config.seq_bits) - 1
            self._feeder.left += 1
        answer = self._back.step(self._partner.step(self._out.step(pins)))
        word = self._feeder.step(self._partner_ready)
        self._mark(cycle)
        access = self._setup.popleft() if self._setup else NO_ACCESS
        return Inputs((answer, word), 3, access)

    @property
    def _partner_ready(self) -> bool:
        return self._partner.receiver.state is not ReceiverState.OFF

    def _mark(self, cycle: int) -> None:
        """Notes how many frames have arrived at the ends of the batches."""
        if self._began is None:
            if self._accepted and cycle >= self._settled:
                self._began = cycle
                self._marks.append(self._accepted)
        elif cycle - self._began >= self._job.cycles * len(self._marks) // BATCHES:
            self._marks.append(self._accepted)

    def _accept(self, arrival: Arrival) -> None:
        self._accepted += 1

    def observe(self, cycle: int, inputs: Inputs, tx: Sequence[TxPins]) -> None:
        """No frame is accepted that was not sent."""
        if self._accepted > self._feeder.fed:
            raise CheckError(f"{self._accepted} frames accepted, but {self._feeder.fed} sent")

    def figures(self) -> dict[str, Any]:
        """Goodput and its bound in words per cycle, the standard error of the goodput from the
        batches, and the errors that the link made."""
        words = self._config.max_frame_words
        length = self._job.cycles / BATCHES
        shares = [(after - before) * words / length
                  for before, after in zip(self._marks, self._marks[1:], strict=False)]
        mean = sum(shares) / len(shares)
        variance = sum((share - mean) ** 2 for share in shares) / (len(shares) - 1)
        bound = self._job.bound(self._config)
        return {
            "goodput": mean,
            "standard_error": (variance / len(shares)) ** 0.5,
            "bound": bound,
            "share_of_bound": mean / bound,
            "errors": sum(self._out.counts.values()),
            "frames": self._marks[-1] - self._marks[0],
        }


def measure_on_model(config: SwitchConfig, job: GoodputJob) -> dict[str, Any]:
    """Figures of a job on the golden model alone.

    Raises
    ------
    CheckError
        If more frames are accepted than were sent, or the link comes to a halt.
    """
    probe = GoodputProbe(config, job)
    limit = job.session(config).max_cycles
    switch = Switch(config)
    cycle = 0
    while not probe.finished:
        if cycle > limit:
            raise CheckError(f"no end after {cycle} cycles")
        inputs = probe.step(cycle, switch.tx)
        probe.observe(cycle, inputs, switch.tx)
        switch.step(inputs)
        cycle += 1
    return probe.figures()
