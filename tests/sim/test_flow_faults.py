# SPDX-License-Identifier: Apache-2.0
"""Faults of flow control are found by lockstep, and without the model by the scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gavel_tb.behaviour.flow.catalogue import FLOW_SCENARIOS
from gavel_tb.behaviour.flow.faults import FLOW_FAULTS
from gavel_tb.behaviour.job import BehaviourJob
from gavel_tb.behaviour.switches import behaviour_config
from gavel_tb.build_cache import BuildCache
from gavel_tb.faults import ARGUMENT, plant
from gavel_tb.runner import SHORT
from gavel_tb.simulate import Prepared, prepare

pytestmark = pytest.mark.long

WIDTH = 64
NAMES = [entry.fault.argument for entry in FLOW_FAULTS]


@pytest.fixture(scope="module")
def planted(sim_cache: Path) -> Prepared:
    config = behaviour_config("flow", WIDTH)
    design = plant(BuildCache(sim_cache).design(config), [entry.fault for entry in FLOW_FAULTS])
    return prepare(config, cache=sim_cache, effort=SHORT, design=design)


def run(planted: Prepared, seed: int, number: int, *, model: bool) -> dict[str, Any]:
    scenario = FLOW_FAULTS[max(number, 1) - 1].scenario
    assert FLOW_SCENARIOS[scenario].SWITCH == "flow"
    assert WIDTH in FLOW_SCENARIOS[scenario].WIDTHS
    job = BehaviourJob(name=scenario, seed=seed)
    return planted.run({"kind": "behaviour", "parameters": job.parameters(), "model": model,
                        "arguments": [f"+{ARGUMENT}={number}"]})


@pytest.mark.parametrize("model", [False, True])
def test_no_fault_is_seen_while_all_sleep(planted: Prepared, seed: int, model: bool) -> None:
    result = run(planted, seed, 0, model=model)
    assert result["passed"], result["report"]


@pytest.mark.parametrize("number", range(1, len(NAMES) + 1), ids=NAMES)
def test_lockstep_finds_and_names(planted: Prepared, seed: int, number: int) -> None:
    fault = FLOW_FAULTS[number - 1].fault
    result = run(planted, seed, number, model=True)
    assert result["mismatches"] == 1
    difference, report = result["difference"], result["report"]
    assert difference["block"].rpartition(".")[2] in fault.blocks, report
    assert any(part in difference["signal"] for part in fault.signals), report


@pytest.mark.parametrize("number", range(1, len(NAMES) + 1), ids=NAMES)
def test_scenario_needs_no_model(planted: Prepared, seed: int, number: int) -> None:
    result = run(planted, seed, number, model=False)
    assert result["check"] is not None
    assert FLOW_FAULTS[number - 1].check in result["check"]
