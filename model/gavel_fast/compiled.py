# SPDX-License-Identifier: Apache-2.0
"""How the functions of the fast model are compiled.

All numbers in compiled code are 64-bit signed integers: lanes of data and sets of ports are bit
patterns in them. numba gives a sum of signed and unsigned numbers the type float64, so a second
integer type would have to be kept apart in every line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy.typing as npt

Ints = npt.NDArray[Any]
"""What state is kept in: 64-bit signed integers, but for the pins and the counters."""

_LITE: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}
"""No entry from Python, and no counting of references: the arrays are those of the caller. A third
of the time of compiling, and most of that of running, otherwise goes there."""

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compiles a function when a compiled one first calls it, for the types that it is called
    with; Python cannot call it. Nothing is kept on disk: `gavel_fast.kernel` keeps the whole."""
    return cast(Function, numba.njit(error_model="numpy", **_LITE)(function))
