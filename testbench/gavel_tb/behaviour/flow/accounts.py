# SPDX-License-Identifier: Apache-2.0
"""Scenarios of the counts themselves: what frames cost, wraps, damaged frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import ClassVar

from gavel_model.config import MIN_FRAME_BYTES
from gavel_model.register_map import Port
from gavel_tb.behaviour.flow.direct import INPUT, OUTPUT, Direct
from gavel_tb.behaviour.flow.plan import EndPlan, cbfc_control, unit_bits
from gavel_tb.behaviour.flow.scenario import FlowScenario
from gavel_tb.behaviour.judgement import C, Counts
from gavel_tb.behaviour.steps import Script
from gavel_tb.flow_options import CREDIT_SIZES
from gavel_tb.partner.flow_settings import CreditSize

_LARGEST = (1 << 20) - 1
_FREED = 0x7FFF


class CreditsOfSizes(Direct):
    """CBFC-01/02: frames of sizes at the edges of a credit, for every size of a credit and several
    overheads. Each costs ceil((len + overhead) / size) at both sides; CC_Update says what was
    consumed and CF_Update what was freed, the same."""

    OVERHEADS: ClassVar[Mapping[int, tuple[int, ...]]] = {64: (-16, 127), 512: (-16, -4, 0, 1, 127)}
    SIZES: ClassVar[Mapping[int, tuple[int, ...]]] = {64: (32, 64, 2048), 512: CREDIT_SIZES}

    def _play(self) -> Script:
        yield from self.bring_up()
        width = self.config.data_width
        self._frames = 0
        for turn, size in enumerate(self.SIZES[width]):
            for overhead in self.OVERHEADS[width]:
                yield from self._one(CreditSize(size, overhead), turn % self.config.vcs)
        self.figures["frames"] = self._frames

    def _one(self, unit: CreditSize, vc: int) -> Script:
        for port, offset, on in ((OUTPUT, Port.CBFC_SENDER, {"sender": 1 << vc, "receiver": 0}),
                                 (INPUT, Port.CBFC_RECEIVER, {"sender": 0, "receiver": 1 << vc})):
            plan = self.ends[port].plan
            self.write(port, Port.CBFC_CONTROL, cbfc_control(plan, sender=0, receiver=0))
            self.write(port, offset, unit_bits(unit))
            self.write(port, Port.CBFC_CONTROL, cbfc_control(plan, **on))
        self.write(OUTPUT, Port.CBFC_LIMIT + vc, _LARGEST)
        yield from self.written()
        cost = 0
        for length in self._lengths(unit):
            self.feed(INPUT, OUTPUT, size=length, vc=vc)
            cost += -(-(length + unit.overhead) // unit.size)
            self._frames += 1
        yield from self.quiet(30)
        yield from self.counts(vc, cost, f"{unit}")
        self.must(self.ends[INPUT].log.freed_out(vc) == cost & _FREED,
                  f"{unit}: freed are {self.ends[INPUT].log.freed_out(vc)}, not {cost}")
        self.give(OUTPUT, vc, cost)
        yield from self.cycles(10)

    def _lengths(self, unit: CreditSize) -> Iterable[int]:
        longest = self.config.max_frame_bytes
        edges = {count * unit.size - unit.overhead + more
                 for count in (1, 2, 3, longest // unit.size) for more in (-1, 0, 1)}
        return sorted({length for length in edges if MIN_FRAME_BYTES <= length <= longest}
                      | {MIN_FRAME_BYTES, MIN_FRAME_BYTES + 1, longest})


class Wraps(Direct):
    """Counts go across 2^15 at the sender, and across 2^20 at the receiver, which CC_Updates have
    brought close to it: what comes back stays right."""

    WIDTHS = (512,)
    FRAMES: ClassVar[int] = 5800
    BATCH: ClassVar[int] = 500
    UNIT: ClassVar[CreditSize] = CreditSize(32, 127)
    """The most credits in a cycle: six for a frame of 64 bytes."""

    def _play(self) -> Script:
        yield from self.bring_up()
        sender, receiver = self.ends[OUTPUT].plan, self.ends[INPUT].plan
        self.write(OUTPUT, Port.CBFC_SENDER, unit_bits(self.UNIT))
        self.write(OUTPUT, Port.CBFC_LIMIT, _LARGEST)
        self.write(OUTPUT, Port.CBFC_CONTROL, cbfc_control(sender, sender=1, receiver=0))
        self.write(INPUT, Port.CBFC_CONTROL, cbfc_control(receiver, sender=0, receiver=1))
        yield from self.written()
        for count in (1 << 19) - 1, (1 << 20) - 50:
            self.feed_counts(INPUT, count)
        yield from self.quiet()
        cost, sent = self.UNIT.credits(MIN_FRAME_BYTES), 0
        while sent < self.FRAMES:
            self.feed(INPUT, OUTPUT, self.BATCH)
            sent += self.BATCH
            yield from self.quiet(20)
            self.give(OUTPUT, 0, cost * sent)
        yield from self.cycles(100)
        yield from self.counts(0, cost * sent & _LARGEST, "wrap")
        self.must(self.ends[INPUT].log.freed_out(0) == sent - 50 & _FREED, "freed are others")
        self.figures["credits"] = cost * sent

    def _expected(self) -> Mapping[int, Counts]:
        return {INPUT: {C.CBFC_RX_RECOVERED: 2}}


class LongWrap(Wraps):
    """The same until the sender's count has gone across 2^20."""

    MOST_CYCLES = 250_000
    FRAMES = 175_500
    BATCH = 5000


class Damaged(FlowScenario):
    """CBFC-03, link-level retry off: frames that arrive damaged are not credited, S_CC > 0 and
    S_CF = 0, until CC_Update repairs it; in both directions."""

    LINKS = (0, 1)
    LLR = False
    CREDITS = 1
    COUNT: ClassVar[int] = 10
    CC_PERIOD: ClassVar[int] = 1500

    def _plan(self, port: int) -> EndPlan:
        plan = super()._plan(port)
        return replace(plan, flow=replace(plan.flow, cc_period=self.CC_PERIOD))

    def _play(self) -> Script:
        yield from self.bring_up()
        ends = self.ends
        ends[0].out_tap.spoil_next = ends[1].back_tap.spoil_next = self.COUNT
        self.ledger.write_off(self.feed(2, 0, self.COUNT) + self.send(1, 2, self.COUNT))
        yield from self.cycles(800)
        flow = self.flow(1)
        self.must(not ends[0].log.counts_out and flow.cc_sent == 0, "a CC_Update came early")
        self.must(ends[1].log.freed_out(0) == 0, "damaged frames were credited by the switch")
        used = flow.credits.used[0]
        self.must(used == self.COUNT, f"the partner uses {used} credits")
        self.must(all(seen.freed(0) == 0 for seen in ends[0].log.credits_back),
                  "damaged frames were credited by the partner")
        yield from self.cycles(self.CC_PERIOD)
        self.must(ends[0].log.counts_out[0][1][0] == self.COUNT, "CC_Update says another count")
        self.must(ends[1].log.freed_out(0) == self.COUNT, "the switch gives nothing back")
        self.must(ends[0].log.credits_back[-1].freed(0) == self.COUNT,
                  "the partner gives nothing back")
        self.feed(2, 0, self.COUNT)
        self.send(1, 2, self.COUNT)
        yield from self.drain()

    def _expected(self) -> Mapping[int, Counts]:
        return {1: {C.RX_FCS: self.COUNT, C.CBFC_RX_RECOVERED: 1}}
