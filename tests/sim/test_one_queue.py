# SPDX-License-Identifier: Apache-2.0
"""RTL and model in lockstep with one queue per input, where frames wait for those before them."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.long

TRAFFIC: dict[str, dict[str, Any]] = {
    "shortest": {"load": 1.0, "size": "min"},
    "longest": {"size": "max", "load": 1.0},
    "incast": {"pattern": "incast", "load": 0.5},
    "stalls": {"pattern": "bursty", "backpressure": "bursts", "size": "min", "load": 0.8},
    "faults": {"faults": 0.4, "gaps": 0.05, "profile": "mixed"},
    "resets": {"resets": 4, "faults": 0.1, "registers": True, "backpressure": "bursts"},
    "everything": {"resets": 1, "faults": 0.2, "registers": True, "backpressure": "bursts",
                   "gaps": 0.1, "profile": "mixed", "pattern": "bursty"},
}
CYCLES = {"tiny_fifo": 3000, "odd3_fifo": 3000, "rack4_fifo": 1500}
ERRORS: dict[str, Any] = {"word_errors": 5e-4, "word_drops": 2e-4, "set_drops": 0.01}


@pytest.mark.parametrize("kind", TRAFFIC)
@pytest.mark.parametrize("name", CYCLES)
def test_traffic(simulate: Any, seed: int, name: str, kind: str) -> None:
    result = simulate(name, "traffic", seed=seed, cycles=CYCLES[name], **TRAFFIC[kind])
    assert result["passed"], result["report"]
    assert result["figures"]["frames"] > 0


@pytest.mark.parametrize("name", CYCLES)
def test_latency_is_k(simulate: Any, switch: Any, seed: int, name: str) -> None:
    result = simulate(name, "latency", seed=seed)
    assert result["passed"], result["report"]
    assert list(result["figures"]["latencies"]) == [str(switch(name).latency_cycles)]


@pytest.mark.parametrize("options", [
    {"size": "min"}, {"size": "min", "slow_ports": "0", "slow_rate": 0.1},
    {"total_credits": True, "weights": "2,1"}, {"credits": False, "pfc": True, "stalls": True},
], ids=["fast", "slow", "mixed sizes", "pfc"])
@pytest.mark.parametrize("name", CYCLES)
def test_partners_with_errors_lose_nothing(
    simulate: Any, switch: Any, seed: int, name: str, options: dict[str, Any]
) -> None:
    if "weights" in options:
        options = {**options, "weights": ",".join("2121"[:switch(name).vcs])}
    result = simulate(name, "llr", **{"seed": seed, "credits": True, "delay": 5, "cycles": 2500,
                                      **ERRORS, **options})
    assert result["passed"], result["report"]
    figures = result["figures"]
    assert figures["frames"] > 50
    assert figures["partner_replays"] + figures["switch_replays"] > 0
