# SPDX-License-Identifier: Apache-2.0
"""The switch as a library equals the plain model, and comparing in blocks finds what differs."""

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
from gavel_tb.fast_compare import FastResult, compare_blocks
from gavel_tb.faults import ARGUMENT, FAULTS, plant
from gavel_tb.jobs import finish_session, open_session
from gavel_tb.native_library import NativeSwitch
from gavel_tb.open_producer import OpenProducer, producer_for
from gavel_tb.plain_switch import PlainSwitch
from gavel_tb.read_out import with_read_out
from gavel_tb.runner import SHORT, Effort

QUICK_BUILD = Effort(SHORT.verilator, "-O0", "-O0")
"""These runs are so short that the compiler's time counts."""

TROUBLE: dict[str, Any] = {"faults": 0.3, "registers": True, "resets": 2, "profile": "mixed",
                           "backpressure": "random"}


@pytest.fixture
def tiny(sim_cache: Path) -> Callable[..., NativeSwitch]:
    """tiny(number of a planted fault, or 0) -> the switch."""
    config = load_config("tiny")
    design = plant(BuildCache(sim_cache).design(config))
    return lambda fault=0: NativeSwitch(config, cache=sim_cache, design=design, effort=QUICK_BUILD,
                                        arguments=[f"+{ARGUMENT}={fault}"])


def compared(config: SwitchConfig, rtl: NativeSwitch, kind: str, **parameters: Any) -> FastResult:
    session = with_read_out(config, open_session(config, kind, parameters))
    with rtl:
        result = compare_blocks(config, PlainProducer(config, session), rtl, seed=5,
                                repeat=lambda cycle: f"look at {cycle}")
    if result.report is None:
        finish_session(session, result, seed=None, repeat=None)
    return result


@pytest.mark.parametrize(("kind", "parameters"), [
    ("traffic", {"cycles": 3000, **TROUBLE}),
    ("llr", {"cycles": 1500, "size": "min", "bit_errors": 1e-4, "credits": True,
             "stalls": True}),
])
def test_tiny_equals_the_plain_model(tiny, seed: int, kind: str, parameters: Any) -> None:
    result = compared(load_config("tiny"), tiny(), kind, seed=seed, **parameters)
    assert result.passed, result.report
    assert result.cycles > BLOCK_CYCLES
    assert result.rtl_seconds > 0


def test_three_ports_of_128_bits_equal_the_plain_model(switch, sim_cache: Path, seed: int) -> None:
    config = switch("odd3")
    rtl = NativeSwitch(config, cache=sim_cache, effort=QUICK_BUILD)
    result = compared(config, rtl, "traffic", seed=seed, cycles=1500, **TROUBLE)
    assert result.passed, result.report


@pytest.mark.parametrize("number", range(1, len(FAULTS) + 1),
                         ids=[fault.argument for fault in FAULTS])
def test_planted_fault_is_found(tiny, seed: int, number: int) -> None:
    parameters = {"cycles": 3000, **dict(FAULTS[number - 1].traffic)}
    result = compared(load_config("tiny"), tiny(number), "traffic", seed=seed, **parameters)
    assert result.mismatches == 1
    assert result.difference is not None
    assert result.report is not None
    cycle = result.difference.cycle
    assert result.report.startswith(f"RTL and model differ in cycle {cycle}\n")
    assert result.report.endswith(f"Seed: 5\nRepeat with waves: look at {cycle}")
    assert any(line.split()[:1] == [str(cycle - 1)] for line in result.report.splitlines())


def test_reset_begins_a_new_run(tiny) -> None:
    config = load_config("tiny")
    session = open_session(config, "traffic", {"cycles": 300})
    chunk = next(PlainProducer(config, session).chunks())
    for switch in (tiny(), PlainSwitch(config)):
        with switch:
            for _ in range(2):
                outputs = output_block(config, chunk.cycles)
                switch.run(chunk.inputs, outputs)
                assert first_difference(outputs, chunk.outputs) is None
                switch.reset()
    assert chunk.outputs.tx.data.any()


