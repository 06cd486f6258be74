# SPDX-License-Identifier: Apache-2.0
"""Makes a failing run as short and as plain as it can be and still fail.

Delta debugging (Zeller and Hildebrandt, IEEE Trans. Software Engineering 28(2), 2002) over the
parameters of a job, between bisections of its length; then fewer ports. What is tried
next follows from what was found before and from nothing else, so that the same failure shrinks to
the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gavel_model.config import ConfigError
from gavel_tb.jobs import open_session
from gavel_tb.llr_traffic import LlrTrafficJob
from gavel_tb.regress.tests_of import Run
from gavel_tb.traffic import TrafficJob

MOST_RUNS = 60
"""Runs that a shrink may take."""

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "traffic": TrafficJob().parameters(), "llr": LlrTrafficJob().parameters(),
}

PLAIN: Mapping[str, Mapping[str, Any]] = {
    kind: {**defaults, "size": "min"} for kind, defaults in _DEFAULTS.items()
}
"""The plainest value of each parameter, by kind of job; other kinds cannot be shrunk."""

_LENGTHS = {"traffic": ("cycles",), "llr": ("frames", "cycles")}
"""Parameters that say how long a job is, the one to begin with first."""

_KEPT = ("seed", "cycles", "frames", "load")
"""Parameters that are no options to be switched off."""

_FEWEST_PORTS = 2

Fails = Callable[[Run], int | None]
"""Cycles that a run took until it failed, in the way in which the first one did; None if it did
not."""


@dataclass(frozen=True)
class Shrunk:
    """A run that fails and is small.

    Attributes
    ----------
    run
        The run.
    tried
        Runs that it took.
    cycles
        Cycles until it fails.
    complete
        False if there were too many runs to try all.
    """

    run: Run
    tried: int
    cycles: int
    complete: bool


class _Over(Exception):  # noqa: N818 - an end, not an error
    """No more runs may be made."""


class _Shrinker:
    """The search: ``best`` is the smallest run found."""

    def __init__(self, run: Run, seed: int, fails: Fails, cycles: int, most_runs: int) -> None:
        self.best = run
        self.cycles = cycles
        self.tried = 0
        self._seed = seed
        self._fails = fails
        self._most = most_runs
        self._known: set[str] = set()

    def attempt(self, run: Run) -> bool:
        """Whether a run fails; then it is the best. What cannot be run does not."""
        name = f"{run.config} {sorted(run.parameters.items(), key=str)}"
        if name in self._known:
            return False
        self._known.add(name)
        try:
            open_session(run.config, run.kind, run.job_parameters(self._seed))
        except (ValueError, TypeError):
            return False
        if self.tried >= self._most:
            raise _Over
        self.tried += 1
        cycles = self._fails(run)
        if cycles is None:
            return False
        self.best, self.cycles = run, cycles
        return True

    def value(self, name: str) -> Any:
        """A parameter of the best run."""
        return self.best.parameters.get(name, _DEFAULTS[self.best.kind][name])

    def with_parameters(self, **changes: Any) -> Run:
        """The best run with other parameters."""
        return replace(self.best, parameters={**self.best.parameters, **changes})

    def shorten(self) -> None:
        """Bisects the length."""
        for name in _LENGTHS.get(self.best.kind, ()):
            now = self.value(name)
            # What begins after the failure cannot matter.
            high = min(now, self.cycles + 1) if now else 0
            if high < now:
                self.attempt(self.with_parameters(**{name: high}))
            low, high = 0, self.value(name)
            while high - low > 1:
                middle = (low + high) // 2
                if self.attempt(self.with_parameters(**{name: middle})):
                    high = middle
                else:
                    low = middle

    def plainer(self) -> None:
        """Gives as many parameters as possible their plain value, by delta debugging."""
        plain = PLAIN.get(self.best.kind, {})
        left = [name for name, value in plain.items()
                if name not in _KEPT and self.value(name) != value]
        parts = 1
        while left:
            groups = _split(left, parts)
            for group in groups:
                if self.attempt(self.with_parameters(**{name: plain[name] for name in group})):
                    left = [name for name in left if name not in group]
                    parts = max(1, parts - 1)
                    break
            else:
                if parts >= len(left):
                    return
                parts = min(len(left), 2 * parts)

    def smaller(self) -> None:
        """Fewer ports: the smallest number first. (Each is a build of its own.)"""
        if self.best.kind not in PLAIN:
            return
        for ports in _down(self.best.config.ports, _FEWEST_PORTS):
            try:
                config = replace(self.best.config, ports=ports)
            except ConfigError:
                continue
            if self.attempt(replace(self.best, config=config)):
                return


def shrink(
    run: Run, seed: int, fails: Fails, cycles: int, most_runs: int = MOST_RUNS
) -> Shrunk:
    """Shrinks a run that fails with a seed after ``cycles`` cycles.

    Parameters
    ----------
    fails
        Makes a run.
    most_runs
        Runs that may be made; what is best then is taken.
    """
    search = _Shrinker(run, seed, fails, cycles, most_runs)
    complete = True
    try:
        before: Run | None = None
        while search.best != before:
            before = search.best
            search.shorten()
            search.plainer()
            search.smaller()
    except _Over:
        complete = False
    return Shrunk(search.best, search.tried, search.cycles, complete)


def _split(names: Sequence[str], parts: int) -> list[list[str]]:
    size = -(-len(names) // parts)
    return [list(names[start : start + size]) for start in range(0, len(names), size)]


def _down(value: int, least: int) -> list[int]:
    """Values to try, smallest first."""
    found: list[int] = []
    while value > least:
        value = max(least, value // 2)
        found.append(value)
    return found[::-1]
