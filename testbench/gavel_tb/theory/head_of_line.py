# SPDX-License-Identifier: Apache-2.0
"""Saturation throughput of a switch with one FIFO per input, computed exactly.

Karol, Hluchyj and Morgan, Input Versus Output Queueing on a Space-Division Packet Switch, IEEE
Trans. Commun. 35(12), 1987. Every input always has a packet at its head. In each slot each output
that is wanted by any of the heads takes one of them, and the next packet of that input wants an
output drawn uniformly. Which of the heads an output takes does not matter: those that remain want
the same output either way. So the sorted numbers of heads that want each output are the state of a
Markov chain, and the throughput is the mean share of outputs that are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

import numpy as np

EXACT_PORTS = 8
"""Up to here the chain, of 22 states, is solved in fractions."""

MOST_PORTS = 16
"""Largest switch for which it is solved at all: 231 states, in floating point."""

LIMIT = 2 - 2**0.5
"""Throughput of a switch of very many ports (same paper)."""

State = tuple[int, ...]
Number = Fraction | float


@lru_cache
def fifo_throughput(ports: int) -> Number:
    """Delivered packets per output and slot with uniform destinations; a fraction up to
    `EXACT_PORTS` ports.

    Raises
    ------
    ValueError
        For a number of ports that is not in 1...`MOST_PORTS`.
    """
    if not 1 <= ports <= MOST_PORTS:
        raise ValueError(f"ports = {ports}: must be in 1...{MOST_PORTS}")
    states = list(_states(ports, ports, ports))
    places = {state: n for n, state in enumerate(states)}
    exact = ports <= EXACT_PORTS
    one: Number = Fraction(1) if exact else 1.0
    # Equations of the stationary distribution, the last of them replaced by: shares add up to 1.
    rows: list[list[Number]] = [[0 * one] * len(states) for _ in states]
    for n, state in enumerate(states):
        rows[n][n] -= one
        for after, share in _moves(state, ports, one).items():
            rows[places[after]][n] += share
    rows[-1] = [one] * len(states)
    right = [0 * one] * (len(states) - 1) + [one]
    shares = _solved(rows, right) if exact else np.linalg.solve(
        np.array(rows, float), np.array(right, float)).tolist()
    wanted = [share * _wanted(state) for share, state in zip(shares, states, strict=True)]
    return sum(wanted, 0 * one) / ports


def _wanted(state: State) -> int:
    return sum(count > 0 for count in state)


def _states(heads: int, outputs: int, most: int) -> Iterator[State]:
    """All ways to share heads among outputs, largest numbers first."""
    if outputs == 0:
        if heads == 0:
            yield ()
        return
    for first in range(min(heads, most), -1, -1):
        for rest in _states(heads - first, outputs - 1, first):
            yield (first, *rest)


def _moves(state: State, ports: int, one: Number) -> dict[State, Number]:
    """Where a slot leads from a state, with which probability."""
    left = tuple(sorted((max(0, count - 1) for count in state), reverse=True))
    shares = {left: one}
    for _ in range(_wanted(state)):
        after: dict[State, Number] = {}
        for before, share in shares.items():
            for count in set(before):
                # A new head joins one of the outputs that are wanted by ``count`` heads.
                place = before.index(count)
                joined = (*before[:place], count + 1, *before[place + 1 :])
                chance = share * before.count(count) / ports
                after[joined] = after.get(joined, 0 * one) + chance
        shares = after
    return shares


def _solved(rows: list[list[Number]], right: list[Number]) -> list[Number]:
    """Solution of linear equations by elimination."""
    size = len(rows)
    rows = [[*row, value] for row, value in zip(rows, right, strict=True)]
    for column in range(size):
        pivot = next(n for n in range(column, size) if rows[n][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        scale = rows[column][column]
        rows[column] = [value / scale for value in rows[column]]
        for n in range(size):
            factor = rows[n][column]
            if n != column and factor:
                rows[n] = [value - factor * head
                           for value, head in zip(rows[n], rows[column], strict=True)]
    return [row[-1] for row in rows]
