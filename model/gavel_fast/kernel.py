# SPDX-License-Identifier: Apache-2.0
"""The compiled code: where it is kept, and when it is compiled anew."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numba

from gavel_fast import cycle
from gavel_fast.pin_block import InputBlock, OutputBlock
from gavel_fast.state import SwitchState

Kernel = Callable[[SwitchState, InputBlock, OutputBlock, int], int]

_STAMP_BYTES = 7
"""Fits a signed number."""


def _stamp() -> int:
    """A number that changes with the text of the sources that are compiled together."""
    folders = Path(__file__).parent, Path(__file__).parents[1] / "gavel_model"
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:_STAMP_BYTES], "little")


@cache
def kernel() -> Kernel:
    """`gavel_fast.cycle.run_cycles`, compiled at its first call or loaded from numba's cache."""
    stamp = _stamp()

    def run(state: SwitchState, inputs: InputBlock, outputs: OutputBlock, first: int) -> int:
        # numba keeps a function by its own file and the variables that it takes from around it,
        # not by the functions that it calls.
        return cycle.run_cycles(state, inputs, outputs, first) if stamp else 0

    return numba.njit(cache=True, error_model="numpy")(run)  # type: ignore[no-any-return]
