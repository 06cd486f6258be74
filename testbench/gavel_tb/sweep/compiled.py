# SPDX-License-Identifier: Apache-2.0
"""How functions of this package are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compiles at first use and keeps the result on disk; types stay those of the text."""
    return cast("Function", njit(cache=True, error_model="numpy")(function))
