# SPDX-License-Identifier: Apache-2.0
"""A link that delivers in order, as late as it likes, and may lose or spoil what it carries."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Signal, Value
from amaranth.lib.data import StructLayout, View

from gavel_tb.formal.harness import Harness, implies


class Channel:
    """A row of places through which items go in order, each as slowly as the surroundings like.

    Parameters
    ----------
    harness
        In whose module it stands.
    name
        Goes before the names of its signals.
    layout
        Of an item.
    places
        Items that may be under way.

    Attributes
    ----------
    push, item
        An item enters in this cycle, and it; to be driven.
    pop, head
        An item leaves in this cycle, whether it is lost or not, and it.
    places
        For each place whether there is an item, and it; the first is the one that leaves next.
    """

    def __init__(self, harness: Harness, name: str, layout: dict[str, Any], places: int) -> None:
        m, shape = harness.m, StructLayout(layout)
        self.push = Signal(name=f"{name}_push")
        self.item: View[Any] = Signal(shape, name=f"{name}_item")
        valid = [Signal(name=f"{name}_{n}_valid") for n in range(places)]
        items = [Signal(shape, name=f"{name}_{n}") for n in range(places)]
        # An item goes on whenever the place before it is empty and the surroundings say so.
        moves = [harness.anything(1, f"{name}_{n}_moves") for n in range(places)]
        self.pop = harness.let(f"{name}_pop", 1, valid[0] & moves[0])
        self.head = items[0]
        self.places = list(zip(valid, items, strict=True))
        leaves = [self.pop]
        for n in range(1, places):
            leaves.append(harness.let(
                f"{name}_{n}_leaves", 1,
                valid[n] & moves[n] & (~valid[n - 1] | leaves[n - 1])))
        enters: list[tuple[Value, Any]] = [
            *((leaves[n + 1], items[n + 1]) for n in range(places - 1)), (self.push, self.item)]
        for n, (comes, item) in enumerate(enters):
            with m.If(comes):
                m.d.sync += [valid[n].eq(1), items[n].eq(item)]
            with m.Elif(leaves[n]):
                m.d.sync += valid[n].eq(0)
        # Nothing comes where an item still stands: then it would have gone on.
        harness.suppose(implies(self.push, ~valid[-1] | leaves[-1]))
