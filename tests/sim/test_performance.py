# SPDX-License-Identifier: Apache-2.0
"""Latency, line rate and fairness, measured at the pins of the RTL."""

from __future__ import annotations

from typing import Any

import pytest

NAMES = ("tiny", "rack4", "odd5", pytest.param("odd3", marks=pytest.mark.long))
"""`odd3` is built for the long run: the short one measures its latency in test_compare_fast.py."""

SETTLE = 60
"""Cycles until a stream that began has filled the pipeline and the first frames are through."""


# With `pod`, frames of traces take as long: tests/workload/test_lockstep.py.
@pytest.mark.parametrize("name", [*NAMES, pytest.param("pod", marks=pytest.mark.long)])
def test_latency_is_k_for_every_pair_vc_and_length(
    simulate: Any, switch: Any, seed: int, name: str
) -> None:
    config = switch(name)
    result = simulate(name, "latency", seed=seed)
    assert result["passed"], result["report"]
    figures = result["figures"]
    assert list(figures["latencies"]) == [str(config.latency_cycles)]
    assert figures["pairs"] == config.ports**2 * config.vcs
    assert len(figures["lengths"]) > 4


@pytest.mark.parametrize("name", [*NAMES, "pod"])
@pytest.mark.parametrize("size", ["min", "mixed"])
def test_permutation_runs_at_line_rate(
    simulate: Any, switch: Any, seed: int, name: str, size: str
) -> None:
    cycles = 2000
    result = simulate(name, "traffic", seed=seed, cycles=cycles, pattern="permutation", load=1.0,
                      size=size)
    assert result["passed"], result["report"]
    figures = result["figures"]
    longest = switch(name).max_frame_words if size == "mixed" else 0
    wanted = cycles - SETTLE - 2 * longest
    for words in figures["words_in_active_cycles"]:
        assert words >= min(wanted, 0.99 * wanted)
    assert figures["no_buffer"] == 0


def test_uniform_single_cell_traffic_at_full_load_delivers(
    simulate: Any, switch: Any, seed: int
) -> None:
    """At load 1.0 the queues only grow, ever more slowly: what counts is the rate once they have,
    in the second half of the run. It needs buffers that hold them, which `tiny` does not have; and
    where a cell has eight words, as in `pod`, the same takes eight times the cycles.
    """
    config = switch("rack4")
    cycles = 24_000
    result = simulate("rack4", "traffic", seed=seed, cycles=cycles, load=1.0, size="min")
    assert result["passed"], result["report"]
    figures = result["figures"]
    assert figures["no_buffer"] == 0
    assert figures["frames"] == config.ports * cycles
    assert sum(figures["words_in_second_half"]) >= 0.99 * config.ports * (cycles // 2)


@pytest.mark.parametrize("name", [
    # With its credits the flows of `rack4` share an output in test_flow_load.py.
    "tiny", pytest.param("rack4", marks=pytest.mark.long)])
def test_flows_to_one_output_share_it(
    simulate: Any, switch: Any, seed: int, name: str
) -> None:
    config = switch(name)
    result = simulate(name, "traffic", seed=seed, cycles=3000, pattern="converge", load=1.0,
                      size="min")
    assert result["passed"], result["report"]
    arrived = result["figures"]["frames_from"]
    fair = sum(arrived) / config.ports
    for frames in arrived:
        assert abs(frames - fair) <= max(0.02 * fair, 2)
