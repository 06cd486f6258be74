# SPDX-License-Identifier: Apache-2.0
"""RTL and model in lockstep, and the scoreboard, over all kinds of traffic."""

from __future__ import annotations

from typing import Any

import pytest

TRAFFIC: dict[str, dict[str, Any]] = {
    "uniform": {"load": 0.9},
    "permutation": {"pattern": "permutation", "load": 1.0, "size": "min"},
    "incast": {"pattern": "incast", "load": 0.5},
    "bursty": {"pattern": "bursty", "load": 0.5},
    "longest": {"size": "max", "load": 1.0},
    "gaps": {"gaps": 0.3, "load": 0.6, "profile": "mixed"},
    "backpressure": {"backpressure": "random", "load": 0.6},
    "stalls": {"pattern": "bursty", "backpressure": "bursts", "size": "min", "load": 0.8},
    "alternate": {"pattern": "permutation", "backpressure": "alternate", "load": 1.0},
    "faults": {"faults": 0.4, "gaps": 0.05, "profile": "mixed"},
    "registers": {"registers": True, "load": 0.9},
    "esun": {"profile": "esun", "registers": True, "faults": 0.1, "pattern": "incast"},
    "resets": {"resets": 4, "faults": 0.1, "registers": True, "backpressure": "bursts"},
    "everything": {"resets": 1, "faults": 0.2, "registers": True, "backpressure": "bursts",
                   "gaps": 0.1, "profile": "mixed", "pattern": "bursty"},
}
CYCLES = {"tiny": 4000, "pod": 2000, "rack4": 1500, "odd3": 3000, "odd5": 2000}
OF_LARGE = ("incast", "longest", "stalls", "esun", "everything")
IN_SHORT = {"tiny": tuple(TRAFFIC), "pod": ("everything",), "rack4": OF_LARGE, "odd3": (),
            "odd5": OF_LARGE}
"""What each does in the short run. `everything` has the other kinds in it, and test_performance.py
has all but `odd3` at line rate. `pod` is in lockstep in tests/workload/test_lockstep.py, too;
`odd3` is built for the long run, and the short one compares its pins in test_compare_fast.py."""


@pytest.mark.parametrize(("name", "kind"), [
    pytest.param(name, kind, id=f"{name}-{kind}",
                 marks=[] if kind in IN_SHORT[name] else [pytest.mark.long])
    for name in CYCLES for kind in TRAFFIC])
def test_traffic(simulate: Any, seed: int, name: str, kind: str) -> None:
    result = simulate(name, "traffic", seed=seed, cycles=CYCLES[name], **TRAFFIC[kind])
    assert result["passed"], result["report"]
    assert result["figures"]["frames"] > 0


@pytest.mark.parametrize("kind", ["faults", "stalls"])
def test_another_seed_is_another_run(simulate: Any, seed: int, kind: str) -> None:
    first, again, other = (
        simulate("tiny", "traffic", seed=value, cycles=1000, **TRAFFIC[kind])
        for value in (seed, seed, seed + 1)
    )
    assert first["figures"] == again["figures"]
    assert first["figures"] != other["figures"]
