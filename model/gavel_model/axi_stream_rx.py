# SPDX-License-Identifier: Apache-2.0
"""From AXI4-Stream to the receive pins of a port (docs/axi_stream.md, AxiStreamRx)."""

from __future__ import annotations

from typing import NamedTuple

from gavel_model.config import SwitchConfig
from gavel_model.pins import RxPins


class AxiStreamWord(NamedTuple):
    """What a source of AXI4-Stream shows in one cycle."""

    tvalid: int = 0
    tdata: int = 0
    tkeep: int = 0
    tlast: int = 0
    tuser: int = 0


class AxiStreamRx:
    """Receive side of the adapter.

    Attributes
    ----------
    pins
        The receive pins of the port, as visible in the cycle.
    """

    __slots__ = ("_lanes", "_open", "pins")

    def __init__(self, config: SwitchConfig) -> None:
        self._lanes = config.word_bytes
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._open = False
        self.pins = RxPins(up=0)

    def step(self, word: AxiStreamWord, link_up: int) -> None:
        """Takes the word on the stream, and the link status."""
        if not word.tvalid:
            self.pins = RxPins(up=link_up)
            return
        used = 0
        while used < self._lanes and word.tkeep >> used & 1:
            used += 1
        malformed = used == 0 or word.tkeep >> used != 0 or (not word.tlast and used < self._lanes)
        used = max(used, 1)
        self.pins = RxPins(valid=1, sop=int(not self._open), eop=word.tlast,
                           err=int(malformed or word.tuser), empty=self._lanes - used, up=link_up,
                           data=word.tdata & (1 << 8 * used) - 1)
        self._open = not word.tlast
