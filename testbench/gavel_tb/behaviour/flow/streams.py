# SPDX-License-Identifier: Apache-2.0
"""Frames that a link partner sends without end, each VC at a load of its own."""

from __future__ import annotations

from dataclasses import dataclass

from gavel_model.config import SwitchConfig
from gavel_tb.behaviour.ledger import Ledger
from gavel_tb.partner.outgoing import OutFrame


@dataclass
class Stream:
    """Frames of a VC.

    Attributes
    ----------
    destination
        Port.
    size
        Bytes of each.
    load
        Share of the line rate that is offered.
    since
        Cycle from which on they are offered.
    sent
        Words of the frames given so far.
    """

    destination: int
    size: int
    load: float
    since: int
    sent: int = 0


class Streams:
    """The streams of a port.

    Parameters
    ----------
    config, port, ledger
        The switch, where the frames come from, and who knows them.
    """

    def __init__(self, config: SwitchConfig, port: int, ledger: Ledger) -> None:
        self._word_bytes = config.word_bytes
        self._port = port
        self._ledger = ledger
        self._streams: dict[int, Stream] = {}

    def begin(self, vc: int, now: int, destination: int, size: int, load: float = 1.0) -> None:
        """From now on frames of a VC are offered."""
        self._streams[vc] = Stream(destination, size, load, now)

    def end(self, vc: int | None = None) -> None:
        """No further frame of a VC, or of any, is offered."""
        for n in list(self._streams) if vc is None else (vc,):
            self._streams.pop(n, None)

    def next(self, vc: int, now: int) -> OutFrame | None:
        """The next frame of a VC, if it is time for one."""
        stream = self._streams.get(vc)
        # What could not be sent for lack of credits stays due.
        if stream is None or stream.sent > (now - stream.since) * stream.load:
            return None
        entry, data = self._ledger.make(self._port, stream.destination, stream.size, vc=vc)
        stream.sent += -(-stream.size // self._word_bytes)
        return OutFrame(data, entry)
