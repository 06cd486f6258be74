# SPDX-License-Identifier: Apache-2.0
"""Sources and sinks compiled once and kept on disk, as `gavel_fast.kernel` does with the switch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numba

import gavel_fast
from gavel_fast.pin_block import PinBlock
from gavel_tb.sweep import sink, source
from gavel_tb.sweep.rules import SourceRules
from gavel_tb.sweep.sink import SinkState
from gavel_tb.sweep.source import SourceState, Span

_STAMP_BYTES = 7


class Kernels(NamedTuple):
    """`gavel_tb.sweep.source.fill` and `gavel_tb.sweep.sink.absorb`."""

    fill: Callable[[PinBlock, SourceState, SourceRules, int, Span], int]
    absorb: Callable[[PinBlock, SinkState, int, int, Span], int]


def _stamp() -> int:
    """A number that changes with the text of what is compiled together."""
    digest = hashlib.sha256()
    for folder in (Path(__file__).parent, Path(gavel_fast.__file__).parent):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:_STAMP_BYTES], "little")


@cache
def kernels() -> Kernels:
    """The compiled code: compiled at its first call, or loaded from numba's cache.

    numba keeps a function by its own file and the values that it takes from around it, not by the
    functions that it calls; and a compiled function among these values is another in each process.
    So the stamp is the only one.
    """
    stamp = _stamp()

    def fill(rx: PinBlock, state: SourceState, rules: SourceRules, first: int, span: Span) -> int:
        return source.fill(rx, state, rules, first, span) if stamp else 0

    def absorb(tx: PinBlock, state: SinkState, latency: int, first: int, span: Span) -> int:
        return sink.absorb(tx, state, latency, first, span) if stamp else 0

    keep = numba.njit(cache=True, error_model="numpy")
    return Kernels(keep(fill), keep(absorb))
