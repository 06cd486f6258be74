# SPDX-License-Identifier: Apache-2.0
"""Engines are interchangeable, and a difference between two is named."""

from __future__ import annotations

import numpy as np
import pytest

from gavel_fast.pin_block import input_block, output_block
from gavel_model.loader import load_config
from gavel_tb.plain_switch import PlainSwitch
from gavel_tb.stimulus import CheckError
from gavel_tb.sweep.engines import Compared, open_engine
from gavel_tb.sweep.open_loop import OpenLoop, OpenLoopJob, measure_open_loop
from gavel_tb.theory.slotted import output_queue_wait

JOB = OpenLoopJob(load=0.7, size="imix", cycles=1000)


def test_the_plain_model_by_blocks_is_the_model_by_cycles():
    config = load_config("fpga", ["ports=3"])
    run = OpenLoop(config, JOB, PlainSwitch(config))
    run._block()
    inputs, whole = run._inputs, run._outputs
    # Registers, stalls, a reset in the middle, link down.
    inputs.register[:40] = [n | 1 << 49 for n in range(40)]
    inputs.ready[200:260] = 5
    inputs.reset[400] = 1
    inputs.rx.flags[600:610, 1] = 0
    by_block, by_cycle = PlainSwitch(config), PlainSwitch(config)
    by_block.run(inputs, whole)
    one = output_block(config, 1)
    for cycle in range(len(inputs.reset)):
        part = type(inputs)(type(inputs.rx)(*(a[cycle : cycle + 1] for a in inputs.rx)),
                            *(a[cycle : cycle + 1] for a in inputs[1:]))
        by_cycle.run(part, one)
        for expected, got in zip((*whole.tx, whole.rdata), (*one.tx, one.rdata), strict=True):
            assert np.array_equal(expected[cycle], got[0]), cycle
    assert by_block.probe_values() == by_cycle.probe_values()
    assert (by_block.counters() == by_cycle.counters()).all()
    assert by_block.cycle == 1024 and whole.rdata.any()


def test_the_compiled_model_gives_the_same_figures():
    config = load_config("tiny")
    assert measure_open_loop(config, JOB, "fast") == measure_open_loop(config, JOB, "model")


def test_one_fifo_per_input_has_the_throughput_of_theory():
    config = load_config("rack", ["ports=2", "vcs=1", "queueing=fifo", "islip_iterations=1"])
    job = OpenLoopJob(load=1.0, cycles=2000)
    assert measure_open_loop(config, job)["accepted"] == pytest.approx(0.75, abs=0.03)


def test_the_switch_is_the_slotted_switch_and_a_constant_latency():
    config = load_config("rack", ["vcs=1", "islip_iterations=4"])
    alone = measure_open_loop(config, OpenLoopJob(load=0.9, pattern="permutation", cycles=2000))
    assert (alone["wait_mean"], alone["delay_max"]) == (0.0, config.latency_cycles)
    assert alone["fairness"] == pytest.approx(1.0, abs=1e-4)
    busy = measure_open_loop(config, OpenLoopJob(load=0.3, cycles=8000))
    bound = output_queue_wait(16, 0.3)
    assert bound < busy["wait_mean"] < 1.5 * bound
    assert busy["steady"] and not busy["saturated"]


def test_a_difference_is_named():
    config = load_config("tiny")

    class Wrong(PlainSwitch):
        def run(self, inputs, outputs):
            first = self.cycle
            super().run(inputs, outputs)
            if first:
                outputs.tx.data[7, 1, 0] ^= np.uint64(256)

    switch = Compared(config, PlainSwitch(config), Wrong(config))
    inputs, outputs = input_block(config, 20), output_block(config, 20)
    switch.run(inputs, outputs)
    with pytest.raises(CheckError, match="cycle 27, port 1: data is 0x100, expected 0x0"):
        switch.run(inputs, outputs)


def test_an_unknown_engine_is_refused():
    with (pytest.raises(ValueError, match="engine = 'x': must be one of fast, model, rtl, both"),
          open_engine("x", load_config("tiny"))):
        pass


def test_saturated_is_who_delivers_less_than_it_is_offered():
    config = load_config("tiny", ["ports=4"])
    for load, pattern, saturated in ((0.2, "uniform", False), (0.24, "incast", False),
                                     (0.3, "incast", True), (1.0, "permutation", False)):
        job = OpenLoopJob(load=load, pattern=pattern, cycles=4000, seed=2)
        figures = measure_open_loop(config, job)
        assert figures["saturated"] == saturated, (load, pattern, figures)
