# SPDX-License-Identifier: Apache-2.0
"""How the functions of the fast model are compiled.

All numbers in compiled code are 64-bit signed integers: lanes of data and sets of ports are bit
patterns in them. numba gives a sum of signed and unsigned numbers the type float64, so a second
integer type would have to be kept apart in every line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
"""What all state is kept in."""

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compiles a function when a compiled one first calls it, for the types that it is called
    with. Nothing is kept on disk: `gavel_fast.cycle` keeps the whole."""
    return cast(Function, numba.njit(error_model="numpy")(function))
