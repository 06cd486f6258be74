# SPDX-License-Identifier: Apache-2.0
"""The stream of records of telemetry (docs/telemetry.md, Records)."""

from __future__ import annotations

from collections.abc import Sequence

from gavel_model.config import SwitchConfig
from gavel_model.record_format import (
    HEAD,
    HEAD_WORDS,
    LOST_BITS,
    MARK,
    PORT,
    PORT_WORDS,
    VERSION,
    WORD_BITS,
    pack,
)
from gavel_model.record_sums import RecordSums, Sample

_INTERVAL_MASK = (1 << HEAD["interval"]) - 1
_LOST_MASK = (1 << LOST_BITS) - 1


class TelemetryStream:
    """Sums up intervals of all ports, and sends a record of each as AXI4-Stream.

    Attributes
    ----------
    lost_count
        Register ``STREAM_LOST``, as visible in the cycle.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._ports = config.ports
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._sums = [RecordSums() for _ in range(self._ports)]
        self._words: list[int] = []
        self._elapsed = 0
        self._interval = 0
        self._due_cycle: int | None = None
        self.lost_count = 0

    @property
    def due(self) -> bool:
        """The record of an interval is made or lost in this cycle."""
        return self._due_cycle is not None

    @property
    def tvalid(self) -> int:
        """A word is on the pins."""
        return int(bool(self._words))

    @property
    def tdata(self) -> int:
        """It; 0 without."""
        return self._words[0] if self._words else 0

    @property
    def tlast(self) -> int:
        """It is the last of its record."""
        return int(len(self._words) == 1)

    def step(self, samples: Sequence[Sample], events: Sequence[int], cycle: int, *, period: int,
             period_written: int, tready: int) -> bool:
        """One cycle.

        Parameters
        ----------
        samples
            What was observed of each port in the cycle before.
        events
            Register ``EVENTS`` of each port as visible in this cycle.
        cycle
            Number of the cycle before.
        period
            Register ``STREAM_PERIOD`` as visible in this cycle.
        period_written
            It was written in the cycle before.
        tready
            Pin.

        Returns
        -------
        Whether a record is lost.
        """
        ended, self._due_cycle = self._due_cycle, None
        busy = bool(self._words)
        if busy and tready:
            self._words.pop(0)
        made = ended is not None and not busy
        lost = ended is not None and busy
        if made:
            assert ended is not None
            self._words = self._record(ended, events)
        if lost:
            self.lost_count = self.lost_count + 1 & _LOST_MASK
        if ended is not None:
            self._interval = self._interval + 1 & _INTERVAL_MASK
        if period_written:
            self._interval = 0
        begins = period_written or ended is not None
        self._elapsed = 1 if begins else self._elapsed + 1
        if period and self._elapsed == period:
            self._due_cycle = cycle
        for sums, sample in zip(self._sums, samples, strict=True):
            if made or period_written:
                sums.reset()
            sums.step(sample)
        return lost

    def _record(self, cycle: int, events: Sequence[int]) -> list[int]:
        head = pack(HEAD, {"mark": MARK, "version": VERSION, "ports": self._ports,
                           "interval": self._interval, "cycle": cycle})
        words = _split(head, HEAD_WORDS)
        for sums, port_events in zip(self._sums, events, strict=True):
            words += _split(pack(PORT, sums.fields(port_events)), PORT_WORDS)
        return words


def _split(number: int, words: int) -> list[int]:
    return [number >> WORD_BITS * n & (1 << WORD_BITS) - 1 for n in range(words)]
