# SPDX-License-Identifier: Apache-2.0
"""Least time of collectives of n ranks, each with one link."""

from __future__ import annotations

from gavel_tb.workload.collectives import Collective, bus_factor


def least_cycles(kind: Collective, ranks: int, size: int, word_bytes: int) -> float:
    """Cycles in which the busiest link can move what the collective needs at line rate: S times the
    bus bandwidth factor of nccl-tests (PERFORMANCE.md of that project), over the bytes of a cycle.

    Parameters
    ----------
    size
        S, bytes of the collective's vector per rank, as nccl-tests defines it.
    """
    return size * bus_factor(kind, ranks) / word_bytes
