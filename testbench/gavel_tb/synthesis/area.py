# SPDX-License-Identifier: Apache-2.0
"""Cells that Yosys counts, as resources of a family."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from gavel_tb.synthesis.families import BLOCK_RAM, FLIP_FLOP, LATCH, LUT, LUT_RAM, Family


@dataclass(frozen=True, kw_only=True)
class Area:
    """Resources.

    Attributes
    ----------
    luts
        LUTs, those of carry chains and of memories included.
    flip_flops, latches
        Registers.
    block_rams
        In units of the family's ``ram_title``.
    lut_rams
        Cells that are memories made of LUTs.
    """

    luts: int = 0
    flip_flops: int = 0
    block_rams: int = 0
    lut_rams: int = 0
    latches: int = 0

    def __add__(self, other: Area) -> Area:
        mine, theirs = asdict(self), asdict(other)
        return Area(**{name: value + theirs[name] for name, value in mine.items()})

    def __mul__(self, times: int) -> Area:
        return Area(**{name: value * times for name, value in asdict(self).items()})

    def beyond(self, family: Family) -> str:
        """What does not fit into the family's device, for people; "" if all of it does."""
        missing = [f"{have:,} {title} of {family.capacity[kind]:,}"
                   for kind, have, title in ((LUT, self.luts, family.lut_title),
                                             (FLIP_FLOP, self.flip_flops, "flip-flops"),
                                             (BLOCK_RAM, self.block_rams, family.ram_title))
                   if have > family.capacity.get(kind, have)]
        return ", ".join(missing)


def area_of(cells: Mapping[str, int], family: Family) -> Area:
    """Resources of cells, given as numbers by type."""
    sums: Tally[str] = Tally()
    for cell, number in cells.items():
        kind = family.kind(cell)
        worth = family.worth.get(cell, 1)
        sums[kind] += number * (1 if kind == LUT_RAM else worth)
        if kind == LUT_RAM:
            sums[LUT] += number * worth
    return Area(**{kind: sums[kind] for kind in (LUT, FLIP_FLOP, BLOCK_RAM, LUT_RAM, LATCH)})
