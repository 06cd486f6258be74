# SPDX-License-Identifier: Apache-2.0
"""One point without link partners: frames come as they come, and what finds no room is dropped.

A run has four parts. *Warm-up*: frames are sent and nothing is measured. *Measurement*: words on
the pins count, and frames that arrive in it are measured whenever they leave. *After*: further
frames are sent, so that the last measured ones leave under the same load. *Drain*: nothing is sent
until the switch is empty; then its counters must explain every frame that is missing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from statistics import mean, variance
from typing import Any

import numpy as np

from gavel_fast.pin_block import InputBlock, OutputBlock, input_block, output_block
from gavel_model.config import SwitchConfig
from gavel_model.register_map import Counter, Port, port_address
from gavel_tb.stimulus import CheckError
from gavel_tb.sweep.engines import Engine, open_engine
from gavel_tb.sweep.histogram import quantile
from gavel_tb.sweep.kernels import kernels
from gavel_tb.sweep.options import TrafficMix
from gavel_tb.sweep.rules import source_rules
from gavel_tb.sweep.sink import BATCHES, SinkState, raise_fault, sink_state
from gavel_tb.sweep.source import SourceState, Span, source_state
from gavel_tb.theory.student import student_t

BLOCK_CYCLES = 1024
"""Cycles that are driven at once. A switch with whole frames in it shows a word long before so many
cycles have gone by, so a block without words ends a drain."""

SHARE_BEFORE = 0.25
SHARE_AFTER = 0.25
"""Warm-up, and cycles after the measurement, as shares of the measured cycles."""

BACKLOG_SHARE = 0.01
"""A switch is saturated if it delivers so much less than it is offered, as a share of the offer,
and what is missing is more than a longest frame and K words a port: so much may be under way."""

STEADY_CONFIDENCE = 0.99

_READ = 1 << 49


@dataclass(frozen=True, kw_only=True)
class OpenLoopJob(TrafficMix):
    """A point: the traffic, and how long it is measured.

    Attributes
    ----------
    seed
        Everything that is drawn follows from it.
    cycles
        Measured cycles, at least `BATCHES`.
    warmup
        Cycles before; -1: `SHARE_BEFORE` of ``cycles``.
    """

    seed: int = 1
    cycles: int = 10_000
    warmup: int = -1

    def check(self, config: SwitchConfig) -> None:
        """Refuses what cannot be run.

        Raises
        ------
        ValueError
            Names the option, its value, and what it may be.
        """
        super().check(config)
        if self.cycles < BATCHES:
            raise ValueError(f"cycles = {self.cycles}: must be at least {BATCHES}")
        if self.warmup < -1:
            raise ValueError(f"warmup = {self.warmup}: must be at least 0, or -1 for a quarter of "
                             "cycles")

    @property
    def span(self) -> Span:
        """Measured cycles, and the end of what is sent."""
        begin = round(SHARE_BEFORE * self.cycles) if self.warmup == -1 else self.warmup
        end = begin + self.cycles
        return Span(begin, end, end + round(SHARE_AFTER * self.cycles))

    def parameters(self) -> dict[str, Any]:
        """The job as plain data."""
        return asdict(self)


JOB_FIELDS = tuple(item.name for item in fields(OpenLoopJob))


class OpenLoop:
    """A run of a job on one engine.

    Raises
    ------
    ValueError
        As `OpenLoopJob.check`.
    """

    def __init__(self, config: SwitchConfig, job: OpenLoopJob, engine: Engine) -> None:
        job.check(config)
        self.config = config
        self.job = job
        self.source: SourceState = source_state(config, job.seed)
        self.sink: SinkState = sink_state(config, self.source.fill_key)
        self.cycle = 0
        self._rules = source_rules(config, job, job.seed)
        self._engine = engine
        self._kernels = kernels()
        self._inputs: InputBlock = input_block(config, BLOCK_CYCLES)
        self._outputs: OutputBlock = output_block(config, BLOCK_CYCLES)

    def run(self) -> dict[str, Any]:
        """Figures of the whole run.

        Raises
        ------
        CheckError
            If a frame is wrong, or missing without a reason.
        """
        sending = True
        while self._block() or sending:
            sending = self.cycle < self.job.span.stop or bool(self.source.words.any())
        dropped = self._dropped()
        for port, (sent, arrived) in enumerate(
                zip(self.source.sent, self.sink.arrived, strict=True)):
            if sent - arrived != dropped[port]:
                raise CheckError(f"input {port}: {sent - arrived} of {sent} frames are missing, "
                                 f"and {dropped[port]} have found no room")
        return self._figures(sum(dropped))

    def _block(self) -> int:
        """A block of cycles; how many words came out."""
        span = self.job.span
        self._kernels.fill(self._inputs.rx, self.source, self._rules, self.cycle, span)
        self._engine.run(self._inputs, self._outputs)
        words = self._kernels.absorb(self._outputs.tx, self.sink, self.config.latency_cycles,
                                     self.cycle, span)
        raise_fault(self.sink)
        self.cycle += BLOCK_CYCLES
        return words

    def _dropped(self) -> list[int]:
        """Frames of each input that have found no room, as the switch's registers say."""
        counters = (Counter.RX_NO_BUFFER, Counter.RX_VC_LIMIT)
        places = [(port, port_address(port, Port.COUNTERS + counter))
                  for port in range(self.config.ports) for counter in counters]
        cycles = len(places) + self.config.answer_cycles
        inputs, outputs = input_block(self.config, cycles), output_block(self.config, cycles)
        for row, (_, address) in enumerate(places):
            inputs.register[row] = address | _READ
        self._engine.run(inputs, outputs)
        self.cycle += cycles
        dropped = [0] * self.config.ports
        for row, (port, _) in enumerate(places):
            dropped[port] += int(outputs.rdata[row + self.config.answer_cycles])
        return dropped

    def _backlog(self) -> bool:
        """Whether what was offered in the measurement did not come out in it."""
        config, offered = self.config, int(self.source.offered_words.sum())
        longest = max(largest for _, _, largest in self.job.lengths(config))
        under_way = -(-longest // config.word_bytes) + config.latency_cycles
        missing = offered - int(self.sink.words.sum())
        return missing > max(BACKLOG_SHARE * offered, config.ports * under_way)

    def _figures(self, dropped: int) -> dict[str, Any]:
        job, source, sink = self.job, self.source, self.sink
        capacity = self.config.ports * job.cycles
        offered = float(source.offered_words.sum() / capacity)
        accepted = float(sink.words.sum() / capacity)
        frames = int(sink.batch_frames.sum())
        waits = [float(total / count) for total, count in
                 zip(sink.batch_wait, sink.batch_frames, strict=True) if count]
        return {
            "offered": offered,
            "accepted": accepted,
            "accepted_of_output": [float(words / job.cycles) for words in sink.words],
            "fairness": jain(sink.frames[source.offered > 0] / source.offered[source.offered > 0]),
            "frames": frames,
            "delay_mean": _per(sink.batch_delay.sum(), frames),
            "delay_last_mean": _per(sink.last_delay[0], frames),
            "delay_p50": quantile(sink.delays, 0.5),
            "delay_p99": quantile(sink.delays, 0.99),
            "delay_max": int(sink.longest[0]) if frames else None,
            "wait_mean": _per(sink.batch_wait.sum(), frames),
            "dropped": dropped,
            "saturated": dropped > 0 or self._backlog(),
            "steady": steady(waits),
            "warmup_cycles": job.span.begin,
            "measured_cycles": job.cycles,
            "run_cycles": self.cycle,
        }


def measure_open_loop(
    config: SwitchConfig, job: OpenLoopJob, engine: str = "fast"
) -> dict[str, Any]:
    """Figures of a job.

    ``offered``, ``accepted``: words per cycle and port on the receive and transmit pins, 0...1, and
    ``accepted_of_output``; ``fairness``: `jain` of what each flow (input, output) got of what it
    offered; ``delay_...``: cycles from a frame's arrival at its source to its first word on the
    transmit pins (``last``: to its last one); ``wait_mean``: the part of it that is neither the
    frame's own words nor the K cycles of the switch; ``dropped``: frames of the whole run that
    found no room; ``saturated``: there were some, or part of the offer did not come out
    (`BACKLOG_SHARE`): then delays only say how large the buffers are; ``steady``: `steady` of the
    waits.

    Raises
    ------
    ValueError
        As `OpenLoopJob.check`, and for an unknown engine.
    CheckError
        If a frame is wrong, or missing without a reason.
    """
    job.check(config)
    with open_engine(engine, config) as switch:
        return OpenLoop(config, job, switch).run()


def jain(shares: np.typing.NDArray[np.float64]) -> float | None:
    """Fairness of n shares, 1/n...1: (sum x)^2 / (n sum x^2) (Jain, Chiu and Hawe, DEC-TR-301,
    1984)."""
    squares = float((shares * shares).sum())
    return float(shares.sum()) ** 2 / (shares.size * squares) if squares else None


def steady(batches: list[float]) -> bool:
    """Whether the means of the two halves of a series differ by no more than their errors let
    expect (a t test at `STEADY_CONFIDENCE`, as if batches were independent)."""
    half = len(batches) // 2
    if half < 2:
        return False
    early, late = batches[:half], batches[-half:]
    error = ((variance(early) + variance(late)) / half) ** 0.5
    return bool(abs(mean(late) - mean(early)) <= student_t(STEADY_CONFIDENCE, 2 * half - 2) * error)


def _per(total: Any, count: int) -> float | None:
    return float(total / count) if count else None
