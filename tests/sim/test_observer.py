# SPDX-License-Identifier: Apache-2.0
"""What telemetry sees of the RTL is what it sees of the model, in every cycle of every port."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_model.loader import load_config
from gavel_model.observation import Observation
from gavel_tb.observer import run_observer

CONFIGS = {
    "P3 V2 W64": ("ports=3", "buffer_cells=64"),
    "P2 V8 W512": ("ports=2", "data_width=512", "vcs=8", "buffer_cells=30"),
    "P5 V3 W128 fifo": ("ports=5", "data_width=128", "vcs=3", "buffer_cells=40", "queueing=fifo"),
    "P4 V1 W256": ("ports=4", "data_width=256", "vcs=1", "buffer_cells=40", "islip_iterations=2"),
}
SHORT = "P3 V2 W64"


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=() if name == SHORT else pytest.mark.long) for name in CONFIGS])
def test_observations(sim_cache: Path, seed: int, name: str) -> None:
    seen = run_observer(load_config("tiny", CONFIGS[name]), seed, cycles=4000, cache=sim_cache)
    never = [member for member in Observation._fields if not seen[member]]
    assert not never
    assert seen["opened"] > 100
