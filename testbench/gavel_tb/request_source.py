# SPDX-License-Identifier: Apache-2.0
"""Requests and responses: what a partner reads makes it send."""

from __future__ import annotations

from collections import deque
from typing import Any

from gavel_model.config import MIN_FRAME_BYTES
from gavel_tb.frames import SentFrame
from gavel_tb.llr_deliveries import number_of
from gavel_tb.llr_source import PartnerSource
from gavel_tb.partner.flow import Flow
from gavel_tb.partner.outgoing import OutFrame
from gavel_tb.partner.receiver import Arrival

DEPTH = 4
"""Responses of a VC that a partner may owe before it stops to read the requests for them."""


class RequestSource(PartnerSource):
    """Sends requests on VC 0, 2, ... and for each that it has read a response on the VC above. A VC
    that is left over carries what it carries without requests.

    Requests have the shortest length; responses, and the rest, that of the run.

    Attributes
    ----------
    responses
        Responses that were sent.
    holds
        How often reading of requests stopped, because too many responses were owed.
    """

    def __init__(self, *arguments: Any, flow: Flow, rate: float, **options: Any) -> None:
        """``flow`` and ``rate`` are the partner's: how fast it reads when it does."""
        super().__init__(*arguments, **options)
        self._flow = flow
        self._rate = rate
        self._paired = self._config.vcs // 2 * 2
        self._heard: dict[int, SentFrame] = {}
        self._owed: list[deque[int]] = [deque() for _ in range(self._config.vcs)]
        self._drawing = 0
        self._answer_to: int | None = None
        self._now = 0
        self.responses = self.holds = 0
        flow.buffer.read = self._read

    @property
    def owes(self) -> bool:
        """A response is still to be sent."""
        return bool(self._heard) or any(self._owed)

    def heard(self, frame: SentFrame) -> None:
        """A frame has arrived, and will be read."""
        if frame.traffic_class % self._config.vcs in range(0, self._paired, 2):
            self._heard[frame.number] = frame

    def _read(self, arrival: Arrival) -> None:
        request = self._heard.pop(number_of(arrival.data), None)
        if request is None:
            return
        vc = request.traffic_class % self._config.vcs
        owed = self._owed[vc + 1]
        owed.append(request.source)
        if len(owed) == DEPTH:
            self.holds += 1
            self._flow.set_rate(0.0, self._now, vc)

    def refill_vc(self, vc: int, now: int) -> OutFrame | None:
        """The next request, or a response that is owed."""
        self._now = now
        self._drawing = vc
        if vc >= self._paired or not vc & 1:
            return super().refill_vc(vc, now)
        owed = self._owed[vc]
        if not owed:
            return None
        self._answer_to = owed[0]
        frame = self._take(vc, now)
        self._answer_to = None
        owed.popleft()
        if len(owed) == DEPTH - 1:
            self._flow.set_rate(self._rate, now, vc - 1)
        self.responses += 1
        return frame

    def _destination(self) -> int:
        return super()._destination() if self._answer_to is None else self._answer_to

    def _frame_size(self) -> int:
        vc = self._drawing
        return MIN_FRAME_BYTES if vc < self._paired and not vc & 1 else super()._frame_size()
