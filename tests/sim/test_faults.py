# SPDX-License-Identifier: Apache-2.0
"""Faults planted in the RTL are found, and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gavel_model.loader import load_config
from gavel_tb.build_cache import BuildCache
from gavel_tb.errors import SimulationError
from gavel_tb.faults import FAULTS, Fault, plant
from gavel_tb.repeat import config_arguments
from gavel_tb.servers import Servers
from gavel_tb.simulate import Prepared

BY_SCOREBOARD = ("swapped bytes", "wrong frame check constant", "wrong cell linked",
                 "head not written")
"""Faults that change what arrives: the scoreboard must find them without the model."""


Awake = Callable[[Fault | None], list[str]]
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(planted: Prepared, awake: Awake, servers: Servers, seed: int) -> Run:
    """run(fault) -> result of the traffic that meets it."""

    def play(fault: Fault, *, model: bool = True) -> dict[str, Any]:
        parameters = {"seed": seed, "cycles": 3000, **dict(fault.traffic)}
        return planted.run({"kind": "traffic", "parameters": parameters, "model": model,
                            "arguments": awake(fault)}, servers=servers)

    return play


def named(name: str) -> Fault:
    return next(fault for fault in FAULTS if fault.name == name)


@pytest.mark.parametrize("served", [False, True])
def test_no_fault_is_seen_while_all_sleep(
    planted: Prepared, servers: Servers, seed: int, served: bool
) -> None:
    result = planted.run({"kind": "traffic", "parameters": {"seed": seed, "faults": 0.3}},
                         servers=servers if served else None)
    assert result["passed"], result["report"]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.argument for fault in FAULTS])
def test_fault_is_found_and_named(run: Run, planted: Prepared, seed: int, fault: Fault) -> None:
    result = run(fault)
    assert result["mismatches"] == 1
    difference, report = result["difference"], result["report"]
    assert difference["block"].rpartition(".")[2] in fault.blocks, report
    assert any(part in difference["signal"] for part in fault.signals), report
    assert difference["rtl"] != difference["model"]
    assert f"cycle {difference['cycle']}" in report
    place = f"seen at pins of port {difference['port']} (LinkTx)"
    assert (place in report.splitlines()[1]) == (difference["port"] is not None)
    switch = " ".join(config_arguments(planted.config))
    assert f"gavel compare {switch} --seed {seed}" in report
    assert report.endswith("--waves")


@pytest.mark.parametrize("name", BY_SCOREBOARD)
def test_scoreboard_needs_no_model(run: Run, name: str) -> None:
    result = run(named(name), model=False)
    assert result["check"] is not None


def test_a_fault_is_chosen_in_a_process_of_its_own_too(
    planted: Prepared, awake: Awake, seed: int
) -> None:
    result = planted.run({"kind": "traffic", "parameters": {"seed": seed},
                          "arguments": awake(named("swapped bytes"))})
    assert result["mismatches"] == 1


def test_fault_without_a_place_is_refused(sim_cache: Path) -> None:
    design = BuildCache(sim_cache).design(load_config("tiny"))
    missing = Fault("nothing", "gavel_link_tx", "no_such_signal", "{}", (), ())
    with pytest.raises(SimulationError, match="no_such_signal"):
        plant(design, [missing])
