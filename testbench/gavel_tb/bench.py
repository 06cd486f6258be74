# SPDX-License-Identifier: Apache-2.0
"""Cycles per second of the ways to run a switch, all with the same recorded stimulus."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.pins import Inputs, TxPins
from gavel_tb.build_cache import DEFAULT_CACHE, BuildCache
from gavel_tb.errors import SimulationError
from gavel_tb.jobs import NO_LIMIT, Session
from gavel_tb.source import SIZES
from gavel_tb.traffic import Traffic, TrafficJob

RECORDED_CYCLES = 2000
LOAD = 0.8
FRAME_BYTES = 256


@dataclass(frozen=True, kw_only=True)
class BenchJob:
    """Uniform traffic, recorded once and repeated.

    Attributes
    ----------
    seed
        Of the traffic.
    cycles
        Cycles to run.
    """

    seed: int = 1
    cycles: int = 20_000

    def parameters(self) -> dict[str, Any]:
        """The job as plain data."""
        return asdict(self)

    def traffic(self, config: SwitchConfig, cycles: int) -> TrafficJob:
        """The traffic."""
        size: str | int = FRAME_BYTES if config.max_frame_bytes >= FRAME_BYTES else SIZES[0]
        return TrafficJob(seed=self.seed, cycles=cycles, load=LOAD, size=size)

    def record(self, config: SwitchConfig) -> list[Inputs]:
        """Inputs of `RECORDED_CYCLES` cycles."""
        traffic = Traffic(config, self.traffic(config, RECORDED_CYCLES))
        silent = [TxPins()] * config.ports
        return [traffic.step(cycle, silent) for cycle in range(RECORDED_CYCLES)]

    def session(self, config: SwitchConfig) -> Session:
        """The recording as a stimulus."""
        return Session(Recording(self.record(config), self.cycles), (), NO_LIMIT, lambda _: {})


class Recording:
    """Stimulus that repeats a list of inputs for a number of cycles."""

    def __init__(self, inputs: Sequence[Inputs], cycles: int) -> None:
        self._inputs = inputs
        self._count = len(inputs)
        self._cycles = cycles
        self._cycle = 0

    @property
    def finished(self) -> bool:
        """All cycles are done."""
        return self._cycle >= self._cycles

    def step(self, cycle: int, tx: Sequence[TxPins]) -> Inputs:
        """Inputs of a cycle."""
        self._cycle = cycle + 1
        return self._inputs[cycle % self._count]


def model_speed(config: SwitchConfig, job: BenchJob) -> float:
    """Cycles per second of the golden model alone."""
    from gavel_model.switch import Switch

    inputs = job.record(config)
    step = Switch(config).step
    began = time.perf_counter()
    for cycle in range(job.cycles):
        step(inputs[cycle % RECORDED_CYCLES])
    return job.cycles / (time.perf_counter() - began)


def fast_speed(config: SwitchConfig, job: BenchJob) -> float:
    """Cycles per second of the compiled model alone, from inputs that stand in memory; compiling
    or loading it is not counted."""
    from gavel_fast.pin_block import output_block
    from gavel_fast.switch import FastSwitch
    from gavel_tb.block_recorder import InputRecorder

    recorder = InputRecorder(config)
    for inputs in job.record(config):
        recorder.add(inputs)
    block, outputs = recorder.take(), output_block(config, RECORDED_CYCLES)
    switch = FastSwitch(config)
    switch.run(block, outputs)
    rounds = max(1, job.cycles // RECORDED_CYCLES)
    began = time.perf_counter()
    for _ in range(rounds):
        switch.run(block, outputs)
    return rounds * RECORDED_CYCLES / (time.perf_counter() - began)


def compare_speed(config: SwitchConfig, job: BenchJob, cache: Path = DEFAULT_CACHE) -> float:
    """Cycles per second of ``gavel compare --fast``: traffic as in the recording, but drawn and
    checked end to end while it runs.

    Raises
    ------
    SimulationError
        If the build fails, or RTL and model differ.
    """
    from gavel_tb.effort import LONG
    from gavel_tb.fast_compare import compare_blocks
    from gavel_tb.native_library import NativeSwitch
    from gavel_tb.open_producer import producer_for

    session = job.traffic(config, job.cycles).session(config)
    with NativeSwitch(config, cache=cache, effort=LONG) as rtl:
        result = compare_blocks(config, producer_for(config, session), rtl)
    if result.report is not None:
        raise SimulationError(result.report)
    return result.cycles / result.seconds


def bench(
    config: SwitchConfig, *, cycles: int = 20_000, native_cycles: int = 200_000,
    cache: Path = DEFAULT_CACHE,
) -> dict[str, float]:
    """Measures one switch.

    Returns
    -------
    Cycles per second: ``native`` (C++ main), ``cocotb`` (without the model), ``lockstep``,
    ``model`` and ``fast`` (golden model alone, plain and compiled), ``compare`` (RTL and compiled
    model compared in blocks). Seconds: ``verilog_seconds`` to generate the Verilog and
    ``build_seconds`` to build the simulation, each as measured when the cache got it.

    Raises
    ------
    SimulationError
        If a tool is missing, or a build or run fails.
    """
    from gavel_tb.effort import LONG
    from gavel_tb.harness import harness_verilog
    from gavel_tb.native import native_speed
    from gavel_tb.runner import build
    from gavel_tb.simulate import prepare

    store = BuildCache(cache)
    prepared = prepare(config, cache=cache, effort=LONG)
    harness = harness_verilog(config, prepared.design.probe_paths)
    binary = build(store, prepared.design, harness, effort=LONG)
    job = BenchJob(cycles=cycles)
    task = {"kind": "bench", "parameters": job.parameters()}
    return {
        "native": native_speed(config, job, native_cycles, cache=cache),
        "cocotb": float(prepared.run({**task, "model": False})["cycles_per_second"]),
        "lockstep": float(prepared.run(task)["cycles_per_second"]),
        "model": model_speed(config, job),
        "fast": fast_speed(config, replace(job, cycles=native_cycles)),
        "compare": compare_speed(config, replace(job, cycles=native_cycles), cache),
        "verilog_seconds": store.seconds(store.design_folder(config)),
        "build_seconds": store.seconds(binary.folder),
    }
