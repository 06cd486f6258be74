# SPDX-License-Identifier: Apache-2.0
"""Sets as bits of a number: bit n = member n, at most 64 members."""

from __future__ import annotations

import numpy as np

from gavel_fast.compiled import compiled

_DE_BRUIJN = 0x03F79D71B4CB0A89
"""Every run of six of its bits occurs once (Leiserson, Prokop, Randall, 1998)."""

_PLACE = np.zeros(64, np.int64)
for _n in range(64):
    _PLACE[(_DE_BRUIJN << _n >> 58) & 63] = _n


@compiled
def lowest(members: int) -> int:
    """The lowest member of a set that is not empty."""
    return _PLACE[((members & -members) * _DE_BRUIJN >> 58) & 63]


@compiled
def first_at_or_after(members: int, start: int) -> int:
    """The first member at or after ``start`` of a set that is not empty, in cyclic order."""
    above = members & (-1 << start)
    return lowest(above if above else members)


@compiled
def highest_of_eight(members: int) -> int:
    """The highest member of a set that is not empty and has no member above 7."""
    n = 7
    while not members >> n & 1:
        n -= 1
    return n
