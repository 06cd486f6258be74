# SPDX-License-Identifier: Apache-2.0
"""Figures and plot data of a run over a fabric."""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any

from gavel_model.register_map import Counter
from gavel_tb.fabric.attachment import RetryPort
from gavel_tb.fabric.frames import FabricFrames
from gavel_tb.fabric.links import link_figures, link_plots
from gavel_tb.fabric.operations import CollectiveProgram
from gavel_tb.fabric.simulation import Fabric
from gavel_tb.fabric.uncontended import uncontended_cycles
from gavel_tb.workload.measure import latency_histogram, percentile


def payload_share(program: CollectiveProgram, frames: FabricFrames) -> float:
    """Message bytes over bytes of all words of the frames that carry them."""
    wire = frames.config.word_bytes * sum(
        count * frames.message_words(size)[0] for size, count in program.sizes.items())
    return program.message_bytes / wire if wire else 0.0


def measure_fabric(fabric: Fabric, clock_mhz: float) -> dict[str, Any]:
    """The result of a run as plain data (docs/fabric.md, Figures)."""
    network, program, record = fabric.network, fabric.program, fabric.record
    begin = fabric.begin_at or 0
    ends = [found.completed_at for found in fabric.accelerators]
    complete = [end - begin + 1 for end in ends if end is not None]
    slowest = max(complete) if len(complete) == len(ends) else None
    line_rate = fabric.frames.config.word_bytes * clock_mhz / 1000
    ideal = line_rate * network.ports
    share = payload_share(program, fabric.frames)
    achieved = program.bus_bytes / slowest * clock_mhz / 1000 if slowest else 0.0
    latency = record.latency
    ideal_cycles = uncontended_cycles(network, program, fabric.frames, fabric.options)
    lost = sum(len(found.in_flight) for found in fabric.accelerators)
    return {
        "frames": record.frames,
        "bytes": sum(found.arrived_bytes for found in fabric.accelerators),
        "wire_bytes": record.frame_bytes,
        "completion_cycles": slowest,
        "completion_first": min(complete, default=None),
        "completion_uncontended": ideal_cycles,
        "completion_share": ideal_cycles / slowest if slowest else 0.0,
        "bus_bandwidth_achieved": achieved,
        "bus_bandwidth_ideal": ideal,
        "bus_bandwidth_share": achieved / ideal,
        "bus_bandwidth_framed": ideal * share,
        "bus_bandwidth_share_framed": achieved / (ideal * share) if share else 0.0,
        **{f"latency_{name}": percentile(latency, part) if latency else None
           for name, part in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))},
        "latency_min": min(latency, default=None),
        "latency_max": max(latency, default=None),
        "drops": lost,
        "lossless_drops": _count(fabric, Counter.RX_LOSSLESS_DROP),
        **_reordering(fabric),
        **_links(fabric, begin, slowest or fabric.cycles),
        **_retry(fabric),
        "cycles": fabric.cycles,
        "begin_cycle": begin,
        "switch_steps": sum(node.steps for node in fabric.switches),
        "failure": fabric.failure,
        "plots": {
            "latency": latency_histogram(latency),
            "links": link_plots(fabric.lines, begin + max(1, fabric.cycles),
                                slowest or fabric.cycles),
            "completion": latency_histogram(Tally(complete)),
        },
    }


def _links(fabric: Fabric, begin: int, cycles: int) -> dict[str, Any]:
    return link_figures(fabric.lines, begin, cycles)


def _reordering(fabric: Fabric) -> dict[str, Any]:
    """Reordering of all flows that have several ways."""
    distances: Tally[int] = Tally()
    waits: Tally[int] = Tally()
    for found in fabric.accelerators:
        distances.update(found.reordering.distances)
        waits.update(found.reordering.waits)
    frames = distances.total()
    late = frames - distances[0]
    return {
        "reordered_frames": late,
        "reordered_share": late / frames if frames else 0.0,
        "reorder_distance_max": max(distances, default=0),
        "reorder_distances": dict(sorted(distances.items())),
        "reorder_buffer_peak": max(found.reordering.peak for found in fabric.accelerators),
        "reorder_wait_p99": percentile(waits, 0.99) if waits else None,
        "reorder_wait_max": max(waits, default=None),
    }


def _retry(fabric: Fabric) -> dict[str, Any]:
    """What links and retry did; None without."""
    if not fabric.options.retry:
        return dict.fromkeys(("errors_injected", "errors_by_kind", "link_replays",
                              "partner_replays"))
    errors: Tally[str] = Tally()
    for line in fabric.lines:
        if line.damage is not None:
            errors.update({kind.value: count for kind, count in line.damage.counts.items()})
    partners = [port.partner for found in fabric.accelerators for port in found.ports
                if isinstance(port, RetryPort)]
    return {
        "errors_injected": errors.total(),
        "errors_by_kind": dict(sorted(errors.items())),
        "link_replays": _count(fabric, Counter.LLR_TX_REPLAY),
        "partner_replays": sum(partner.sender.replays for partner in partners),
    }


def _count(fabric: Fabric, counter: Counter) -> int:
    return sum(node.counters(port)[counter] for node in fabric.switches
               for port in range(node.plan.config.ports))
