# SPDX-License-Identifier: Apache-2.0
"""The compiled model against the plain one: pins of every cycle, probe points at block borders."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from gavel_fast.difference import first_difference
from gavel_fast.pin_block import input_block, output_block, put_inputs, put_outputs
from gavel_fast.switch import FastSwitch
from gavel_model import SwitchConfig, load_config
from gavel_model.pins import Inputs
from gavel_model.probes import probe_points
from gavel_model.register_map import Counter
from gavel_model.switch import Switch
from gavel_tb.jobs import Session
from gavel_tb.stimulus import derived_random

LARGEST_BLOCK = 200

SMALL: dict[str, Any] = {
    "buffer_cells": 64, "max_frame_bytes": 512, "replay_frames": 32, "replay_cells": 64,
    "id_entries": 64, "fdb_sets": 4, "fdb_ways": 2,
}


def small(ports: int, width: int, vcs: int, iterations: int, **options: Any) -> SwitchConfig:
    return SwitchConfig(ports=ports, data_width=width, vcs=vcs, islip_iterations=iterations,
                        **{**SMALL, **options})


CONFIGS = {
    "tiny": load_config("tiny"),
    "3x128": small(3, 128, 3, 3, ingress_stages=1, register_stages=1, launch_stages=1),
    "5x256": small(5, 256, 5, 4, egress_stages=1),
    "4x512": small(4, 512, 8, 1, receive_stages=1, ingress_stages=2, read_stages=2,
                   egress_stages=1, launch_stages=1, control_stages=1),
    "2x512": small(2, 512, 1, 2, buffer_cells=16, max_frame_bytes=100, replay_cells=16),
    "pod": load_config("pod"),
    "rack": load_config("rack"),
    "scale": load_config("scale"),
}


class Compared:
    """Both models, side by side."""

    def __init__(self, config: SwitchConfig, rng: random.Random) -> None:
        self.config = config
        self.plain = Switch(config)
        self.fast = FastSwitch(config)
        self.cycles = 0
        self._rng = rng
        self._names = [point.name for point in probe_points(config)]

    def run(self, step: Callable[[int], Inputs], cycles: int) -> None:
        """Blocks of random length; ``step`` gives the inputs of a cycle."""
        end = self.cycles + cycles
        while self.cycles < end:
            block = self._rng.choice((1, 2, self._rng.randrange(1, LARGEST_BLOCK), LARGEST_BLOCK))
            self._block(step, min(block, end - self.cycles))

    def _block(self, step: Callable[[int], Inputs], cycles: int) -> None:
        inputs = input_block(self.config, cycles)
        expected, got = output_block(self.config, cycles), output_block(self.config, cycles)
        for row in range(cycles):
            tx, rdata = self.plain.tx, self.plain.rdata
            pins = step(self.cycles + row)
            put_inputs(inputs, row, pins)
            put_outputs(expected, row, tx, rdata)
            self.plain.step(pins)
        self.fast.run(inputs, got)
        assert first_difference(expected, got) is None, f"block at cycle {self.cycles}"
        self.cycles += cycles
        assert self.fast.cycle == self.plain.cycle == self.cycles
        differ = [name for name, value, other in zip(
            self._names, self.plain.probe_values(), self.fast.probe_values(), strict=True,
        ) if value != other]
        assert not differ, f"after cycle {self.cycles}"

    def totals(self) -> np.ndarray[Any, Any]:
        """Counters of all ports together."""
        return self.fast.counters().sum(axis=0, dtype=np.int64)

    def moved(self) -> set[Counter]:
        """Counters that have moved on the plain model since its reset."""
        return {counter for port in self.plain.ports for counter in Counter
                if port.counters[counter]}


@pytest.fixture
def compared(seed: int) -> Callable[[SwitchConfig], Compared]:
    return lambda config: Compared(config, derived_random(seed, "blocks"))


@pytest.fixture
def replay(compared: Callable[[SwitchConfig], Compared]) -> Callable[..., Compared]:
    """Runs a job on the plain model and repeats it on the compiled one."""

    def run(config: SwitchConfig, job: Any, cycles: int) -> Compared:
        session: Session = job.session(config)
        both = compared(config)

        def step(cycle: int) -> Inputs:
            tx = both.plain.tx
            inputs = session.stimulus.step(cycle, tx)
            for observer in session.observers:
                observer.observe(cycle, inputs, tx)
            return inputs

        for count in _portions(cycles):
            if session.stimulus.finished:
                break
            both.run(step, count)
        return both

    return run


def _portions(cycles: int) -> Iterator[int]:
    """Parts of a run between which it may end."""
    while cycles > 0:
        yield min(cycles, LARGEST_BLOCK)
        cycles -= LARGEST_BLOCK


@pytest.fixture(params=list(CONFIGS))
def config(request: pytest.FixtureRequest) -> SwitchConfig:
    return CONFIGS[request.param]


@pytest.fixture(params=["tiny", "3x128", "4x512"])
def small_config(request: pytest.FixtureRequest) -> SwitchConfig:
    return CONFIGS[request.param]


@pytest.fixture
def shapes() -> dict[str, SwitchConfig]:
    return CONFIGS


@pytest.fixture
def make_config() -> Callable[..., SwitchConfig]:
    return small
