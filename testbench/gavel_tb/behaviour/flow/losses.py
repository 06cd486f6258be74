# SPDX-License-Identifier: Apache-2.0
"""Scenarios of CF_Updates and CC_Updates that are lost, damaged or repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from gavel_model.ordered_set import CF_UPDATE
from gavel_tb.behaviour.flow.plan import EndPlan
from gavel_tb.behaviour.flow.scenario import FlowScenario
from gavel_tb.behaviour.judgement import SOME, C, Counts
from gavel_tb.behaviour.steps import Script
from gavel_tb.partner.misbehaviour import Fault


class _Credits(FlowScenario):
    """Frames go both ways between the partners of ports 0 and 1, on two VCs. What happens to
    ordered sets happens in both directions of port 0's link."""

    LINKS = (0, 1)
    CREDITS = 0b11
    CC_PERIOD: ClassVar[int] = 400
    FRAMES: ClassVar[Mapping[int, int]] = {64: 60, 512: 150}
    def _plan(self, port: int) -> EndPlan:
        plan = super()._plan(port)
        return replace(plan, flow=replace(plan.flow, cc_period=self.CC_PERIOD))

    def _play(self) -> Script:
        yield from self.bring_up()
        self._prepare()
        frames = self.FRAMES[self.config.data_width]
        for vc in (0, 1):
            self.send(0, 1, frames, vc=vc, size=100)
            self.send(1, 0, frames, vc=vc, size=100)
        yield from self._meanwhile()
        yield from self.drain()
        flow = self.flow(0)
        self._judge(flow.credits.refused, flow.reports.recovered, flow.reports.errors)

    def _prepare(self) -> None:
        """What is to happen."""

    def _meanwhile(self) -> Script:
        """What else happens."""
        yield

    def _judge(self, refused: int, recovered: int, errors: int) -> None:
        """Looks at what the partner of port 0 found in what the switch said."""
        self.must((refused, recovered, errors) == (0, 0, 0),
                  f"{refused} refused, {recovered} recovered, {errors} errors at the partner")


class CreditsLost(_Credits):
    """Six CF_Updates are lost: the next one makes it good, for it says absolute counts."""

    def _prepare(self) -> None:
        for tap in (self.ends[0].out_tap, self.ends[0].back_tap):
            tap.lose_sets(CF_UPDATE, 6)


class CreditsRepeated(_Credits):
    """CF_Updates come twice: the second one frees nothing."""

    WIDTHS = (512,)

    def _prepare(self) -> None:
        for tap in (self.ends[0].out_tap, self.ends[0].back_tap):
            tap.repeat_sets(CF_UPDATE, 6)


class CreditsDamaged(_Credits):
    """A bit of CF_Updates is flipped: the check finds it, and the next one makes it good."""

    BIT: ClassVar[int] = 25

    def _prepare(self) -> None:
        for tap in (self.ends[0].out_tap, self.ends[0].back_tap):
            tap.flip_sets(CF_UPDATE, self.BIT, 6)

    def _expected(self) -> Mapping[int, Counts]:
        return {0: {C.LLR_RX_CTL_UNKNOWN: 6}}


class CreditsDamagedFar(CreditsDamaged):
    """The public layout has no check: a count that is off by 2^13 cannot be, and is refused."""

    WIDTHS = (512,)
    PROTECT = False
    BIT = 9
    """Bit 13 of the count of entry 0, in D2."""

    def _judge(self, refused: int, recovered: int, errors: int) -> None:
        self.must(refused == 6 and recovered == errors == 0,
                  f"{refused} refused, {recovered} recovered, {errors} errors at the partner")

    def _expected(self) -> Mapping[int, Counts]:
        return {0: {C.CBFC_RX_CF_ERROR: 6}}


