# SPDX-License-Identifier: Apache-2.0
"""The switch as a library equals the model, and comparing in blocks finds what differs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gavel_fast.pin_block import input_block, output_block
from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_tb.block_compare import first_difference
from gavel_tb.block_producer import BLOCK_CYCLES, PlainProducer
from gavel_tb.block_switch import block_arrays
from gavel_tb.build_cache import BuildCache
from gavel_tb.effort import QUICK
from gavel_tb.fast_compare import FastResult, compare_blocks
from gavel_tb.faults import ARGUMENT, FAULTS, plant
from gavel_tb.jobs import finish_session, open_session
from gavel_tb.native_library import NativeSwitch
from gavel_tb.open_producer import producer_for
from gavel_tb.plain_switch import PlainSwitch
from gavel_tb.read_out import with_read_out

TROUBLE: dict[str, Any] = {"faults": 0.3, "registers": True, "resets": 2, "profile": "mixed",
                           "backpressure": "random"}

MakeSwitch = Callable[..., NativeSwitch]


@pytest.fixture
def config(switch: Callable[[str], SwitchConfig]) -> SwitchConfig:
    """One build for all: a word fills several of the library's, and the ports are no power of two.
    It is the short run's only one of this switch."""
    return switch("odd3")


@pytest.fixture
def make_rtl(config: SwitchConfig, sim_cache: Path) -> MakeSwitch:
    """make_rtl(number of a planted fault, or 0) -> the switch."""
    design = plant(BuildCache(sim_cache).design(config))
    return lambda fault=0: NativeSwitch(config, cache=sim_cache, design=design, effort=QUICK,
                                        arguments=[f"+{ARGUMENT}={fault}"])


def compared(config: SwitchConfig, rtl: NativeSwitch, kind: str,
             **parameters: Any) -> tuple[FastResult, dict[str, Any]]:
    """What a run found, and the figures of its job."""
    session = with_read_out(config, open_session(config, kind, parameters))
    with rtl:
        result = compare_blocks(config, producer_for(config, session), rtl, seed=5,
                                repeat=lambda cycle: f"look at {cycle}")
    figures: dict[str, Any] = {}
    if result.report is None:
        figures = finish_session(session, result, seed=None, repeat=None)
    return result, figures


@pytest.mark.parametrize(("kind", "parameters"), [
    ("traffic", {"cycles": 3000, **TROUBLE}),
    ("llr", {"cycles": 1500, "size": "min", "bit_errors": 1e-4, "credits": True,
             "stalls": True}),
])
def test_rtl_equals_the_model(config: SwitchConfig, make_rtl: MakeSwitch, seed: int, kind: str,
                              parameters: Any) -> None:
    result, _ = compared(config, make_rtl(), kind, seed=seed, **parameters)
    assert result.passed, result.report
    assert result.cycles > BLOCK_CYCLES
    assert result.rtl_seconds > 0


def test_latency_is_k_for_every_pair_and_length(config: SwitchConfig, make_rtl: MakeSwitch,
                                                seed: int) -> None:
    result, figures = compared(config, make_rtl(), "latency", seed=seed)
    assert result.passed, result.report
    assert list(figures["latencies"]) == [str(config.latency_cycles)]
    assert figures["pairs"] == config.ports**2 * config.vcs
    assert len(figures["lengths"]) > 4


@pytest.mark.long
@pytest.mark.parametrize("name", ["tiny", "odd3", "odd5"])
def test_other_switches_equal_the_model(switch, sim_cache: Path, seed: int, name: str) -> None:
    config = switch(name)
    rtl = NativeSwitch(config, cache=sim_cache, effort=QUICK)
    result, _ = compared(config, rtl, "traffic", seed=seed, cycles=1500, **TROUBLE)
    assert result.passed, result.report


@pytest.mark.parametrize("number", range(1, len(FAULTS) + 1),
                         ids=[fault.argument for fault in FAULTS])
def test_planted_fault_is_found(config: SwitchConfig, make_rtl: MakeSwitch, seed: int,
                                number: int) -> None:
    parameters = {"cycles": 3000, **dict(FAULTS[number - 1].traffic)}
    result, _ = compared(config, make_rtl(number), "traffic", seed=seed, **parameters)
    assert result.mismatches == 1
    assert result.difference is not None
    assert result.report is not None
    cycle = result.difference.cycle
    assert result.report.startswith(f"RTL and model differ in cycle {cycle}\n")
    assert result.report.endswith(f"Seed: 5\nRepeat with waves: look at {cycle}")
    assert any(line.split()[:1] == [str(cycle - 1)] for line in result.report.splitlines())


def test_reset_begins_a_new_run(config: SwitchConfig, make_rtl: MakeSwitch) -> None:
    session = open_session(config, "traffic", {"cycles": 300})
    chunk = next(PlainProducer(config, session).chunks())
    for switch in (make_rtl(), PlainSwitch(config)):
        with switch:
            for _ in range(2):
                outputs = output_block(config, chunk.cycles)
                switch.run(chunk.inputs, outputs)
                assert first_difference(outputs, chunk.outputs) is None
                switch.reset()
    assert chunk.outputs.tx.data.any()


def test_blocks_of_the_wrong_form_are_refused(config: SwitchConfig, make_rtl: MakeSwitch) -> None:
    outputs = output_block(config, 4)
    with make_rtl() as switch:
        for inputs in (
            input_block(config, 5)._replace(reset=np.zeros(4, np.uint8)),
            input_block(config, 4)._replace(ready=np.zeros(4, np.uint32)),
            input_block(config, 4)._replace(ready=np.zeros(8, np.uint64)[::2]),
            input_block(load_config("pod"), 4),
        ):
            with pytest.raises(ValueError, match="must be contiguous"):
                switch.run(inputs, outputs)
    with pytest.raises(ValueError, match="closed"):
        switch.run(input_block(config, 4), outputs)


def test_the_first_of_several_differences_counts(switch) -> None:
    config = switch("odd3")
    model, rtl = output_block(config, 10), output_block(config, 10)
    assert first_difference(rtl, model) is None
    for array, row in zip(block_arrays(rtl), (7, 9, 4, 3, 8), strict=True):
        array[row, ...] = 1
        assert first_difference(rtl, model) is not None
    assert first_difference(rtl, model) == 3


def test_a_check_that_fails_and_a_limit_end_the_run() -> None:
    config = load_config("tiny")
    session = open_session(config, "traffic", {"cycles": 500})
    cut = compare_blocks(config, PlainProducer(config, session, max_cycles=100),
                         PlainSwitch(config))
    assert cut.timed_out
    assert cut.cycles == 100
    session = open_session(config, "traffic", {"cycles": 500})
    session.observers[0].known.routes.clear()
    failed = compare_blocks(config, PlainProducer(config, session), PlainSwitch(config),
                            repeat=lambda cycle: f"look at {cycle}")
    assert failed.check is not None
    assert failed.check.startswith(f"End-to-end check failed in cycle {failed.cycles - 1}: ")
    assert failed.check.endswith(f"look at {failed.cycles - 1}")
