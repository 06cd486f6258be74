# SPDX-License-Identifier: Apache-2.0
"""Faults of link-level retry and of flow control are found by lockstep, and without the model by
the scenarios."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from gavel_tb.behaviour.faults import RETRY_FAULTS, ScenarioFault
from gavel_tb.behaviour.flow.faults import FLOW_FAULTS
from gavel_tb.behaviour.job import BehaviourJob
from gavel_tb.behaviour.switches import behaviour_config
from gavel_tb.build_cache import BuildCache
from gavel_tb.effort import SHORT
from gavel_tb.faults import ARGUMENT, plant
from gavel_tb.servers import Servers
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


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(sim_cache: Path, servers: Servers, seed: int) -> Run:
    """The scenario of a fault with the fault awake; with number 0 the first one, and none."""

    def play(switch: str, number: int, *, model: bool) -> dict[str, Any]:
        job = BehaviourJob(name=FAULTS[switch][max(number, 1) - 1].scenario, seed=seed)
        return planted(switch, sim_cache).run(
            {"kind": "behaviour", "parameters": job.parameters(), "model": model,
             "arguments": [f"+{ARGUMENT}={number}"]}, servers=servers)

    return play


@pytest.mark.parametrize("model", [False, True])
@pytest.mark.parametrize("switch", FAULTS)
def test_no_fault_is_seen_while_all_sleep(run: Run, switch: str, model: bool) -> None:
    result = run(switch, 0, model=model)
    assert result["passed"], result["report"]


def found_by_lockstep(result: dict[str, Any], entry: ScenarioFault) -> None:
    assert result["mismatches"] == 1
    difference, report = result["difference"], result["report"]
    assert difference["block"].rpartition(".")[2] in entry.fault.blocks, report
    assert any(part in difference["signal"] for part in entry.fault.signals), report


def found_by_scenario(result: dict[str, Any], entry: ScenarioFault) -> None:
    assert result["check"] is not None
    assert entry.check in result["check"]


@pytest.mark.parametrize("model", [True, False], ids=["lockstep", "scenario"])
@pytest.mark.parametrize(("switch", "number"), EACH)
def test_fault_is_found(run: Run, switch: str, number: int, model: bool) -> None:
    found = found_by_lockstep if model else found_by_scenario
    found(run(switch, number, model=model), FAULTS[switch][number - 1])
