# SPDX-License-Identifier: Apache-2.0
"""Scenarios of beginning again: link faults, peers that forget, what the management does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from gavel_model.ordered_set import CF_UPDATE, Kind
from gavel_model.register_map import Port, VcControl
from gavel_tb.behaviour.flow.plan import (
    EndPlan,
    cbfc_control,
    limits,
    line_rate_credits,
    partner_loop,
)
from gavel_tb.behaviour.flow.scenario import FlowScenario
from gavel_tb.behaviour.judgement import SOME, C, Counts
from gavel_tb.behaviour.ledger import Entry
from gavel_tb.behaviour.steps import Script
from gavel_tb.partner.receiver import ReceiverState

_SIZE = 200


class LinkFault(FlowScenario):
    """The link of port 0 loses everything for so long that the switch gives up its replay buffer
    and says INIT again. Frames are lost, and nobody knows how many; all credits come home by
    themselves, and the line has its rate again."""

    LINKS = (0, 1)
    CREDITS = 0b11
    REPLAY_TIMER = 300
    REPLAY_COUNT = 2
    RESYNC: ClassVar[bool] = True
    CYCLES: ClassVar[Mapping[int, int]] = {64: 1200, 512: 400}

    def _plan(self, port: int) -> EndPlan:
        config, plan = self.config, super()._plan(port)
        peer = limits(config, line_rate_credits(
            config, partner_loop(config, self.DELAY, _SIZE), _SIZE))
        # The rules' checker knows nothing of frames that are given up before they are on the pins.
        return replace(plan, flow=replace(plan.flow, peer=peer), resync=self.RESYNC,
                       watched=port != 0)

    def _play(self) -> Script:
        yield from self.bring_up()
        cycles = self.CYCLES[self.config.data_width]
        for vc in (0, 1):
            self.stream(1, 0, vc, _SIZE)
        yield from self.cycles(cycles)
        yield from self._fault()
        yield from self._repair()
        yield from self.cycles(2 * cycles)
        rate = self.rate(0, cycles // 2, size=_SIZE)
        self.must(rate > 0.98, f"the rate is {rate:.3f} afterwards")
        self.end_streams()
        yield from self.until(lambda: self.partner(1).idle, "all is sent")
        yield from self.cycles(2000)
        lost = self.ledger.missing()
        self.must(bool(lost), "no frame was lost")
        self._judge(lost)
        self.ledger.write_off(lost)
        yield from self.drain()
        yield from self._home()

    def _fault(self) -> Script:
        """What happens to the link."""
        end = self.ends[0]
        taps = end.out_tap, end.back_tap
        for tap in taps:
            tap.frames_blocked = tap.sets_blocked = True
        sets = end.log.sets_out
        yield from self.until(lambda: sets[-1].item.kind is Kind.INIT, "a new INIT")
        for tap in taps:
            tap.frames_blocked = tap.sets_blocked = False

    def _repair(self) -> Script:
        """What management does."""
        yield from self.cycles(1)

    def _judge(self, lost: list[Entry]) -> None:
        """Looks at the frames that are lost."""
        # Frames that were on the pins, and those that the flush has dropped.
        on_pins = {id(seen.entry) for seen in self.ends[0].log.frames_out}
        self._discarded = sum(id(entry) not in on_pins for entry in lost if entry.source)

    def _home(self) -> Script:
        """Each VC of port 0 has its whole limit again: what CF_Update said last is what CC_Update
        says then."""
        log = self.ends[0].log
        yield from self.cycles(2 * self.config.cf_max_spacing // self.word_bytes)
        freed = [next(count for seen in reversed(log.credits_back)
                      if (count := seen.freed(vc)) is not None) for vc in (0, 1)]
        before = len(log.counts_out)
        self.write(0, Port.CBFC_CC_PERIOD, 100)
        yield from self.until(lambda: len(log.counts_out) > before, "CC_Update")
        self.write(0, Port.CBFC_CC_PERIOD, 0)
        yield from self.written()
        consumed = [count & 0x7FFF for count in log.counts_out[-1][1][:2]]
        self.must(freed == consumed, f"{consumed} consumed, {freed} freed")

    def _expected(self) -> Mapping[int, Counts]:
        return {0: {C.LLR_TX_REPLAY: self.REPLAY_COUNT, C.LLR_TX_FLUSH: 1,
                    C.LLR_TX_DISCARD: self._discarded}}


class PeerReset(LinkFault):
    """The peer is reset: it has forgotten what it was sent, and what it has sent. Both directions
    agree anew."""

    WIDTHS = (512,)

    def _fault(self) -> Script:
        self.send(0, 1, 30, _SIZE, vc=1)
        yield from self.cycles(300)
        self.ends[0].renew()
        self.partner(0).reset()
        yield from self.until(
            lambda: self.partner(0).receiver.state is not ReceiverState.OFF, "INIT by the switch")
        self.send(0, 1, 30, _SIZE, vc=1)

    def _expected(self) -> Mapping[int, Counts]:
        # What the peer says before the switch knows that it begins again cannot be.
        return {0: {**super()._expected()[0], C.CBFC_RX_CC_ERROR: SOME, C.CBFC_RX_CF_ERROR: SOME}}


class Management(LinkFault):
    """Without resynchronisation credits are lost with the frames; management follows the order of
    docs/flow_control.md, chapter 8, on both ends, and all are there again."""

    WIDTHS = (512,)
    RESYNC = False

    def _repair(self) -> Script:
        plan, tap = self.ends[0].plan, self.ends[0].back_tap
        yield from self.cycles(1000)
        self.must(not self.ends[0].log.counts_out, "a CC_Update was sent")
        # The partner has no receiver that could be off: nothing of it is heard.
        tap.lose_sets(CF_UPDATE, self.now)
        self.write(0, Port.CBFC_CONTROL, cbfc_control(plan, sender=0b11, receiver=0))
        self.write(0, Port.VC_CONTROL, 0b11 << VcControl.STOP)
        yield from self.cycles(100)
        self.write(0, Port.CBFC_CONTROL, cbfc_control(plan, sender=0, receiver=0))
        yield from self.written()
        flow = self.flow(0)
        for vc in (0, 1):
            flow.credits.used[vc] = flow.credits.consumed[vc] = 0
            flow.credits.waiting[vc] = False
            flow.buffer.received[vc] = 0
        flow.reports.changed()
        yield from self.cycles(100)
        self.write(0, Port.CBFC_CONTROL, cbfc_control(plan, sender=0, receiver=0b11))
        self.write(0, Port.CBFC_CONTROL, cbfc_control(plan, sender=0b11, receiver=0b11))
        self.write(0, Port.VC_CONTROL, 0)
        yield from self.written()
        tap.clear()
