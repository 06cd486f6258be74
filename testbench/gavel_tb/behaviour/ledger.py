# SPDX-License-Identifier: Apache-2.0
"""The frames of a scenario: each arrives once, in order, where it must, unless it is written off.

Order is kept among the frames of one source, destination, VC and eligibility: what is sent again
may be overtaken by what link-level retry does not look after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gavel_model.config import FCS_BYTES, SwitchConfig
from gavel_model.frame import append_fcs
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_tb.frames import NUMBER_BYTES, NUMBER_OFFSET, FrameFactory
from gavel_tb.partner.outgoing import poisoned
from gavel_tb.stimulus import CheckError, derived_random

Edit = Callable[[bytes], bytes]
"""Another header: gets a frame without FCS, gives one of the same length."""

_NUMBER = slice(NUMBER_OFFSET, NUMBER_OFFSET + NUMBER_BYTES)


@dataclass(slots=True)
class Entry:
    """A frame.

    Attributes
    ----------
    number
        Unique in the scenario; also in the frame's bytes.
    source, destination
        Ports.
    data
        As it must arrive.
    eligible
        Its partner sends it as an eligible one.
    vc
        Where it belongs.
    arrived
        Cycle in which it arrived, None: it has not.
    """

    number: int
    source: int
    destination: int
    data: bytes
    eligible: bool
    vc: int = 0
    arrived: int | None = None


class Ledger:
    """Builds the frames of a scenario and knows where they are.

    Attributes
    ----------
    entries
        All frames in the order in which they were made.
    outstanding
        Frames that have neither arrived nor been written off.
    lost
        Numbers of the frames that were written off.
    """

    def __init__(self, config: SwitchConfig, seed: int) -> None:
        self._factory = FrameFactory(config)
        self._profile = PROFILE_NAMES.index(config.profile)
        self._rng = derived_random(seed, "frames")
        self._newest: dict[tuple[int, int, int, bool], int] = {}
        self.entries: list[Entry] = []
        self.outstanding = 0
        self.lost: set[int] = set()

    def make(self, source: int, destination: int, size: int, *, eligible: bool = True,
             poison: bool = False, vc: int = 0, traffic_class: int | None = None,
             edit: Edit | None = None) -> tuple[Entry, bytes]:
        """A new frame, and its bytes with a good FCS. Its class is the number of its VC if none is
        given."""
        factory, number = self._factory, self._profile
        frame = factory.build(self._rng, source, number, size=size,
                              dst=factory.address(PROFILES[number], destination),
                              traffic_class=vc if traffic_class is None else traffic_class)
        good = frame.data if edit is None else append_fcs(edit(frame.data[:-FCS_BYTES]))
        entry = Entry(frame.number, source, destination, poisoned(good) if poison else good,
                      eligible, vc)
        self.entries.append(entry)
        self.outstanding += 1
        return entry, good

    def find(self, data: bytes) -> Entry | None:
        """The frame with these bytes, or none."""
        number = int.from_bytes(data[_NUMBER], "big")
        return self.entries[number] if number < len(self.entries) else None

    def write_off(self, entries: Iterable[Entry]) -> None:
        """These frames must not arrive any more."""
        for entry in entries:
            self._must(entry.arrived is None and entry.number not in self.lost, entry,
                       "is written off, but has arrived or was written off before")
            self.lost.add(entry.number)
            self.outstanding -= 1

    def arrived(self, port: int, data: bytes, cycle: int) -> Entry:
        """A frame has arrived.

        Raises
        ------
        CheckError
            If it must not have come, or not so.
        """
        entry = self.find(data)
        if entry is None:
            raise CheckError(f"output {port}: a frame of {len(data)} bytes that nobody has sent")
        self._must(entry.data == data, entry, "has changed on its way")
        self._must(entry.destination == port, entry, f"came to output {port}")
        self._must(entry.number not in self.lost, entry, "was given up, and has arrived")
        self._must(entry.arrived is None, entry, "has arrived a second time")
        key = entry.source, entry.destination, entry.vc, entry.eligible
        self._must(self._newest.get(key, -1) < entry.number, entry,
                   f"has been overtaken by frame {self._newest.get(key)}")
        self._newest[key] = entry.number
        entry.arrived = cycle
        self.outstanding -= 1
        return entry

    def missing(self) -> list[Entry]:
        """Frames that have neither arrived nor been written off."""
        return [entry for entry in self.entries
                if entry.arrived is None and entry.number not in self.lost]

    @staticmethod
    def _must(condition: bool, entry: Entry, text: str) -> None:
        if not condition:
            raise CheckError(f"frame {entry.number} from port {entry.source} to port "
                             f"{entry.destination} {text}")
