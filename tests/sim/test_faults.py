# SPDX-License-Identifier: Apache-2.0
"""Faults planted in the RTL are found, and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gavel_model.loader import load_config
from gavel_tb.build_cache import BuildCache
from gavel_tb.effort import SHORT
from gavel_tb.errors import SimulationError
from gavel_tb.faults import ARGUMENT, FAULTS, Fault, plant
from gavel_tb.servers import Servers
from gavel_tb.simulate import Prepared, prepare

BY_SCOREBOARD = ("swapped bytes", "wrong frame check constant", "wrong cell linked",
                 "head not written")
"""Faults that change what arrives: the scoreboard must find them without the model."""


@pytest.fixture
def planted(sim_cache: Path) -> Prepared:
    config = load_config("tiny")
    design = plant(BuildCache(sim_cache).design(config))
    return prepare(config, cache=sim_cache, effort=SHORT, design=design)


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(planted: Prepared, servers: Servers, seed: int) -> Run:
    """run(number of a fault) -> result of the traffic that meets it."""

    def play(number: int, *, model: bool = True) -> dict[str, Any]:
        parameters = {"seed": seed, "cycles": 3000, **dict(FAULTS[number - 1].traffic)}
        return planted.run({"kind": "traffic", "parameters": parameters, "model": model,
                            "arguments": [f"+{ARGUMENT}={number}"]}, servers=servers)

    return play


@pytest.mark.parametrize("served", [False, True])
def test_no_fault_is_seen_while_all_sleep(
    planted: Prepared, servers: Servers, seed: int, served: bool
) -> None:
    result = planted.run({"kind": "traffic", "parameters": {"seed": seed, "faults": 0.3}},
                         servers=servers if served else None)
    assert result["passed"], result["report"]


@pytest.mark.parametrize("number", range(1, len(FAULTS) + 1),
                         ids=[fault.argument for fault in FAULTS])
def test_fault_is_found_and_named(run: Run, seed: int, number: int) -> None:
    fault = FAULTS[number - 1]
    result = run(number)
    assert result["mismatches"] == 1
    difference, report = result["difference"], result["report"]
    assert difference["block"].rpartition(".")[2] in fault.blocks, report
    assert any(part in difference["signal"] for part in fault.signals), report
    assert difference["rtl"] != difference["model"]
    assert f"cycle {difference['cycle']}" in report
    place = f"seen at pins of port {difference['port']} (LinkTx)"
    assert (place in report.splitlines()[1]) == (difference["port"] is not None)
    assert f"gavel compare --config tiny --seed {seed}" in report
    assert report.endswith("--waves")


@pytest.mark.parametrize("name", BY_SCOREBOARD)
def test_scoreboard_needs_no_model(run: Run, name: str) -> None:
    number = next(n for n, fault in enumerate(FAULTS, start=1) if fault.name == name)
    result = run(number, model=False)
    assert result["check"] is not None


def test_a_fault_is_chosen_in_a_process_of_its_own_too(planted: Prepared, seed: int) -> None:
    number = next(n for n, fault in enumerate(FAULTS, start=1) if fault.name == "swapped bytes")
    result = planted.run({"kind": "traffic", "parameters": {"seed": seed},
                          "arguments": [f"+{ARGUMENT}={number}"]})
    assert result["mismatches"] == 1


def test_fault_without_a_place_is_refused(sim_cache: Path) -> None:
    design = BuildCache(sim_cache).design(load_config("tiny"))
    missing = Fault("nothing", "gavel_link_tx", "no_such_signal", "{}", (), ())
    with pytest.raises(SimulationError, match="no_such_signal"):
        plant(design, [missing])
