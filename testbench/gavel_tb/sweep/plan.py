# SPDX-License-Identifier: Apache-2.0
"""A sweep as a plan: the values of each axis, and the units that all their combinations make."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from gavel_model.config import ConfigError, SwitchConfig, shortened
from gavel_model.loader import load_config
from gavel_tb.farm.unit import Unit
from gavel_tb.llr_traffic import LlrTrafficJob
from gavel_tb.sweep.engines import ENGINES
from gavel_tb.sweep.open_loop import OpenLoopJob
from gavel_tb.sweep.points import LINKED_POINT, OPEN_POINT
from gavel_tb.traffic_options import check_choice

MOST_UNITS = 100_000

OPEN_AXES = ("load", "pattern", "arrivals", "burst", "hot", "size")
LINK_AXES = ("load", "pattern", "size", "word_errors", "bit_errors", "delay", "credits")
LINKS = ("word_errors", "bit_errors", "delay", "credits")
"""Axes that make a point one with link partners."""

AXES = tuple(dict.fromkeys((*OPEN_AXES, *LINK_AXES)))
_SETTINGS = ("config", "fields", "seeds", "seed", "cycles", "warmup", "engine")

Value = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class SweepPlan:
    """What is measured.

    Attributes
    ----------
    config
        A preset or a TOML file.
    fields
        Values of fields of the configuration, as text.
    axes
        Values of options of the traffic, by the names in `AXES`.
    seeds, seed
        How many seeds each point has, and the first.
    cycles, warmup
        As in `OpenLoopJob`.
    engine
        One of `ENGINES`; with links it is the golden model in plain Python.
    """

    config: str = "pod"
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    axes: Mapping[str, Sequence[Value]] = field(default_factory=dict)
    seeds: int = 1
    seed: int = 1
    cycles: int = 10_000
    warmup: int = -1
    engine: str = "fast"

    @property
    def linked(self) -> bool:
        """Points have link partners."""
        return any(name in self.axes for name in LINKS)

    @property
    def varied(self) -> tuple[str, ...]:
        """Names of the axes with more than one value."""
        return tuple(name for name, values in (*self.fields.items(), *self.axes.items())
                     if len(values) > 1)

    def configs(self) -> list[SwitchConfig]:
        """All switches.

        Raises
        ------
        ConfigError
            If one cannot be built.
        """
        return [load_config(self.config, [f"{name}={value}" for name, value in chosen])
                for chosen in _choices(self.fields)]

    def units(self) -> list[Unit]:
        """The units of all points, the seeds of a point next to each other.

        Raises
        ------
        ValueError
            If a point cannot be measured; `ConfigError` if its switch cannot be built.
        """
        check_choice("engine", self.engine, ENGINES)
        if self.seeds < 1:
            raise ValueError(f"seeds = {self.seeds}: must be at least 1")
        known = LINK_AXES if self.linked else OPEN_AXES
        for name in self.axes:
            if name not in known:
                raise ValueError(f"{name}: not together with {', '.join(LINKS)}")
        if self.linked and self.engine not in ("fast", "model"):
            raise ValueError(f"engine = {self.engine!r}: must be 'model' with link partners "
                             f"({', '.join(name for name in LINKS if name in self.axes)})")
        count = self.seeds
        for values in (*self.fields.values(), *self.axes.values()):
            count *= len(values)
        if count > MOST_UNITS:
            raise ValueError(f"{count} points and seeds: must be at most {MOST_UNITS}")
        units = []
        for config in self.configs():
            for chosen in _choices(self.axes):
                for seed in range(self.seed, self.seed + self.seeds):
                    units.append(self._unit(config, dict(chosen), seed))
        return units

    def _unit(self, config: SwitchConfig, options: dict[str, Any], seed: int) -> Unit:
        """A unit whose job is checked."""
        try:
            if self.linked:
                linked = LlrTrafficJob(seed=seed, cycles=2 * self.cycles, rules=False, **options)
                linked.check(config)
                return Unit(LINKED_POINT, {"config": asdict(config),
                                           "job": linked.parameters()})
            job = OpenLoopJob(seed=seed, cycles=self.cycles, warmup=self.warmup, **options)
            job.check(config)
        except TypeError as error:
            # A value of another type than the option's, from a file.
            raise ValueError(f"{options}: {error}") from None
        return Unit(OPEN_POINT, {"config": asdict(config), "engine": self.engine,
                                 "job": job.parameters()})


def _choices(axes: Mapping[str, Sequence[Any]]) -> Iterable[list[tuple[str, Any]]]:
    for values in product(*axes.values()):
        yield list(zip(axes, values, strict=True))


def values_of(name: str, text: str) -> list[Value]:
    """The values that ``v1,v2,...`` names for an axis; a part ``first:last:step`` stands for
    numbers in equal steps, both ends included.

    Raises
    ------
    ValueError
        Names the axis and the part.
    """
    values: list[Value] = []
    for part in (part.strip() for part in text.split(",")):
        values += _steps(name, part) if part.count(":") == 2 else [_value(name, part)]
    return values


def _steps(name: str, part: str) -> list[Value]:
    wrong = ValueError(f"{name} = {part!r}: must be first:last:step, numbers, step above 0")
    try:
        first, last, step = (float(number) for number in part.split(":"))
    except ValueError:
        raise wrong from None
    if not step > 0 or not first <= last or (last - first) / step > MOST_UNITS:
        raise wrong
    count = int((last - first) / step + 1e-9) + 1
    return [_value(name, f"{first + n * step:.12g}") for n in range(count)]


def _value(name: str, text: str) -> Value:
    """A value of the type that the axis has."""
    if name == "credits":
        if text not in ("on", "off"):
            raise ValueError(f"{name} = {text!r}: must be on or off")
        return text == "on"
    if name in ("pattern", "arrivals"):
        return text
    if name == "size":
        return int(text) if text.isdecimal() else text
    try:
        return int(text) if name == "delay" else float(text)
    except ValueError:
        kind = "a whole number" if name == "delay" else "a number"
        raise ValueError(f"{name} = {shortened(repr(text))}: must be {kind}") from None


def load_plan(path: Path) -> dict[str, Any]:
    """Reads a plan: keys of `SweepPlan`, with the axes at the top level and the fields of the
    configuration in a table ``fields``; a value is one or a list of them.

    Returns
    -------
    What `SweepPlan` is made with.

    Raises
    ------
    ConfigError
        If the file is missing, no TOML, or has a key that is not known.
    ValueError
        If a value has not the type of its axis.
    """
    if not path.is_file():
        raise ConfigError("plan", str(path), "a TOML file")
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ConfigError("plan", str(path), f"TOML ({error})") from None
    for name in given:
        if name not in (*_SETTINGS, *AXES):
            raise ConfigError("plan", str(path), f"made of {', '.join((*_SETTINGS, *AXES))}; "
                              f"{shortened(repr(name))} is none of them")
    plan = {name: given[name] for name in _SETTINGS if name in given and name != "fields"}
    for name, value in plan.items():
        kind = str if name in ("config", "engine") else int
        if type(value) is not kind:
            raise ConfigError(f"{path}: {name}", value, f"a {kind.__name__}")
    table = given.get("fields", {})
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: fields", table, "a table")
    plan["fields"] = {name: [_text(path, name, item) for item in _list(value)]
                      for name, value in table.items()}
    plan["axes"] = {
        name: [value for item in _list(given[name])
               for value in values_of(name, _text(path, name, item))]
        for name in AXES if name in given
    }
    return plan


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(path: Path, name: str, value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, str | int | float):
        raise ConfigError(f"{path}: {name}", value, "a value or a list of values")
    return str(value)
