# SPDX-License-Identifier: Apache-2.0
"""Faults of link-level retry and of flow control are found by lockstep, and without the model by
the scenarios."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from gavel_tb.behaviour.faults import RETRY_FAULTS
from gavel_tb.behaviour.flow.faults import FLOW_FAULTS
from gavel_tb.behaviour.job import BehaviourJob
from gavel_tb.behaviour.switches import behaviour_config
from gavel_tb.build_cache import BuildCache
from gavel_tb.faults import ARGUMENT, plant
from gavel_tb.runner import SHORT
from gavel_tb.simulate import Prepared, prepare

WIDTH = 64
FAULTS = {"long": RETRY_FAULTS, "flow": FLOW_FAULTS}
"""By the switch that their scenarios run on."""

EACH = [pytest.param(switch, number, id=entry.fault.argument)
        for switch, entries in FAULTS.items() for number, entry in enumerate(entries, start=1)]


@lru_cache(maxsize=len(FAULTS))
def planted(switch: str, cache: Path) -> Prepared:
    config = behaviour_config(switch, WIDTH)
    design = plant(BuildCache(cache).design(config), [entry.fault for entry in FAULTS[switch]])
    return prepare(config, cache=cache, effort=SHORT, design=design)


def run(cache: Path, seed: int, switch: str, number: int, *, model: bool) -> dict[str, Any]:
    """The scenario of a fault with the fault awake; with number 0 the first one, and none."""
    job = BehaviourJob(name=FAULTS[switch][max(number, 1) - 1].scenario, seed=seed)
    return planted(switch, cache).run({
        "kind": "behaviour", "parameters": job.parameters(), "model": model,
        "arguments": [f"+{ARGUMENT}={number}"]})


@pytest.mark.parametrize("model", [False, True])
@pytest.mark.parametrize("switch", FAULTS)
def test_no_fault_is_seen_while_all_sleep(
    sim_cache: Path, seed: int, switch: str, model: bool
) -> None:
    result = run(sim_cache, seed, switch, 0, model=model)
    assert result["passed"], result["report"]


@pytest.mark.parametrize(("switch", "number"), EACH)
def test_lockstep_finds_and_names(sim_cache: Path, seed: int, switch: str, number: int) -> None:
    fault = FAULTS[switch][number - 1].fault
    result = run(sim_cache, seed, switch, number, model=True)
    assert result["mismatches"] == 1
    difference, report = result["difference"], result["report"]
    assert difference["block"].rpartition(".")[2] in fault.blocks, report
    assert any(part in difference["signal"] for part in fault.signals), report


@pytest.mark.parametrize(("switch", "number"), EACH)
def test_scenario_needs_no_model(sim_cache: Path, seed: int, switch: str, number: int) -> None:
    result = run(sim_cache, seed, switch, number, model=False)
    assert result["check"] is not None
    assert FAULTS[switch][number - 1].check in result["check"]
