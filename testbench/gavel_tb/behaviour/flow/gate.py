# SPDX-License-Identifier: Apache-2.0
"""Scenarios of what credits hold back, and from which cycle on they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from gavel_model.register_map import Port
from gavel_tb.behaviour.flow.direct import INPUT, MATCH_TO_PINS, OUTPUT, Direct
from gavel_tb.behaviour.flow.plan import (
    EndPlan,
    cbfc_control,
    limits,
    line_rate_credits,
    partner_loop,
)
from gavel_tb.behaviour.flow.scenario import FlowScenario
from gavel_tb.behaviour.judgement import C, Counts
from gavel_tb.behaviour.steps import Script
from gavel_tb.partner.flow_settings import cells_of


class _Gate(Direct):
    """Credits at the output, by the limit of the scenario."""

    VCS: ClassVar[int] = 1
    LIMIT: ClassVar[int] = 0
    """Credits above those of a longest frame."""

    TOTAL: ClassVar[bool] = False

    def _limit(self) -> int:
        return cells_of(self.config.max_frame_bytes) + self.LIMIT

    def _plan(self, port: int) -> EndPlan:
        plan = super()._plan(port)
        if port != OUTPUT:
            return plan
        peer = limits(self.config, self._limit(), total=self._limit() * self.TOTAL)
        return replace(plan, flow=replace(plan.flow, peer=peer), sender=self.VCS)


class Usable(_Gate):
    """A CF_Update on the receive pins in t lets a frame be matched in t+3, and no earlier. The
    limit is that of a longest frame: one frame of any length goes at a time."""

    TO_MATCH: ClassVar[int] = 3

    def _play(self) -> Script:
        yield from self.bring_up()
        out = self.ends[OUTPUT].log
        self.feed(INPUT, OUTPUT, frames=4)
        for count in range(1, 5):
            yield from self.cycles(60)
            self.must(len(out.out) == count, f"{len(out.out)} frames were sent, not {count}")
            if count > 1:
                came = out.credits_back[-1].cycle
                self.must(out.out[-1].first == came + self.TO_MATCH + MATCH_TO_PINS,
                          f"a frame comes {out.out[-1].first - came} cycles after its credits")
            self.give(OUTPUT, 0, count)


class UsableTotal(Usable):
    """The same in total mode: t+4."""

    TOTAL = True
    TO_MATCH = 4


class OneShort(_Gate):
    """A limit one credit below a longest frame: the VC never sends, whatever is short enough, and
    holds up no other. With that credit it sends."""

    LIMIT = -1
    VCS = 0b10

    def _play(self) -> Script:
        yield from self.bring_up()
        out = self.ends[OUTPUT].log
        for _ in range(20):
            self.feed(INPUT, OUTPUT, vc=1)
            self.feed(INPUT, OUTPUT, frames=2, vc=0)
        yield from self.quiet(200)
        self.must(out.vcs_out() == [0] * 40, "not all of VC 0, or one of VC 1")
        gaps = out.out[-1].last - out.out[0].first + 1 - sum(seen.words for seen in out.out)
        words = 64 // self.word_bytes
        self.must(gaps <= 20 * words, f"VC 0 was held up for {gaps} cycles")
        self.write(OUTPUT, Port.CBFC_LIMIT + 1, self._limit() + 1)
        given = 0
        while given < 20:
            sent = out.vcs_out().count(1)
            if sent > given:
                given = sent
                self.give(OUTPUT, 1, given)
            yield
        yield from self.cycles(60)


class Refused(_Gate):
    """Credits for a VC without credits or that is not there, and counts that cannot be, are refused
    and counted; the other entry of the same CF_Update counts."""

    def _play(self) -> Script:
        yield from self.bring_up()
        out = self.ends[OUTPUT].log
        self.feed(INPUT, OUTPUT, frames=4)
        for count, (other, freed) in enumerate(((2, 5), (7, 5), (0, 0)), start=1):
            yield from self.cycles(60)
            self.must(len(out.out) == count, f"{len(out.out)} frames were sent, not {count}")
            if other:
                self.give(OUTPUT, 0, count, other, freed)
            else:
                # More than was consumed, less than was freed before, and then what is right.
                for wrong in (count + 1, count - 2):
                    self.give(OUTPUT, 0, wrong)
                    yield from self.cycles(30)
                self.must(len(out.out) == count, "what was refused has had its effect")
                # Entry 1 is passed over if it names the VC of entry 0.
                self.give(OUTPUT, 0, count, 0, 1000)
        yield from self.cycles(60)

    def _expected(self) -> Mapping[int, Counts]:
        return {OUTPUT: {C.CBFC_RX_CF_ERROR: 4}}


class BringUp(Direct):
    """VC 1 is brought up by the order of docs/flow_control.md, chapter 8, with frames of it under
    way, while VC 0 goes on at line rate. No frame is lost, and just those count that were sent with
    credits on."""

    COUNT: ClassVar[int] = 40
    SIZE: ClassVar[int] = 256

    def _plan(self, port: int) -> EndPlan:
        plan = super()._plan(port)
        if port != OUTPUT:
            return plan
        return replace(plan, sender=0b01)

    def _play(self) -> Script:
        yield from self.bring_up()
        self._given = 0
        out, plan = self.ends[OUTPUT].log, self.ends[OUTPUT].plan
        self.feed(2, OUTPUT, frames=self.COUNT, vc=1)
        begun = self.now
        yield from self._going(60)
        incoming, sender = self.ends[2].plan, 0b01
        order = (
            (2, Port.CBFC_CONTROL, cbfc_control(incoming, sender=0, receiver=0)),
            (OUTPUT, Port.VC_CONTROL, 0b10 << 8),
        )
        for access in order:
            self.write(*access)
        yield from self._going(60)
        before = sum(vc == 1 for vc in out.vcs_out())
        self.must(0 < before < self.COUNT, f"{before} frames of VC 1 were sent before")
        self.write(OUTPUT, Port.CBFC_CONTROL, cbfc_control(plan, sender=sender, receiver=0))
        room = cells_of(self.config.max_frame_bytes) + self.COUNT
        self.write(OUTPUT, Port.CBFC_LIMIT + 1, room)
        yield from self._going(60)
        self.must(sum(vc == 1 for vc in out.vcs_out()) == before, "VC 1 was not stopped")
        sender |= 0b10
        for access in (
            (2, Port.CBFC_CONTROL, cbfc_control(incoming, sender=0, receiver=0b10)),
            (OUTPUT, Port.CBFC_CONTROL, cbfc_control(plan, sender=sender, receiver=0)),
            (OUTPUT, Port.VC_CONTROL, 0),
        ):
            self.write(*access)
        yield from self._going(300)
        rate = self.rate(OUTPUT, self.now - begun - 140, size=self.SIZE)
        self.must(rate > 0.98, f"the rate was {rate:.3f}")
        while self.ledger.outstanding:
            self._give()
            yield
        yield from self.counts(1, self.COUNT - before, "after the bringing up")

    def _going(self, cycles: int) -> Script:
        """Time passes, in which VC 0 is fed at line rate and gets its credits back."""
        last = self.now + cycles
        while self.now < last:
            if len(self.ends[INPUT].feeder) < 8:
                self.feed(INPUT, OUTPUT, size=self.SIZE)
            self._give()
            yield

    def _give(self) -> None:
        """The peer reads VC 0 at once."""
        done = self.ends[OUTPUT].log.vcs_out().count(0) * cells_of(self.SIZE)
        if done > self._given:
            self._given = done
            self.give(OUTPUT, 0, done)


class _TwoVcs(FlowScenario):
    """A partner sends two VCs, and the one at the other end stops to read VC 1."""

    WIDTHS = (512,)
    LINKS = (0, 1)
    CREDITS = 0b11
    CYCLES: ClassVar[Mapping[int, int]] = {64: 3000, 512: 1200}
    SIZE: ClassVar[int] = 256
    INCOMING: ClassVar[int] = 80
    """Credits of the sending partner, so few that the switch's buffer is soon full."""

    TOTAL: ClassVar[bool] = False
    LEFT: ClassVar[tuple[float, float]] = (0.98, 1.0)

    def _plan(self, port: int) -> EndPlan:
        config, plan = self.config, super()._plan(port)
        loop = partner_loop(config, self.DELAY, self.SIZE)
        each = line_rate_credits(config, loop, self.SIZE)
        peer = limits(config, each, total=2 * each * self.TOTAL)
        return replace(plan, flow=replace(plan.flow, own=limits(config, self.INCOMING), peer=peer))

    def _play(self) -> Script:
        yield from self.bring_up()
        cycles = self.CYCLES[self.config.data_width]
        for vc in (0, 1):
            self.stream(1, 0, vc, self.SIZE)
        yield from self.cycles(cycles)
        rate = self.rate(0, cycles // 2, vc=1, size=self.SIZE)
        self.must(0.45 < rate < 0.55, f"VC 1 has {rate:.3f} of the line")
        self.set_rate(0, 0.0, vc=1)
        yield from self.cycles(cycles)
        rate = self.rate(0, cycles // 3, vc=0, size=self.SIZE)
        self.figures["left"] = rate
        self.must(self.LEFT[0] <= rate <= self.LEFT[1], f"VC 0 has {rate:.3f} of the line")
        self.set_rate(0, 1.0)
        self.end_streams()
        yield from self.drain()


class BlockedVc(_TwoVcs):
    """VC 0 goes on, and gets the whole line."""


class BlockedTotal(_TwoVcs):
    """One limit for both together: the VC that is not read takes all of it, and VC 0 stands still
    (known, and why limits are per VC)."""

    TOTAL = True
    LEFT = (0.0, 0.0)
