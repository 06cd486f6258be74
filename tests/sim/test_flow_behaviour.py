# SPDX-License-Identifier: Apache-2.0
"""Flow control, behaviour by behaviour: RTL and model in lockstep."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.switch import Switch
from gavel_tb.behaviour.flow.catalogue import FLOW_SCENARIOS
from gavel_tb.behaviour.job import BehaviourJob, play_on_model
from gavel_tb.behaviour.switches import behaviour_config
from gavel_tb.effort import SHORT
from gavel_tb.servers import Servers
from gavel_tb.simulate import Prepared, prepare

CASES = [
    pytest.param(name, width, id=f"{name}-{width}",
                 marks=[pytest.mark.long] if width != max(scenario.WIDTHS) else [])
    for name, scenario in FLOW_SCENARIOS.items() for width in scenario.WIDTHS
]
AT_HOME = [name for name, scenario in FLOW_SCENARIOS.items()
           if scenario.LINKS and scenario.CREDITS and not name.startswith("peer-counts-")]
"""Scenarios that end with all credits at home."""


@lru_cache(maxsize=8)
def switch(name: str, width: int, cache: Path) -> Prepared:
    return prepare(behaviour_config(name, width), cache=cache, effort=SHORT)


@pytest.mark.parametrize(("name", "width"), CASES)
def test_behaviour(
    sim_cache: Path, servers: Servers, seed: int, name: str, width: int
) -> None:
    job = BehaviourJob(name=name, seed=seed)
    prepared = switch(FLOW_SCENARIOS[name].SWITCH, width, sim_cache)
    result = prepared.run({"kind": "behaviour", "parameters": job.parameters()},
                          servers=servers)
    assert result["passed"], result["report"]
    if len(result["figures"]) > 1:
        # Rates and bounds, shown by pytest -rP.
        sys.stdout.write(f"{name}, W = {width}: {result['figures']}\n")


def config_of(name: str) -> SwitchConfig:
    return behaviour_config(FLOW_SCENARIOS[name].SWITCH, 512)


def assert_home(switch: Switch) -> None:
    for port in switch.ports:
        sender, receiver = port.flow_control.credit_sender, port.flow_control.credit_receiver
        assert not any(sender.used)
        assert not sender.waiting
        assert not any(receiver.stored)


@pytest.mark.parametrize("name", AT_HOME)
def test_credits_are_home_at_the_end(seed: int, name: str) -> None:
    """The model's state is that of the RTL, as the lockstep runs show."""
    _, switch = play_on_model(config_of(name), BehaviourJob(name=name, seed=seed))
    assert_home(switch)
    assert any(any(port.flow_control.credit_sender.consumed) for port in switch.ports)


def test_all_counts_are_equal_at_the_end(seed: int) -> None:
    """CBFC-02: R_CC = R_CF = S_CF = S_CC."""
    name = "CBFC-01-02-credits"
    _, switch = play_on_model(config_of(name), BehaviourJob(name=name, seed=seed))
    assert_home(switch)
    sent = switch.ports[0].flow_control.credit_sender.consumed
    assert any(sent)
    assert switch.ports[1].flow_control.credit_receiver.consumed == sent
