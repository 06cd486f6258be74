# SPDX-License-Identifier: Apache-2.0
"""The runs that a test of the plan stands for."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from inspect import signature
from itertools import product
from types import ModuleType
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_tb.behaviour.flow.catalogue import FLOW_SCENARIOS
from gavel_tb.behaviour.flow.scenario import FlowScenario
from gavel_tb.behaviour.job import SCENARIOS
from gavel_tb.behaviour.scenario import Scenario
from gavel_tb.behaviour.switches import behaviour_config
from gavel_tb.faults import FAULTS
from gavel_tb.jobs import open_session
from gavel_tb.regress.errors import PlanError
from gavel_tb.soak import MIXES

KINDS = ("traffic", "latency", "llr", "behaviour", "block")
"""Kinds of tests: jobs of `gavel_tb.jobs`, and the benches of single blocks."""

_BENCHES = "gavel_tb."
_WIDEST = 512
_KEYS = {
    "traffic": {"each", "parameters", "switches"},
    "latency": {"each", "parameters", "switches"},
    "llr": {"each", "parameters", "switches", "mix"},
    "behaviour": {"scenarios", "widths"},
    "block": {"blocks", "each", "parameters", "switches"},
}


@dataclass(frozen=True)
class Run:
    """One run of the plan, but for its seed.

    Attributes
    ----------
    item, label
        The item, and a name that no other run of it has.
    switch, config
        Name and configuration of the switch.
    kind, parameters
        The job; for kind ``block``, parameter ``block``, and those of its ``check``.
    fault
        Number of the fault of `gavel_tb.faults` that is planted in the RTL, 0: none.
    """

    item: str
    label: str
    switch: str
    config: SwitchConfig
    kind: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    fault: int = 0

    def job_parameters(self, seed: int) -> dict[str, Any]:
        """Parameters with a seed."""
        return {**self.parameters, "seed": seed}


def runs_of(
    item: str, test: Mapping[str, Any], switches: Mapping[str, SwitchConfig]
) -> Iterator[Run]:
    """The runs of a test.

    Raises
    ------
    PlanError, ValueError, TypeError
        If it cannot be run.
    """
    kind = test.get("kind")
    if kind not in KINDS:
        raise PlanError(f"kind = {kind!r}: must be one of {', '.join(KINDS)}")
    for key in test:
        if key not in _KEYS[kind] | {"kind", "fault", "label"}:
            raise PlanError(f"a test of kind {kind} has no key {key!r}")
    fault = _fault(test.get("fault"))
    name = test.get("label", kind)
    if kind == "behaviour":
        yield from _scenarios(item, test, fault)
        return
    if not test.get("switches"):
        raise PlanError(f"a test of kind {kind} needs switches")
    for switch in test["switches"]:
        if switch not in switches:
            raise PlanError(f"switch {switch!r}: must be one of {', '.join(switches)}")
        config = switches[switch]
        parameters = dict(test.get("parameters", {}))
        if kind == "block":
            for block in test.get("blocks", []):
                check = signature(bench_of(block).check)
                for values in _combinations(test.get("each", {})):
                    check.bind(config, 1, **parameters, **values)
                    yield Run(item, " ".join([block, *map(str, values.values()), switch]), switch,
                              config, kind, {"block": block, **parameters, **values})
            continue
        if "mix" in test:
            if test["mix"] not in MIXES:
                raise PlanError(f"mix = {test['mix']!r}: must be one of {', '.join(MIXES)}")
            parameters = {**MIXES[test["mix"]], **parameters}
            name = test.get("label", test["mix"])
        for values in _combinations(test.get("each", {})):
            # The bare kind tells nothing that the values do not.
            words = [*([] if values and name == kind else [name]), *map(str, values.values())]
            run = Run(item, " ".join([*words, switch]), switch, config, kind,
                      {**parameters, **values}, fault)
            # Refuses what it cannot run.
            open_session(config, kind, run.job_parameters(1))
            yield run


def _combinations(each: object) -> Iterator[dict[str, Any]]:
    """Every combination of the values of some parameters; of none there is one."""
    if not isinstance(each, dict) or not all(
            isinstance(values, list) and values for values in each.values()):
        raise PlanError("each must be a table of lists that are not empty")
    for values in product(*each.values()):
        yield dict(zip(each, values, strict=True))


def bench_of(block: str) -> ModuleType:
    """The bench of a block: a module with ``check(config, seed)``.

    Raises
    ------
    PlanError
        If there is none.
    """
    module = None
    if block.isidentifier():
        with contextlib.suppress(ImportError):
            module = importlib.import_module(f"{_BENCHES}{block}")
    if module is None or not hasattr(module, "check"):
        raise PlanError(f"block {block!r} has no bench")
    return module


def _fault(name: object) -> int:
    if name is None:
        return 0
    names = [fault.name for fault in FAULTS]
    if name not in names:
        raise PlanError(f"fault = {name!r}: must be one of {', '.join(names)}")
    return names.index(str(name)) + 1


def _scenarios(item: str, test: Mapping[str, Any], fault: int) -> Iterator[Run]:
    scenarios: dict[str, type[Scenario] | type[FlowScenario]] = {**SCENARIOS, **FLOW_SCENARIOS}
    for pattern in test.get("scenarios", []) or [""]:
        found = [(name, scenario) for name, scenario in scenarios.items()
                 if fnmatchcase(name, pattern)]
        if not found:
            raise PlanError(f"scenario {pattern!r}: no scenario has this name")
        for name, scenario in found:
            for width in test.get("widths", [_WIDEST]):
                if width not in getattr(scenario, "WIDTHS", (64, _WIDEST)):
                    continue
                config = behaviour_config(scenario.SWITCH, width)
                yield Run(item, f"{name} {width}", f"{scenario.SWITCH}-{width}", config,
                          "behaviour", {"name": name}, fault)
