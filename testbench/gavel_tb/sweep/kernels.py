# SPDX-License-Identifier: Apache-2.0
"""Sources and sinks compiled, and kept on disk as the switch is (docs/fast_model.md)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numba

import gavel_fast
from gavel_fast.kernel import source_stamp
from gavel_fast.pin_block import PinBlock
from gavel_tb.sweep import sink, source
from gavel_tb.sweep.rules import SourceRules
from gavel_tb.sweep.sink import SinkState
from gavel_tb.sweep.source import SourceState, Span


class Kernels(NamedTuple):
    """`gavel_tb.sweep.source.fill` and `gavel_tb.sweep.sink.absorb`."""

    fill: Callable[[PinBlock, SourceState, SourceRules, int, Span], int]
    absorb: Callable[[PinBlock, SinkState, int, int, Span], int]


@cache
def kernels() -> Kernels:
    """The compiled code: compiled at its first call, or loaded; without a folder that can be
    written to it is compiled in every process."""
    stamp = source_stamp((Path(__file__).parent, Path(gavel_fast.__file__).parent))

    # numba knows a function by its own file and the variables that it takes from around it, not by
    # the functions that it calls: hence the stamp.
    def fill(rx: PinBlock, state: SourceState, rules: SourceRules, first: int, span: Span) -> int:
        return source.fill(rx, state, rules, first, span) if stamp else 0

    def absorb(tx: PinBlock, state: SinkState, latency: int, first: int, span: Span) -> int:
        return sink.absorb(tx, state, latency, first, span) if stamp else 0

    return Kernels(_kept(fill), _kept(absorb))


def _kept(function: Callable[..., int]) -> Any:
    try:
        return numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # numba finds no folder that it can write to.
        return numba.njit(error_model="numpy")(function)