def test_blocks_of_the_wrong_form_are_refused(tiny) -> None:
    config = load_config("tiny")
    outputs = output_block(config, 4)
    with tiny() as switch:
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


class Misleading:
    """The plain model with one bit wrong in one cycle."""

    def __init__(self, config: SwitchConfig, cycle: int) -> None:
        self._inner = PlainSwitch(config)
        self._left = cycle

    def run(self, inputs: Any, outputs: Any) -> None:
        self._inner.run(inputs, outputs)
        if 0 <= self._left < len(outputs.rdata):
            outputs.tx.data[self._left, 1, 0] ^= np.uint64(1 << 63)
        self._left -= len(outputs.rdata)


@pytest.mark.parametrize("cycle", [0, BLOCK_CYCLES - 1, BLOCK_CYCLES, BLOCK_CYCLES + 3])
def test_one_wrong_bit_is_named_at_the_edges_of_blocks(seed: int, cycle: int) -> None:
    config = load_config("tiny")
    session = open_session(config, "traffic", {"seed": seed, "cycles": BLOCK_CYCLES + 50})
    result = compare_blocks(config, PlainProducer(config, session), Misleading(config, cycle))
    found = result.difference
    assert found is not None
    assert (found.cycle, found.port, found.signal) == (cycle, 1, "p1_tx_data")
    assert found.rtl ^ found.model == 1 << 63
    history = [line for line in str(result.report).splitlines() if line.startswith("  ")]
    assert len(history) == 5 + min(cycle, 24) - 1


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


@pytest.mark.parametrize("parameters", [
    {"cycles": 2500, "registers": True, "resets": 2, "faults": 0.2, "backpressure": "bursts"},
    {"cycles": 3, "pattern": "incast", "size": "max"},
    {"cycles": BLOCK_CYCLES, "load": 0.1},
])
def test_driving_ahead_makes_the_same_blocks(switch, seed: int, parameters: Any) -> None:
    config = switch("odd3")
    made = []
    for ahead in (False, True):
        session = with_read_out(
            config, open_session(config, "traffic", {"seed": seed, **parameters}))
        producer = (OpenProducer(config, session, PlainSwitch(config)) if ahead
                    else PlainProducer(config, session))
        chunks = list(producer.chunks())
        assert producer.check is None
        assert not producer.timed_out
        result = FastResult(cycles=producer.cycles, counters=producer.counters())
        made.append((result.cycles, result.counters,
                     finish_session(session, result, seed=None, repeat=None),
                     [np.concatenate(arrays) for arrays in zip(*(
                         [*block_arrays(chunk.inputs), *block_arrays(chunk.outputs)]
                         for chunk in chunks), strict=True)]))
        assert result.report is None
    plain, driven = made
    assert plain[:3] == driven[:3]
    assert plain[2]["frames"] > 0
    assert all(np.array_equal(*pair) for pair in zip(plain[3], driven[3], strict=True))


def test_driving_ahead_ends_at_a_check_and_at_the_limit(switch) -> None:
    config = switch("odd3")
    ends = []
    for kind in (PlainProducer, lambda *a, **b: OpenProducer(*a, PlainSwitch(config), **b)):
        session = open_session(config, "traffic", {"cycles": 500})
        cut = kind(config, session, max_cycles=300)
        assert sum(chunk.cycles for chunk in cut.chunks()) == 300
        assert cut.timed_out
        session = open_session(config, "traffic", {"cycles": 500})
        session.observers[0].known.routes.clear()
        failed = kind(config, session)
        assert sum(chunk.cycles for chunk in failed.chunks()) == failed.cycles
        assert failed.check is not None
        ends.append((failed.cycles, str(failed.check)))
    assert ends[0] == ends[1]


def test_only_a_stimulus_that_needs_no_answer_gets_the_compiled_model(switch) -> None:
    config = switch("odd3")
    for kind, wanted in (("traffic", OpenProducer), ("llr", PlainProducer)):
        session = with_read_out(config, open_session(config, kind, {"size": "min"}))
        assert type(producer_for(config, session)) is wanted
