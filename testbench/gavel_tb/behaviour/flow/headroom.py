# SPDX-License-Identifier: Apache-2.0
"""Scenarios of PFC between partners: headroom, and link-level retry during a pause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from gavel_model.config import CELL_BYTES, MIN_FRAME_BYTES
from gavel_model.mac_control import Pause
from gavel_model.ordered_set import Kind
from gavel_model.register_map import Port
from gavel_tb.behaviour.flow.plan import EndPlan
from gavel_tb.behaviour.flow.scenario import FlowScenario
from gavel_tb.behaviour.judgement import SOME, C, Counts
from gavel_tb.behaviour.steps import Script
from gavel_tb.partner.flow_settings import cells_of

_RELEASE_CYCLES = 4


class Headroom(FlowScenario):
    """A peer sends at line rate into a VC that does not leave, in the frames that fill its cells
    worst, and is asked to pause while the longest frame goes out before the PFC frame. The headroom
    of docs/flow_control.md, chapter 6, holds it all: nothing is lost."""

    LINKS = (1,)
    CREDITS = 0
    LLR = False
    DELAY = 100
    XOFF: ClassVar[int] = 16
    SHARE: ClassVar[float] = 1.0
    """Of the headroom by the formula."""

    SIZES: ClassVar[Mapping[int, int]] = {64: 65, 512: 64}
    """A frame of 65 bytes has two cells; at W = 512 it has two words, too, so that one of 64 bytes
    fills the buffer as fast."""

    def _plan(self, port: int) -> EndPlan:
        plan = super()._plan(port)
        if port != 1:
            return plan
        flow = replace(plan.flow, pause_send=1, xoff=self.XOFF, xon=self.XOFF // 2)
        return replace(plan, flow=flow)

    def _headroom(self) -> int:
        """Cells."""
        longest = self.config.max_frame_bytes
        loop = 2 * self.DELAY + 1
        config = self.config
        cycles = (loop + 24 + config.store_stages + config.match_stages + config.read_stages
                  + config.egress_stages + config.launch_stages + config.gate_stages)
        room = longest + MIN_FRAME_BYTES + self.word_bytes * cycles + longest
        return (2 if self.SIZES[self.config.data_width] > CELL_BYTES else 1) * cells_of(room)

    def _play(self) -> Script:
        yield from self.bring_up()
        room = int(self._headroom() * self.SHARE)
        self.write(1, Port.RX_VC_LIMIT, self.XOFF + room)
        self.stop(0, 1)
        # The longest frame waits, and is let go just before the pause is wanted.
        self.stop(1, 2)
        self.feed(2, 1, size=self.config.max_frame_bytes, vc=1)
        yield from self.quiet()
        size = self.SIZES[self.config.data_width]
        cells = cells_of(size)
        self.send(1, 0, -(-2 * (self.XOFF + self._headroom()) // cells), size)
        before = self.XOFF // cells - (1 if self.word_bytes < MIN_FRAME_BYTES else _RELEASE_CYCLES)
        taken = self.ends[1].log.accepted
        yield from self.until(lambda: len(taken) >= before, "the VC is nearly full")
        self.stop(1, 0)
        yield from self.cycles(2 * self.DELAY + self.config.max_frame_words + 200)
        peak = len(taken) * cells
        self.must(self.flow(1).pauses.received > 0, "no pause was asked for")
        self.figures |= {"room": self.XOFF + room, "taken": peak}
        self.stop(0, 0)
        yield from self.until(lambda: self.partner(1).sender.idle, "all is sent")
        yield from self.cycles(2 * self.DELAY + 4000 // self.word_bytes)
        self._lost = self._judge()
        yield from self.drain()

    def _judge(self) -> int:
        """Looks at what has arrived; gives the number of frames lost."""
        self.must(not self.ledger.missing(), "a frame is lost")
        return 0


class HalfHeadroom(Headroom):
    """Half of the headroom does not: frames are lost, and counted as such on a VC without loss."""

    SHARE = 0.5

    def _judge(self) -> int:
        missing = self.ledger.missing()
        self.must(bool(missing), "no frame is lost")
        self.ledger.write_off(missing)
        return len(missing)

    def _expected(self) -> Mapping[int, Counts]:
        return {1: {C.RX_VC_LIMIT: self._lost, C.RX_LOSSLESS_DROP: self._lost}}


class ReplayInPause(FlowScenario):
    """LLR/PFC: a frame of the switch is lost, and the NACK comes while its VC is paused: replay,
    ACKs and the other VC go on, no new frame of the VC goes out. When the pause is over, all
    arrives."""

    LINKS = (0, 1)
    CREDITS = 0
    LOST: ClassVar[int] = 10
    NACK_COMES: ClassVar[bool] = True
    UNDER_WAY: ClassVar[int] = 8
    """Words that a replay buffer holds back at most without having sent them."""


    def _plan(self, port: int) -> EndPlan:
        plan = super()._plan(port)
        if port:
            return plan
        plan = replace(plan, flow=replace(plan.flow, pause_receive=1))
        # The partner's buffer asks for a pause when it is not read.
        return replace(plan, theirs=replace(
            plan.partner_flow, xoff=self.LOST - 2, xon=1, pause_time=0xFFFF))

    def _play(self) -> Script:
        yield from self.bring_up()
        end = self.ends[0]
        self.set_rate(0, 0.0, vc=0)
        end.out_tap.lose_frame(self.LOST)
        if not self.NACK_COMES:
            end.back_tap.lose_sets(Kind.NACK, 1)
        for _ in range(60):
            self.send(1, 0, vc=0)
            self.send(0, 1, vc=2)
        yield from self.until(lambda: self._pauses(), "a pause")
        paused = end.log.accepted[-1].last
        yield from self.cycles(300)
        self.send(1, 0, 5, vc=2)
        self.send(0, 1, 5, vc=2)
        yield from self.cycles(self.REPLAY_TIMER + 300)
        # What was matched before the pause is on the pins a few cycles later, or behind the replay.
        late = [seen for seen in end.log.out if seen.first > paused + 10]
        new = [seen.entry.vc for seen in late if seen.new and seen.entry is not None]
        self.must(new.count(0) <= self.UNDER_WAY and new[-5:] == [2] * 5,
                  f"new frames in the pause are of {new}")
        again = [seen.first for seen in late if not seen.new]
        self.must(bool(again), "no replay in the pause")
        asked = any(seen.item.kind is Kind.NACK and paused < seen.cycle < again[0]
                    for seen in end.log.sets_back)
        self.must(asked == self.NACK_COMES, "another reason for the replay")
        self.must(any(seen.item.kind is Kind.ACK and seen.cycle > paused + 300
                      for seen in end.log.sets_out), "no ACK in the pause")
        self.set_rate(0, 1.0)
        yield from self.drain()

    def _pauses(self) -> bool:
        return any(isinstance(seen.control, Pause) for seen in self.ends[0].log.accepted)

    def _expected(self) -> Mapping[int, Counts]:
        return {0: {C.LLR_TX_REPLAY: SOME}}


class TimeoutInPause(ReplayInPause):
    """The same with the NACK lost: the replay timer begins the replay."""

    NACK_COMES = False
