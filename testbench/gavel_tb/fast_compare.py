# SPDX-License-Identifier: Apache-2.0
"""RTL and model compared in blocks: the model runs ahead in one thread, the RTL follows in another.

The RTL runs outside of Python, so the two threads keep two cores busy; one will do.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from gavel_fast.pin_block import OutputBlock, output_block
from gavel_model.config import SwitchConfig
from gavel_tb.block_compare import cycles_before, first_difference, row_differences
from gavel_tb.block_producer import Chunk, Producer
from gavel_tb.block_switch import BlockSwitch
from gavel_tb.difference import report
from gavel_tb.lockstep import HISTORY, LockstepResult, Progress, check_text, timeout_text

Repeat = Callable[[int], str | None]
"""The command that repeats a run up to a cycle."""

_AHEAD = 2
"""Blocks that wait for the RTL at most."""


@dataclass
class FastResult(LockstepResult):
    """What a run found.

    Attributes
    ----------
    rtl_seconds
        Processor time of the RTL's thread: what the RTL alone would take.
    model_seconds
        Processor time of the other thread: stimulus, model and checks. What takes longer of the
        two is the time of the run where both have a core of their own.
    """

    rtl_seconds: float = 0.0
    model_seconds: float = 0.0

    @property
    def wall_over_rtl(self) -> float:
        """Time of the run as a multiple of the RTL's."""
        return self.seconds / self.rtl_seconds if self.rtl_seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        speed = self.cycles / self.rtl_seconds if self.rtl_seconds else 0.0
        return {**super().as_dict(), "rtl_seconds": self.rtl_seconds,
                "model_seconds": self.model_seconds, "rtl_cycles_per_second": speed,
                "wall_over_rtl": self.wall_over_rtl}


@dataclass(frozen=True)
class _Found:
    """A block that the RTL has run: the first row that differs, if any."""

    row: int | None
    outputs: OutputBlock
    seconds: float


def compare_blocks(
    config: SwitchConfig, producer: Producer, switch: BlockSwitch, *, seed: int | None = None,
    repeat: Repeat = lambda _: None, progress: Progress | None = None,
) -> FastResult:
    """Compares every pin in every cycle until the stimulus ends, something differs, a check fails,
    or the limit comes. A difference in the cycles before a check failed counts more.

    Parameters
    ----------
    switch
        In its first cycle.
    seed, repeat
        Printed with a difference or a check that failed: the seed, and the command for its cycle.
    """
    result = FastResult()
    pending: deque[tuple[Chunk, Future[_Found]]] = deque()
    past: deque[Chunk] = deque(maxlen=2)

    def follow(chunk: Chunk) -> _Found:
        began = time.thread_time()
        outputs = output_block(config, chunk.cycles)
        switch.run(chunk.inputs, outputs)
        seconds = time.thread_time() - began
        return _Found(first_difference(outputs, chunk.outputs), outputs, seconds)

    def settle() -> bool:
        """Takes the oldest block's finding; whether it differs."""
        chunk, future = pending.popleft()
        found = future.result()
        past.append(chunk)
        result.rtl_seconds += found.seconds
        if found.row is None:
            return False
        cycle = chunk.first + found.row
        differences = row_differences(config, cycle, found.row, found.outputs, chunk.outputs)
        result.mismatches = 1
        result.difference = differences[0]
        result.cycles = cycle
        result.report = report(
            differences, cycles_before(past, cycle, HISTORY), seed=seed,
            repeat=repeat(cycle))
        return True

    began, own = time.perf_counter(), time.thread_time()
    pool = ThreadPoolExecutor(1)
    try:
        for chunk in producer.chunks():
            pending.append((chunk, pool.submit(follow, chunk)))
            if len(pending) > _AHEAD and settle():
                break
            if progress is not None:
                progress(producer.cycles, producer.progress)
        while pending and not result.mismatches:
            settle()
    finally:
        pool.shutdown(cancel_futures=True)
    result.seconds = time.perf_counter() - began
    result.model_seconds = time.thread_time() - own
    if result.mismatches:
        return result
    result.cycles = producer.cycles
    result.counters = producer.counters()
    if producer.check is not None:
        cycle = producer.cycles - 1
        result.check = result.report = check_text(producer.check, cycle, seed, repeat(cycle))
    elif producer.timed_out:
        result.timed_out = True
        result.report = timeout_text(producer.cycles)
    return result
