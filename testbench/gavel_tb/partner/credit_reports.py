# SPDX-License-Identifier: Apache-2.0
"""When a link partner gives credits back, and for which VCs."""

from __future__ import annotations

from gavel_model.mac_control import CC_BITS
from gavel_model.ordered_set import CF_BITS, CreditUpdate
from gavel_tb.partner.flow_settings import FlowSettings
from gavel_tb.partner.misbehaviour import Fault, Switchboard
from gavel_tb.partner.receive_buffer import ReceiveBuffer
from gavel_tb.partner.settings import NEVER

_FREED = (1 << CF_BITS) - 1
_HALF = 1 << CC_BITS - 1


class CreditReports:
    """Reports two VCs at a time: the next one that has credits to give back, and that which has
    most.

    Parameters
    ----------
    flow, word_bytes
        What was agreed, and bytes of a word.
    buffer
        What is reported.
    faults
        What is to go wrong.

    Attributes
    ----------
    due
        First cycle in which there may be something to report.
    sent, recovered, errors
        Counts: CF_Updates; CC_Updates that gave credits back, and that said less than has come.
    """

    def __init__(
        self, flow: FlowSettings, word_bytes: int, buffer: ReceiveBuffer, faults: Switchboard
    ) -> None:
        self._buffer = buffer
        self._faults = faults
        self._channels = flow.channels
        self._least = -(-flow.cf_min // word_bytes)
        self._most = max(self._least, flow.cf_max // word_bytes)
        self._reported = [0] * flow.vcs
        self._asked = [False] * flow.vcs
        self._turn = 0
        self._last = -NEVER
        self._again: CreditUpdate | None = None
        self.due = 0 if self._channels else NEVER
        self.sent = self.recovered = self.errors = 0

    def counts(self, consumed: tuple[int, ...]) -> None:
        """A CC_Update: credits of all frames that were sent to here."""
        buffer = self._buffer
        ahead = [consumed[vc] - buffer.received[vc] & 2 * _HALF - 1 for vc in self._channels]
        self.recovered += any(0 < count < _HALF for count in ahead)
        self.errors += any(count >= _HALF for count in ahead)
        for vc in self._channels:
            buffer.received[vc] = consumed[vc]
            self._asked[vc] = True
        self.changed()

    def changed(self) -> None:
        """There may be more to report."""
        if self._channels:
            wanted = any(map(self._weight, self._channels))
            self.due = self._last + (self._least if wanted else self._most)
            if self._again is not None:
                self.due = self._last

    def take(self, now: int) -> CreditUpdate | None:
        """What to send in this cycle, which is not before `due`."""
        if self._again is not None:
            item, self._again = self._again, None
            self.changed()
            return item
        faults = self._faults
        first = self._next()
        second = self._heaviest(first)
        counts = [self._report(vc) for vc in (first, second)]
        self._turn = first + 1
        self._last = now
        self.changed()
        if faults:
            if faults.take(Fault.NO_CF) is not None:
                return None
            counts[0] = counts[0] + (faults.take(Fault.CF_COUNT) or 0) & _FREED
            other = faults.take(Fault.CF_VC)
            first = first if other is None else other
        item = CreditUpdate(first, counts[0], second, counts[1])
        if faults and faults.take(Fault.CF_AGAIN) is not None:
            self._again = item
            self.changed()
        self.sent += 1
        return item

    def _weight(self, vc: int) -> int:
        pending = self._buffer.freed(vc) - self._reported[vc] & _FREED
        return 2 * pending + self._asked[vc]

    def _next(self) -> int:
        """The VC whose turn it is, so that one with little to report waits for no busy ones."""
        order = sorted(self._channels, key=lambda vc: (vc < self._turn, vc))
        return next((vc for vc in order if self._weight(vc)), order[0])

    def _heaviest(self, but: int) -> int:
        channels = [vc for vc in self._channels if vc != but] or list(self._channels)
        start = self._turn
        return max(channels, key=lambda vc: (self._weight(vc), vc >= start, -vc))

    def _report(self, vc: int) -> int:
        self._asked[vc] = False
        self._reported[vc] = self._buffer.freed(vc) & _FREED
        return self._reported[vc]