class CreditsDamagedNear(CreditsDamaged):
    """The public layout has no check: a count that is off by one is believed if it can be, and what
    comes after it is refused until it can be again. In the end all counts are right."""

    WIDTHS = (512,)
    PROTECT = False
    BIT = 28
    """Bit 0 of the count of entry 0, in D4."""

    def _judge(self, refused: int, recovered: int, errors: int) -> None:
        self.must(recovered == errors == 0, "CC_Updates of the switch are not right")

    def _expected(self) -> Mapping[int, Counts]:
        return {0: {C.CBFC_RX_CF_ERROR: SOME}}


class CountsInReplay(_Credits):
    """A frame of each direction is lost, and CC_Updates that were sent behind it arrive before it
    is sent again: link-level retry does not accept them, so nothing is given back too early."""

    CC_PERIOD = 25
    LOST: ClassVar[int] = 40

    def _prepare(self) -> None:
        end = self.ends[0]
        end.out_tap.lose_frame(self.LOST)
        end.back_tap.lose_frame(self.LOST)

    def _meanwhile(self) -> Script:
        log = self.ends[0].log
        yield from self.until(lambda: any(not seen.new for seen in log.out), "a replay")
        late = [seen for seen in log.out if seen.new and seen.seq is not None
                and seen.seq > self.LOST]
        self.must(any(seen.control is not None for seen in late),
                  "no CC_Update was sent between loss and replay")
        self.must(any(seen.control is not None and seen not in log.accepted
                      for seen in log.back), "no CC_Update came before its turn")

    def _expected(self) -> Mapping[int, Counts]:
        return {0: {C.RX_LLR: SOME, C.LLR_TX_REPLAY: 1}}


class CountsLost(_Credits):
    """Without link-level retry frames arrive damaged and are lost, and the CC_Update after them,
    too: the next one gives everything back."""

    WIDTHS = (512,)
    LLR = False
    LOST: ClassVar[int] = 6

    def _prepare(self) -> None:
        for tap in (self.ends[0].out_tap, self.ends[0].back_tap):
            tap.spoil_next = self.LOST
            tap.lose_controls = 1

    def _meanwhile(self) -> Script:
        partners = self.partner(0), self.partner(1)
        yield from self.until(lambda: all(partner.sender.idle for partner in partners), "all sent")
        yield from self.cycles(200)
        missing = self.ledger.missing()
        self.must([entry.source for entry in missing].count(0) == self.LOST
                  and len(missing) == 2 * self.LOST, f"{len(missing)} frames are lost")
        self.ledger.write_off(missing)

    def _judge(self, refused: int, recovered: int, errors: int) -> None:
        self.must((refused, recovered, errors) == (0, 1, 0),
                  f"{refused} refused, {recovered} recovered, {errors} errors at the partner")
        end = self.ends[0]
        self.must(end.out_tap.lost_frames == end.back_tap.lost_frames == 1,
                  "no CC_Update was lost")

    def _expected(self) -> Mapping[int, Counts]:
        return {0: {C.RX_FCS: self.LOST, C.CBFC_RX_RECOVERED: 1}}


class CountsRetried(_Credits):
    """With link-level retry a CC_Update that is lost is sent again, as it was, and gives nothing
    back, for nothing is missing."""

    WIDTHS = (512,)

    def _prepare(self) -> None:
        for tap in (self.ends[0].out_tap, self.ends[0].back_tap):
            tap.lose_controls = 1

    def _meanwhile(self) -> Script:
        log = self.ends[0].log
        yield from self.until(
            lambda: any(not seen.new and seen.control is not None for seen in log.out),
            "a CC_Update is sent again")

    def _expected(self) -> Mapping[int, Counts]:
        return {0: {C.RX_LLR: SOME, C.LLR_TX_REPLAY: 1}}


class CountsRepeated(_Credits):
    """CC_Updates come twice: the second one does nothing."""

    WIDTHS = (512,)

    def _prepare(self) -> None:
        self.partner(0).faults.arm(Fault.CC_AGAIN, times=3)

    def _judge(self, refused: int, recovered: int, errors: int) -> None:
        super()._judge(refused, recovered, errors)
        self.must(self.partner(0).faults.happened[Fault.CC_AGAIN] == 3, "they did not")
