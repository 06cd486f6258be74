# SPDX-License-Identifier: Apache-2.0
"""The test plan: a TOML file that says what is verified, at which stage, and by which runs.

docs/regress.md describes the format. Everything is checked before anything runs.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from gavel_model.config import ConfigError, SwitchConfig
from gavel_model.loader import PRESETS, load_config
from gavel_tb.coverage.bins import chosen
from gavel_tb.regress.errors import PlanError
from gavel_tb.regress.tests_of import Run, runs_of

STAGES = ("V1", "V2", "V3")
"""Stages of verification, each with all before it: V1, the main paths; V2, every feature; V3,
corners, sizes and long runs. Ours, after those of OpenTitan."""

_ITEM_KEYS = {"name", "text", "spec", "stage", "cover", "test"}
_PLAN_KEYS = {"switches", "item"}


@dataclass(frozen=True)
class Item:
    """What is verified.

    Attributes
    ----------
    name, text, spec
        Name, sentence, and the chapter that says it.
    stage
        One of `STAGES`.
    cover
        Names of the coverage bins that its runs must hit.
    runs
        Its runs, each to be made once for every seed.
    """

    name: str
    text: str
    spec: str
    stage: str
    cover: tuple[str, ...]
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Plan:
    """A test plan."""

    items: tuple[Item, ...]

    def select(self, names: Sequence[str], stage: str | None) -> Plan:
        """The items with some names, or all; of them those up to a stage.

        Raises
        ------
        PlanError
            For an unknown name, or if nothing is left.
        """
        known = [item.name for item in self.items]
        for name in names:
            if name not in known:
                raise PlanError(f"item {name!r}: must be one of {', '.join(known)}")
        last = len(STAGES) if stage is None else STAGES.index(stage)
        items = tuple(item for item in self.items
                      if (not names or item.name in names) and STAGES.index(item.stage) <= last)
        if not items:
            raise PlanError(f"no item of the plan is of stage {stage}")
        return Plan(items)


    def with_runs(self, labels: Sequence[str]) -> Plan:
        """The items that have runs with some labels, with those only.

        Raises
        ------
        PlanError
            For a label that no run has.
        """
        known = {run.label for item in self.items for run in item.runs}
        for label in labels:
            if label not in known:
                raise PlanError(f"no run has the label {label!r}: --list shows items, the page "
                                "and junit.xml labels")
        items = (replace(item, runs=tuple(run for run in item.runs if run.label in labels))
                 for item in self.items)
        return Plan(tuple(item for item in items if item.runs))


def load_plan(path: Path | None = None) -> Plan:
    """Reads a plan; None: the one that comes with the test kit.

    Raises
    ------
    PlanError
        If it is missing, no TOML, or says something that cannot be run.
    """
    name = "the plan" if path is None else str(path)
    try:
        text = (resources.files("gavel_tb.regress").joinpath("testplan.toml").read_text("utf-8")
                if path is None else path.read_text("utf-8"))
    except OSError as error:
        raise PlanError(f"{name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise PlanError(f"{name}: no UTF-8 text") from None
    try:
        given = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError(f"{name}: no TOML ({error})") from None
    try:
        return _plan(given)
    except PlanError as error:
        raise PlanError(f"{name}: {error}") from None


def _plan(given: Mapping[str, Any]) -> Plan:
    check_keys("plan", given, _PLAN_KEYS)
    switches = {name: _switch(name, fields) for name, fields in given.get("switches", {}).items()}
    items = [_item(entry, switches) for entry in given.get("item", [])]
    if not items:
        raise PlanError("no [[item]]")
    names = [item.name for item in items]
    for name in names:
        if names.count(name) > 1:
            raise PlanError(f"item {name!r} stands there twice")
    return Plan(tuple(items))


def _switch(name: str, fields: Any) -> SwitchConfig:
    if not isinstance(fields, dict) or fields.get("base") not in PRESETS:
        raise PlanError(f"switch {name!r}: base must be one of {', '.join(PRESETS)}")
    overrides = [f"{key}={value}" for key, value in fields.items() if key != "base"]
    try:
        return load_config(fields["base"], overrides)
    except ConfigError as error:
        raise PlanError(f"switch {name!r}: {error}") from None


def _item(entry: Mapping[str, Any], switches: Mapping[str, SwitchConfig]) -> Item:
    name = entry.get("name")
    if not isinstance(name, str) or not name or "/" in name:
        raise PlanError(f"item {name!r}: name must be a text without /")
    try:
        check_keys("item", entry, _ITEM_KEYS)
        for key in ("text", "spec"):
            if not isinstance(entry.get(key), str) or not entry[key]:
                raise PlanError(f"{key} must be a text")
        if entry.get("stage") not in STAGES:
            raise PlanError(f"stage = {entry.get('stage')!r}: must be one of {', '.join(STAGES)}")
        tests = entry.get("test", [])
        if not tests:
            raise PlanError("no [[item.test]]")
        runs = tuple(run for test in tests for run in runs_of(name, test, switches))
        labels = [run.label for run in runs]
        for label in labels:
            if labels.count(label) > 1:
                raise PlanError(f"run {label!r} stands there twice: give its test a label")
        return Item(name, entry["text"], entry["spec"], entry["stage"],
                    tuple(chosen(entry.get("cover", []))), runs)
    except (ValueError, TypeError) as error:
        raise PlanError(f"item {name!r}: {error}") from None


def check_keys(where: str, entry: Mapping[str, Any], known: set[str]) -> None:
    """Refuses keys that mean nothing.

    Raises
    ------
    PlanError
        Names the key.
    """
    for key in entry:
        if key not in known:
            raise PlanError(f"{where}: no key {key!r}: must be one of {', '.join(sorted(known))}")
