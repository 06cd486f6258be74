# SPDX-License-Identifier: Apache-2.0
"""Faults of link-level retry and of flow control are found by lockstep, and without the model by
the scenarios."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gavel_tb.behaviour.faults import RETRY_FAULTS, ScenarioFault
from gavel_tb.behaviour.flow.faults import FLOW_FAULTS
from gavel_tb.behaviour.job import BehaviourJob
from gavel_tb.faults import Fault
from gavel_tb.servers import Servers
from gavel_tb.simulate import Prepared

FAULTS = {"retry": RETRY_FAULTS, "flow": FLOW_FAULTS}

EACH = [pytest.param(entry, id=entry.fault.argument)
        for entries in FAULTS.values() for entry in entries]

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(planted: Prepared, awake: Callable[[Fault | None], list[str]], servers: Servers,
        seed: int) -> Run:
    """run(scenario, fault that is awake or None) -> result."""

    def play(scenario: str, fault: Fault | None, *, model: bool) -> dict[str, Any]:
        job = BehaviourJob(name=scenario, seed=seed)
        return planted.run(
            {"kind": "behaviour", "parameters": job.parameters(), "model": model,
             "arguments": awake(fault)}, servers=servers)

    return play


@pytest.mark.parametrize("model", [False, True])
@pytest.mark.parametrize("kind", FAULTS)
def test_no_fault_is_seen_while_all_sleep(run: Run, kind: str, model: bool) -> None:
    result = run(FAULTS[kind][0].scenario, None, model=model)
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
@pytest.mark.parametrize("entry", EACH)
def test_fault_is_found(run: Run, entry: ScenarioFault, model: bool) -> None:
    found = found_by_lockstep if model else found_by_scenario
    found(run(entry.scenario, entry.fault, model=model), entry)
