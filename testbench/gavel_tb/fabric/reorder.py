# SPDX-License-Identifier: Apache-2.0
"""Puts the frames of a flow in order again."""

from __future__ import annotations

from collections import Counter as Tally

from gavel_tb.workload.errors import DeliveryError
from gavel_tb.workload.message import SEQUENCE_MASK, MessageHeader

_HALF = SEQUENCE_MASK + 1 >> 1


class ReorderStatistics:
    """What reordering there was, of all flows.

    Attributes
    ----------
    distances
        Frames by reorder distance: how many places the newest frame of the flow that had come
        before was ahead (RFC 4737's late offset in packets); 0 is in order.
    waits
        Frames by cycles in the reorder buffer.
    held, peak
        Frames in all buffers of one accelerator, now and at most.
    """

    def __init__(self) -> None:
        self.distances: Tally[int] = Tally()
        self.waits: Tally[int] = Tally()
        self.held = 0
        self.peak = 0


class Resequencer:
    """Reorder buffer of a flow.

    Parameters
    ----------
    flow
        Name, for people.
    reorders
        False: the flow has one way, so a frame that is not the next one is an error at once.
    """

    __slots__ = ("_expected", "_flow", "_newest", "_parked", "_reorders")

    def __init__(self, flow: str, reorders: bool) -> None:
        self._flow = flow
        self._reorders = reorders
        self._expected = 0
        self._newest = -1
        self._parked: dict[int, tuple[MessageHeader, int]] = {}

    def put(
        self, header: MessageHeader, cycle: int, statistics: ReorderStatistics
    ) -> list[MessageHeader]:
        """A frame has come; returns those that are now in order.

        Raises
        ------
        DeliveryError
            It came before, or out of order where it must not.
        """
        number, expected = header.sequence, self._expected
        ahead = number - expected & SEQUENCE_MASK
        if ahead >= _HALF or number in self._parked or (ahead and not self._reorders):
            raise DeliveryError(
                f"{self._flow}: frame {number} came when {expected} was due: lost, repeated or out "
                "of order")
        if not self._reorders:
            self._expected = number + 1 & SEQUENCE_MASK
            return [header]
        behind = self._newest - number & SEQUENCE_MASK if self._newest >= 0 else _HALF
        if behind < _HALF:
            statistics.distances[behind] += 1
        else:
            statistics.distances[0] += 1
            self._newest = number
        if ahead:
            self._parked[number] = header, cycle
            statistics.held += 1
            statistics.peak = max(statistics.peak, statistics.held)
            return []
        ready = [header]
        statistics.waits[0] += 1
        expected = number + 1 & SEQUENCE_MASK
        while expected in self._parked:
            parked, since = self._parked.pop(expected)
            statistics.held -= 1
            statistics.waits[cycle - since] += 1
            ready.append(parked)
            expected = expected + 1 & SEQUENCE_MASK
        self._expected = expected
        return ready

    @property
    def missing(self) -> str | None:
        """What the parked frames wait for; None if there are none."""
        if not self._parked:
            return None
        return (f"{self._flow}: frame {self._expected} is missing, "
                f"{len(self._parked)} wait for it")
