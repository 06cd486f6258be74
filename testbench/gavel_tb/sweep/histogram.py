# SPDX-License-Identifier: Apache-2.0
"""A histogram of delays of any size in few bins: exact to 127 cycles, then within 1/64.

Each power of two above that has 64 bins of equal width, as in HdrHistogram.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gavel_fast.compiled import compiled

BINS = 2560
"""Enough for 2**44 cycles; what is longer stands in the last one."""

_PART = 64
_PART_BITS = 6


@compiled
def bin_of(value: int) -> int:
    """Bin of a delay."""
    shift = 0
    while value >> shift >= 2 * _PART:
        shift += 1
    return min(BINS - 1, shift * _PART + (value >> shift))


def largest_of(place: int) -> int:
    """Largest delay of a bin."""
    shift = max(0, (place >> _PART_BITS) - 1)
    return (place - shift * _PART + 1 << shift) - 1


def quantile(counts: npt.NDArray[np.int64], share: float) -> int | None:
    """Smallest delay that at least ``share`` of the samples do not exceed, rounded up to the end of
    its bin; None without samples."""
    running = np.cumsum(counts)
    if not running[-1]:
        return None
    return largest_of(int(np.searchsorted(running, share * running[-1])))
