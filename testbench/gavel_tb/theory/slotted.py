# SPDX-License-Identifier: Apache-2.0
"""Formulas of the slotted switch: packets of one slot, uniform destinations, independent arrivals.

A switch of which each frame is one word is that switch, but for a constant latency.
"""

from __future__ import annotations


def output_queue_wait(ports: int, load: float) -> float:
    """Mean wait in slots, without the packet's own, in a switch with a queue per output that takes
    any number of packets in a slot: no scheduler of an input-queued switch does better on average.

    ((N-1)/N) p / (2 (1-p)), for Bernoulli arrivals of load p (Karol, Hluchyj and Morgan 1987,
    section III).

    Raises
    ------
    ValueError
        For a load that is not in 0...1, 1 excluded.
    """
    if not 0.0 <= load < 1.0:
        raise ValueError(f"load = {load}: must be in 0...1, 1 excluded")
    return (ports - 1) / ports * load / (2 * (1 - load))


def random_match(ports: int) -> float:
    """Share of the outputs that a single iteration of random grants matches when every input has
    packets for every output: 1 - (1 - 1/N)^N (Anderson, Owicki, Saxe and Thacker, High-Speed Switch
    Scheduling for Local-Area Networks, ACM TOCS 11(4), 1993). A scheduler whose pointers move away
    from each other reaches 1 (McKeown 1999)."""
    return 1 - (1 - 1 / ports) ** ports


def admissible(pattern: str, ports: int, load: float, hot: float) -> float:
    """Share of the line rate that a switch without losses of its own delivers: no output takes more
    than its line, and nothing else is lost.

    Parameters
    ----------
    pattern, load, hot
        As in `gavel_tb.sweep.options.TrafficMix`.
    """
    if pattern == "incast":
        return min(load, 1 / ports)
    if pattern == "hotspot":
        uniform = load * (1 - hot)
        return (min(1.0, ports * load * hot + uniform) + (ports - 1) * uniform) / ports
    return load
