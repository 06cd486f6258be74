# SPDX-License-Identifier: Apache-2.0
"""Switches that the simulations run on, each built once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_tb.behaviour.faults import RETRY_FAULTS
from gavel_tb.behaviour.flow.faults import FLOW_FAULTS
from gavel_tb.behaviour.switches import behaviour_config
from gavel_tb.build_cache import BuildCache
from gavel_tb.effort import QUICK, SHORT
from gavel_tb.faults import ARGUMENT, FAULTS, Fault, plant
from gavel_tb.servers import Servers
from gavel_tb.simulate import Prepared, prepare

PLANTED = (*FAULTS, *(entry.fault for entry in (*RETRY_FAULTS, *FLOW_FAULTS)))
"""Faults of traffic, link-level retry and flow control, all in one switch."""

SWITCHES: dict[str, SwitchConfig] = {
    "tiny": load_config("tiny"),
    "pod": load_config("pod"),
    "rack4": behaviour_config("flow", 512),
    "odd5": load_config("tiny", (
        "ports=5", "data_width=256", "vcs=3", "buffer_cells=40", "max_frame_bytes=1000",
        "replay_cells=85", "islip_iterations=4", "bypass_limit=3", "ecn_threshold=6",
        "profile=afh12_16", "receive_stages=1", "ingress_stages=2", "read_stages=2",
        "egress_stages=1", "launch_stages=1", "control_stages=1")),
    "odd3": load_config("tiny", (
        "ports=3", "data_width=128", "vcs=1", "buffer_cells=24", "profile=esun",
        "max_frame_bytes=300", "ingress_stages=1", "match_stages=1", "gate_stages=2")),
}
"""`rack4` has the width of `rack`, and is the switch of the scenarios of flow control: the largest
build of all is made once. `odd3` is a library in the short run, and built with its probe points
for the long one."""
SWITCHES |= {f"{name}_fifo": replace(SWITCHES[name], queueing="fifo")
             for name in ("tiny", "odd3", "rack4")}

Simulate = Callable[..., dict[str, Any]]


@lru_cache(maxsize=1)
def _planted(cache: Path) -> Prepared:
    # Scenarios of link-level retry leave its other two ports alone.
    config = behaviour_config("flow", 64)
    design = plant(BuildCache(cache).design(config), PLANTED)
    return prepare(config, cache=cache, effort=SHORT, design=design)


@pytest.fixture
def switch() -> Callable[[str], SwitchConfig]:
    """switch(name) -> its configuration."""
    return SWITCHES.__getitem__


@pytest.fixture
def simulate(sim_cache: Path, servers: Servers) -> Simulate:
    """simulate(name of a switch, kind of job, parameters...) -> result."""

    def run(name: str, kind: str, *, model: bool = True, **parameters: Any) -> dict[str, Any]:
        prepared = prepare(SWITCHES[name], cache=sim_cache, effort=SHORT)
        return prepared.run({"kind": kind, "parameters": parameters, "model": model},
                            servers=servers)

    return run


@pytest.fixture
def planted(sim_cache: Path) -> Prepared:
    """A switch with the faults of `PLANTED` in it, all asleep."""
    return _planted(sim_cache)


@pytest.fixture
def awake() -> Callable[[Fault | None], list[str]]:
    """awake(fault) -> arguments of the simulation that wake this one in `planted`; None: none."""
    return lambda fault: [f"+{ARGUMENT}={0 if fault is None else PLANTED.index(fault) + 1}"]


@pytest.fixture
def waved(sim_cache: Path) -> Prepared:
    """A switch that can write waves, and the one of the scenarios that need few sequence numbers:
    one build for both. The code that writes waves is the larger part of it, and runs for few
    cycles."""
    return prepare(behaviour_config("wrap", 64), cache=sim_cache, effort=QUICK, waves=True)
