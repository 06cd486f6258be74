# SPDX-License-Identifier: Apache-2.0
"""Places for the block RAMs of a switch on an ECP5: those of each port in a room of their own.

Block RAM stands in a few rows of the device. Left alone, nextpnr spreads the block RAMs of every
port over whole rows, and the logic follows them, so that the blocks of a port stand far apart and
those of several ports between each other. With this plan each port has a rectangle of the device,
and its block RAMs stand there from the start. nextpnr leaves a cell with an attribute ``BEL`` where
that says, and places all others around it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from gavel_tb.synthesis.output_registers import BLOCK_RAM_CELL

DEVICE = "LFE5U-85F"
"""The one whose rows of block RAM are known here; the UM and UM5G of that size have the same."""

COLUMNS, ROWS = 127, 95
"""Of the device, in tiles."""

_BLOCK_RAM_ROWS = (22, 46, 70, 82)
_GROUPS = (4, 13, 22, 31, 40, 49, 58, 69, 78, 87, 96, 105, 114)
"""First columns of groups of four block RAMs, which are two columns apart (as nextpnr's chip
database of Project Trellis names their tiles)."""

_IN_GROUP, _APART = 4, 2

_PORT = re.compile(r"(?P<port>(?:^|.*\.)port(?P<number>\d+))\.(?P<block>\w+)")
_NEAREST_FIRST = ("ingress_buffer", "llr_transmitter", "lookup")
"""Blocks of a port from the middle of the device outwards: what the crossbar reads stands next to
it."""

_MIDDLE = (COLUMNS / 2, ROWS / 2)


@dataclass(frozen=True)
class Site:
    """Where a block RAM may stand: column and row in tiles, and nextpnr's name of it."""

    x: int
    y: int
    name: str

    @property
    def from_middle(self) -> float:
        """Tiles to the middle of the device."""
        return abs(self.x - _MIDDLE[0]) + abs(self.y - _MIDDLE[1])


@dataclass(frozen=True)
class Room:
    """A rectangle of the device, in tiles."""

    x: float
    y: float
    width: float
    height: float

    def has(self, site: Site) -> bool:
        """The site stands in it."""
        return (self.x <= site.x < self.x + self.width
                and self.y <= site.y < self.y + self.height)

    def divided(self, number: int) -> list[Room]:
        """So many rooms of equal area: halves of halves, from bottom to top, then from left to
        right, and so on."""
        return _divided(self, number, upright=True)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What was planned.

    Attributes
    ----------
    block_rams
        How many there are.
    placed
        How many of them have a place.
    ports
        How many ports have a room.
    why_not
        Why none has a place, or "".
    """

    block_rams: int
    placed: int = 0
    ports: int = 0
    why_not: str = ""

    @property
    def sentence(self) -> str:
        """For people."""
        if self.why_not:
            return f"no block RAM of {self.block_rams:,} has a place: {self.why_not}"
        return (f"{self.placed:,} of {self.block_rams:,} block RAMs have a place, "
                f"in {self.ports:,} rooms")


def sites() -> list[Site]:
    """All of the device."""
    return [Site(group + _APART * number, row, f"X{group + _APART * number}/Y{row}/EBR{number}")
            for group in _GROUPS for number in range(_IN_GROUP) for row in _BLOCK_RAM_ROWS]


def plan(netlist: dict[str, Any]) -> Planned:
    """Changes a flattened netlist, as Yosys' ``write_json`` has it, in its place.

    Block RAMs of the top module get places: those of each port in its room, others next to the
    middle. Nothing is planned where no port has any, or one has more than its room has sites.
    """
    cells = {name: cell for module in netlist["modules"].values() if _is_top(module)
             for name, cell in module["cells"].items() if cell["type"] == BLOCK_RAM_CELL}
    ports: dict[tuple[int, str], list[str]] = defaultdict(list)
    others = []
    for name in sorted(cells, key=_natural):
        found = _PORT.match(name)
        if found:
            ports[int(found["number"]), found["port"]].append(name)
        else:
            others.append(name)
    if not ports:
        return Planned(block_rams=len(cells), why_not="no port has any")
    rooms = Room(0, 0, COLUMNS, ROWS).divided(len(ports))
    free = sorted(sites(), key=lambda site: site.from_middle)
    places: dict[str, Site] = {}
    for (_, port), room in zip(sorted(ports), rooms, strict=True):
        mine = [site for site in free if room.has(site)]
        names = sorted(ports[_, port], key=_nearest_first)
        if len(names) > len(mine):
            return Planned(block_rams=len(cells), why_not=(
                f"{port} has {len(names)}, and its room {len(mine)} sites"))
        places |= dict(zip(names, mine, strict=False))
    taken = set(places.values())
    places |= dict(zip(others, (site for site in free if site not in taken), strict=False))
    for name, site in places.items():
        cells[name].setdefault("attributes", {})["BEL"] = site.name
    return Planned(block_rams=len(cells), placed=len(places), ports=len(ports))


def _is_top(module: dict[str, Any]) -> bool:
    # A number in binary; whatever else stands there is no top.
    attributes = module.get("attributes")
    return isinstance(attributes, dict) and "1" in str(attributes.get("top", "0"))


def _divided(room: Room, number: int, *, upright: bool) -> list[Room]:
    if number == 1:
        return [room]
    first = number // 2
    share = first / number
    if upright:
        height = room.height * share
        halves = (Room(room.x, room.y, room.width, height),
                  Room(room.x, room.y + height, room.width, room.height - height))
    else:
        width = room.width * share
        halves = (Room(room.x, room.y, width, room.height),
                  Room(room.x + width, room.y, room.width - width, room.height))
    return [inner for half, count in zip(halves, (first, number - first), strict=True)
            for inner in _divided(half, count, upright=not upright)]


def _natural(name: str) -> list[tuple[int, str]]:
    """For sorting: numbers in a name by their value."""
    return [(int(part), "") if part.isdigit() else (0, part)
            for part in re.split(r"(\d+)", name)]


def _nearest_first(name: str) -> int:
    found = _PORT.match(name)
    block = found["block"] if found else ""
    return _NEAREST_FIRST.index(block) if block in _NEAREST_FIRST else len(_NEAREST_FIRST)
