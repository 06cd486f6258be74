# SPDX-License-Identifier: Apache-2.0
"""A unit of work, and what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any


def canonical(value: object) -> str:
    """JSON text that is the same for equal values.

    Raises
    ------
    ValueError
        If the value is no plain data, or has a number that JSON cannot say.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except TypeError as error:
        raise ValueError(str(error)) from None


@dataclass(frozen=True)
class Unit:
    """A function and what it is called with.

    The function must be importable on every worker, take the parameters by name, give plain data
    (what JSON can say), and depend on nothing but its parameters and the installed sources: then
    the result is the same wherever and whenever the unit runs.

    Attributes
    ----------
    function
        ``module:name``.
    parameters
        Plain data by name.
    builds
        Entries of the build cache that the unit needs, folders of this machine. They do not count
        for `key`: the result does not depend on where a build came from.
    """

    function: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    builds: tuple[Path, ...] = ()

    @cached_property
    def key(self) -> str:
        """SHA-256 of function and parameters, in hexadecimal.

        Raises
        ------
        ValueError
            If a parameter is no plain data.
        """
        try:
            text = canonical({"function": self.function, "parameters": dict(self.parameters)})
        except ValueError as error:
            raise ValueError(f"parameters of {self.function}: {error}") from None
        return hashlib.sha256(text.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.function} {canonical(dict(self.parameters))}"


@dataclass(frozen=True)
class Outcome:
    """What came of a unit.

    Attributes
    ----------
    result
        What the function gave; None if it failed.
    error
        One line: what the function raised, or that its workers died. None if it did not fail.
    detail
        The stack trace of an exception.
    seconds
        Time that the function took on its worker.
    worker
        Name of the worker.
    resumed
        The result is that of an earlier run with the same folder.
    """

    unit: Unit
    result: Any = None
    error: str | None = None
    detail: str | None = None
    seconds: float = 0.0
    worker: str = ""
    resumed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As plain data: a line of the journal."""
        return {
            "key": self.unit.key, "function": self.unit.function,
            "parameters": dict(self.unit.parameters), "result": self.result, "error": self.error,
            "detail": self.detail, "seconds": round(self.seconds, 6), "worker": self.worker,
        }
