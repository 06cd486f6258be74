# SPDX-License-Identifier: Apache-2.0
"""Scenarios of a peer that was told another size of a credit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from gavel_tb.behaviour.flow.plan import EndPlan
from gavel_tb.behaviour.flow.scenario import FlowScenario
from gavel_tb.behaviour.judgement import SOME, C, Counts
from gavel_tb.behaviour.steps import Script
from gavel_tb.partner.flow_settings import CreditSize

_SIZE = 200


class _OtherSize(FlowScenario):
    """Both directions of port 0's link: counters tell it, and frames go on, for each CC_Update
    brings the counts together again. No frame is lost."""

    WIDTHS = (512,)
    LINKS = (0, 1)
    CREDITS = 1
    UNIT: ClassVar[CreditSize]
    """Of the partner at port 0; the switch has credits of 64 bytes."""

    FRAMES: ClassVar[Mapping[int, int]] = {64: 60, 512: 150}

    def _plan(self, port: int) -> EndPlan:
        plan = super()._plan(port)
        flow = replace(plan.flow, cc_period=200)
        plan = replace(plan, flow=flow)
        if port:
            return plan
        theirs = plan.partner_flow
        theirs = replace(theirs, own=replace(theirs.own, unit=self.UNIT),
                         peer=replace(theirs.peer, unit=self.UNIT))
        # The checker knows one size only.
        return replace(plan, theirs=theirs, watched=False)

    def _play(self) -> Script:
        yield from self.bring_up()
        frames = self.FRAMES[self.config.data_width]
        self.send(0, 1, frames, _SIZE)
        self.send(1, 0, frames, _SIZE)
        yield from self.until(lambda: not self.ledger.outstanding, "all has arrived")
        yield from self.cycles(500)
        self._judge()

    def _judge(self) -> None:
        """Looks at what the partner has found."""
        raise NotImplementedError


class PeerCountsLess(_OtherSize):
    """The peer counts half: CC_Updates say less than has come, and CF_Updates give less back than
    was consumed."""

    UNIT = CreditSize(128)

    def _judge(self) -> None:
        reports = self.flow(0).reports
        self.must(reports.recovered > 0 and reports.errors == 0,
                  "the switch's CC_Updates do not give the rest back")

    def _expected(self) -> Mapping[int, Counts]:
        return {0: {C.CBFC_RX_CC_ERROR: SOME}}


class PeerCountsMore(_OtherSize):
    """The peer counts double: CC_Updates say more than has come, and CF_Updates give more back
    than was consumed, which is refused."""

    UNIT = CreditSize(32)

    def _judge(self) -> None:
        flow = self.flow(0)
        self.must(flow.reports.errors > 0 and flow.credits.refused == 0,
                  "the switch's CC_Updates do not take the surplus back")

    def _expected(self) -> Mapping[int, Counts]:
        return {0: {C.CBFC_RX_RECOVERED: SOME, C.CBFC_RX_CF_ERROR: SOME}}
