# SPDX-License-Identifier: Apache-2.0
"""Finds what in a fabric is not as it was planned, after a run has failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gavel_model.register_map import DROPS, Counter

if TYPE_CHECKING:
    from gavel_tb.fabric.simulation import Fabric

_MOST = 3
_ENDED = (Counter.RX_FRAMES, Counter.RX_MAC_CONTROL, Counter.RX_LLR, *DROPS[:-1])
"""Every frame that comes to a port counts in exactly one of these."""


def diagnose(fabric: Fabric) -> str:
    """What was found, at most `_MOST` things, as the rest of a line; empty if nothing was."""
    found = []
    for finder in (_cables, _routes, _drops, _losses):
        for text in finder(fabric):
            found.append(text)
            if len(found) == _MOST:
                return "; " + "; ".join(found)
    return "; " + "; ".join(found) if found else ""


def why_stuck(fabric: Fabric, patience: int) -> str:
    """One line: why a run has no end; ``patience`` is how long retry was given to come up."""
    if fabric.begin_at is None:
        return f"cycle {patience}: link-level retry does not come up{diagnose(fabric)}"
    accelerators = fabric.accelerators
    parts = [f"cycle {fabric.record.last}: no frame has arrived since"]
    flights = sorted((flight.last, found.rank, key, flight.way) for found in accelerators
                     for key, flight in found.in_flight.items())
    if flights:
        _, rank, (dst, traffic, number), way = flights[0]
        parts[0] += (f", {len(flights)} are under way or lost; the first is frame {number} of rank "
                     f"{rank} to rank {dst}, class {traffic}, by way {way}")
    missing = [text for found in accelerators for text in found.missing()]
    waits = [f"rank {found.rank} in {label}" for found in accelerators
             for label in found.waiting()[:1]]
    parts += missing[:2]
    if waits:
        parts.append("waiting: " + ", ".join(waits[:4]))
    return "; ".join(parts) + diagnose(fabric)


def _cables(fabric: Fabric) -> Iterator[str]:
    network = fabric.network
    planned = {end: other for cable in network.cables
               for end, other in ((cable.a, cable.b), (cable.b, cable.a))}
    for cable in fabric.cables:
        if planned.get(cable.a) != cable.b:
            wanted = planned.get(cable.a)
            yield (f"the cable of {network.end_name(cable.a)} goes to {network.end_name(cable.b)}"
                   + (f", not to {network.end_name(wanted)}" if wanted is not None else ""))


def _routes(fabric: Fabric) -> Iterator[str]:
    for node in fabric.switches:
        for number, wanted in node.plan.routes.items():
            port = node.route(number)
            if port != wanted:
                goes = "has no route for" if port is None else f"sends to port {port}"
                yield f"{node.name} {goes} ID {number}, which is for port {wanted}"


def _drops(fabric: Fabric) -> Iterator[str]:
    for node in fabric.switches:
        for port in range(node.plan.config.ports):
            counters = node.counters(port)
            for counter in DROPS:
                count = counters[counter]
                # With errors on the links, frames that are damaged come again.
                if count and not (fabric.options.ber and counter in _REPAIRED):
                    advice = (", so there was no room: choose credits or a smaller window"
                              if counter is Counter.RX_NO_BUFFER else "")
                    yield f"{node.name} port {port} counts {counter.name} {count}{advice}"


_REPAIRED = (Counter.RX_ERR, Counter.RX_UNDERSIZE, Counter.RX_OVERSIZE, Counter.RX_FCS,
             Counter.RX_FRAGMENT, Counter.RX_LLR)


def _losses(fabric: Fabric) -> Iterator[str]:
    """Lines that gave less than they took; not where retry mends that."""
    if fabric.options.retry:
        return
    count = len(fabric.switches)
    for number, cable in enumerate(fabric.cables):
        for line, end in ((fabric.lines[2 * number], cable.b), (fabric.lines[2 * number + 1],
                                                                cable.a)):
            if end.node >= count:
                came = fabric.accelerators[end.node - count].ports[end.port].frames
            else:
                counters = fabric.switches[end.node].counters(end.port)
                came = sum(counters[counter] for counter in _ENDED)
            if came < line.frames:
                yield f"{line.name}: {line.frames - came} of {line.frames} frames were lost"
