# SPDX-License-Identifier: Apache-2.0
"""The worker's side: calls the function of a unit and turns whatever comes of it into data."""

from __future__ import annotations

import importlib
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from gavel_tb.farm.unit import canonical


def find_function(name: str) -> Callable[..., Any]:
    """The function ``module:name``.

    Raises
    ------
    ValueError
        If there is none.
    """
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"no function {name!r}: {error}") from None
    if not callable(found):
        raise ValueError(f"{name!r} is no function")
    return found  # type: ignore[no-any-return]  # named by text


def perform(function: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Calls a function; gives ``result`` or ``error`` and ``detail``, and ``seconds``.

    An exception is a result. `KeyboardInterrupt` and `SystemExit` are not caught: they end the
    worker.
    """
    began = time.perf_counter()
    done: dict[str, Any] = {}
    try:
        result = find_function(function)(**parameters)
        # Refuses here, where the unit is known, what the journal could not hold.
        canonical(result)
        done["result"] = result
    except Exception as error:
        done["error"] = one_line(error)
        done["detail"] = traceback.format_exc()
    done["seconds"] = time.perf_counter() - began
    return done


def one_line(error: BaseException) -> str:
    """Type and first line of an exception."""
    text = str(error).strip()
    first = text.splitlines()[0] if text else ""
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
