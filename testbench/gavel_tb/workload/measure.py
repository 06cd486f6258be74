# SPDX-License-Identifier: Apache-2.0
"""Figures and plot data of a finished run, computed from the frame log."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from typing import Any

from gavel_model.register_map import Counter
from gavel_tb.stalls import StallAccount
from gavel_tb.workload.log import FrameLog
from gavel_tb.workload.on_link import LinkedPlayer
from gavel_tb.workload.player import Player

UTILISATION_BINS = 120
"""Time bins of a run, half as many above 32 ports; their width follows."""

HISTOGRAM_BINS = 48

LINK_FIGURES = ("errors_injected", "errors_by_kind", "link_replays", "partner_replays")
"""Figures that only a run over links has: what the links did, and how often the switch's ports
and the ranks' ends sent again."""


def percentile(counts: Tally[int], share: float) -> int:
    """Smallest value that at least ``share`` of the samples do not exceed (nearest rank)."""
    total = sum(counts.values())
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= share * total:
            return value
    raise ValueError("no samples")


def measure_run(
    stimulus: Player | LinkedPlayer, clock_mhz: float, counters: Sequence[Sequence[int]],
    account: StallAccount | None = None,
) -> dict[str, Any]:
    """`measure` of what was played, and what its links did: None where there were none.

    Parameters
    ----------
    counters
        Counters of each port at the end.
    account
        The stalls, if they were counted.
    """
    player = stimulus if isinstance(stimulus, Player) else stimulus.player
    figures = measure(player, clock_mhz)
    figures["plots"]["stalls"] = None if account is None else account.figures()
    figures["lossless_drops"] = sum(counted[Counter.RX_LOSSLESS_DROP] for counted in counters)
    if isinstance(stimulus, Player):
        return {**figures, **dict.fromkeys(LINK_FIGURES)}
    # Between the pins of a rank and those of its port lies a link: a frame's time in the switch
    # does not follow from when it was sent and when it came.
    figures["plots"]["voq"] = None
    figures["link_replays"] = sum(counted[Counter.LLR_TX_REPLAY] for counted in counters)
    return figures | stimulus.figures()


def measure(player: Player, clock_mhz: float) -> dict[str, Any]:
    """The result of a run as plain data.

    Bandwidths are in GB/s at ``clock_mhz``: *achieved* is `Program.bus_bytes` over the time of
    the slowest rank, *ideal* is the line rate of a port. Latency is in cycles from a frame's
    last word on the receive pins to its first on the transmit pins, so at least
    ``latency_cycles``.
    """
    config, program, log = player.config, player.program, player.log
    completion = [endpoint.completed_at for endpoint in player.endpoints]
    slowest = max((cycle + 1 for cycle in completion if cycle is not None), default=0)
    latency = Tally(log.latencies())
    wire_words = sum(log.words)
    sent = len(log) + sum(endpoint.in_flight for endpoint in player.endpoints)
    ideal = config.word_bytes * clock_mhz / 1000
    achieved = program.bus_bytes / slowest * clock_mhz / 1000 if slowest else 0.0
    arrived = sum(endpoint.arrived_bytes for endpoint in player.endpoints)
    return {
        "frames": len(log),
        "bytes": arrived,
        "wire_bytes": wire_words * config.word_bytes,
        "completion_cycles": completion,
        "bus_bandwidth_achieved": achieved,
        "bus_bandwidth_ideal": ideal,
        "bus_bandwidth_share": achieved / ideal,
        "latency_p50": percentile(latency, 0.50) if latency else None,
        "latency_p99": percentile(latency, 0.99) if latency else None,
        "latency_max": max(latency) if latency else None,
        "drops": sent - len(log),
        "cycles": player.cycles,
        "peak_outstanding_cells": max(e.peak_outstanding for e in player.endpoints),
        "failure": player.failure,
        "plots": {
            "latency": latency_histogram(latency),
            "utilisation": utilisation(log, config.ports, player.cycles),
            "voq": voq_occupancy(log, config.ports, player.cycles, config.latency_cycles),
        },
    }


def latency_histogram(counts: Tally[int]) -> dict[str, Any]:
    """Equal bins over the range: ``edges`` (cycles, one more than bins) and ``counts``."""
    if not counts:
        return {"edges": [0, 1], "counts": [0]}
    low, high = min(counts), max(counts)
    width = max(1, -(-(high - low + 1) // HISTOGRAM_BINS))
    bins = -(-(high - low + 1) // width)
    result = [0] * bins
    for value, count in counts.items():
        result[(value - low) // width] += count
    return {"edges": [low + width * k for k in range(bins + 1)], "counts": result}


def utilisation(log: FrameLog, ports: int, cycles: int) -> dict[str, Any]:
    """Share of cycles with a word, per port and time bin, on the receive and transmit pins.

    ``bin_cycles`` is the width of a bin; ``rx`` and ``tx`` are [port][bin], the last bin may
    be cut short by the end of the run.
    """
    wanted = UTILISATION_BINS if ports <= 32 else UTILISATION_BINS // 2
    width = max(1, -(-cycles // wanted))
    bins = max(1, -(-cycles // width))
    rx = [[0] * bins for _ in range(ports)]
    tx = [[0] * bins for _ in range(ports)]
    rows = zip(log.source, log.target, log.received, log.sent, log.words, strict=True)
    for source, target, received, sent, words in rows:
        _spread(rx[source], received - words + 1, words, width)
        _spread(tx[target], sent, words, width)
    sizes = [min(width, cycles - width * k) or 1 for k in range(bins)]

    def shares(counts: list[list[int]]) -> list[list[float]]:
        return [
            [round(count / size, 4) for count, size in zip(row, sizes, strict=True)]
            for row in counts
        ]

    return {"bin_cycles": width, "rx": shares(rx), "tx": shares(tx)}


def _spread(row: list[int], start: int, words: int, width: int) -> None:
    """Adds ``words`` cycles from ``start`` on to bins of ``width`` cycles."""
    while words > 0:
        place = start // width
        part = min(words, (place + 1) * width - start)
        row[min(place, len(row) - 1)] += part
        start += part
        words -= part


def voq_occupancy(log: FrameLog, ports: int, cycles: int, latency: int) -> dict[str, Any]:
    """Frames in the VOQs of each (input, output), all VCs: time average and peak.

    A frame is counted in its VOQ from 4 cycles after its last word came in until 6 cycles
    before its first word goes out (docs/spec.md, Latency), so for latency - K + 1 cycles.
    """
    mean = [[0.0] * ports for _ in range(ports)]
    peak = [[0] * ports for _ in range(ports)]
    events: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for source, target, received, sent in zip(
        log.source, log.target, log.received, log.sent, strict=True
    ):
        leaves = sent - latency + 1
        mean[source][target] += leaves - received
        pair = events.setdefault((source, target), [])
        pair.append((received, 1))
        pair.append((leaves, -1))
    for (source, target), changes in events.items():
        mean[source][target] = round(mean[source][target] / max(1, cycles), 5)
        inside = 0
        for _, change in sorted(changes):
            inside += change
            peak[source][target] = max(peak[source][target], inside)
    return {"mean": mean, "peak": peak}
