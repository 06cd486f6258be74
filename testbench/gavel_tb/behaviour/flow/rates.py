# SPDX-License-Identifier: Apache-2.0
"""Scenarios of rates: what receivers that are slow leave, shares, incast, long loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from gavel_model.register_map import Port
from gavel_tb.behaviour.flow.plan import EndPlan, limits, line_rate_credits, partner_loop
from gavel_tb.behaviour.flow.scenario import FlowScenario
from gavel_tb.behaviour.judgement import SOME, C, Counts
from gavel_tb.behaviour.steps import Script
from gavel_tb.behaviour.switches import CLEAN, LONG_LOOP
from gavel_tb.partner.flow_settings import CreditSize

_LINE = 0.99


class _Rated(FlowScenario):
    """Streams between partners, with credits for line rate and not many more."""

    LINKS: ClassVar[tuple[int, ...]] = (0, 1, 2, 3)
    CREDITS = 1
    SIZE: ClassVar[int] = 256
    INCOMING: ClassVar[int] = 80
    """Credits of the sending partners, so few that the switch's buffer is soon full."""

    def _plan(self, port: int) -> EndPlan:
        config, plan = self.config, super()._plan(port)
        peer = limits(config, line_rate_credits(config, self._loop(), self.SIZE))
        return replace(plan, flow=replace(plan.flow, own=limits(config, self.INCOMING), peer=peer))

    def _loop(self) -> int:
        return partner_loop(self.config, self.DELAY, self.SIZE)

    def must_have(self, port: int, cycles: int, low: float, high: float,
                  vc: int | None = None) -> None:
        """The share of a port's line, in the cycles before, must be within these, but for a frame
        at an end of this time."""
        rate = self.rate(port, cycles, vc, size=self.SIZE)
        frame = self.SIZE / self.word_bytes / cycles if 0.0 < high < 1.0 else 0.0
        self.must(low - frame <= rate <= high + frame, f"port {port}, VC {vc}: the rate is "
                  f"{rate:.4f}, must be in {low}...{high}")


class SlowReceiver(_Rated):
    """CBFC-04: a receiver reads at line rate, at half of it, not at all, and at line rate again:
    99 %, 50 %, 0 and 99 % of the line, and no loss. The link beside it, with other credits, has
    99 % all the time."""

    CYCLES: ClassVar[Mapping[int, int]] = {64: 1200, 512: 500}

    def _plan(self, port: int) -> EndPlan:
        plan = super()._plan(port)
        if port != 1:
            return plan
        unit = CreditSize(128, 20)
        longest = unit.credits(self.config.max_frame_bytes)
        peer = limits(self.config, plan.flow.peer.of(0) + 4 * longest, unit)
        return replace(plan, flow=replace(plan.flow, peer=peer))

    def _play(self) -> Script:
        yield from self.bring_up()
        cycles = self.CYCLES[self.config.data_width]
        self.stream(2, 0, size=self.SIZE)
        self.stream(3, 1, size=self.SIZE)
        window = cycles // 2
        for rate, low, high in ((1.0, _LINE, 1.0), (0.5, 0.49, 0.51), (0.0, 0.0, 0.0),
                                (1.0, _LINE, 1.0)):
            self.set_rate(0, rate)
            yield from self.cycles(cycles)
            self.must_have(0, window, low, high)
            self.must_have(1, window, _LINE, 1.0)
        self.end_streams()
        yield from self.drain()


class ChokedVc(_Rated):
    """CBFC-08: four VCs have a quarter of the line each; VC 1 is not read any more, and the others
    keep their quarter. Read again, all of VC 1 arrives."""

    LINKS = (0, 1)
    CREDITS = 0b1111
    CYCLES: ClassVar[Mapping[int, int]] = {64: 1500, 512: 800}

    def _play(self) -> Script:
        yield from self.bring_up()
        cycles = self.CYCLES[self.config.data_width]
        for vc in range(4):
            self.stream(1, 0, vc, self.SIZE, load=0.25)
        yield from self.cycles(cycles)
        for vc in range(4):
            self.must_have(0, cycles // 2, 0.24, 0.26, vc)
        self.set_rate(0, 0.0, vc=1)
        yield from self.cycles(2 * cycles)
        for vc in range(4):
            self.must_have(0, cycles // 2, *((0.0, 0.0) if vc == 1 else (0.24, 0.26)), vc)
        self.set_rate(0, 1.0)
        self.end_streams()
        yield from self.drain()


class Incast(_Rated):
    """CBFC-10: three ports send to one, without loss: a third of the line each."""

    CYCLES: ClassVar[Mapping[int, int]] = {64: 1600, 512: 600}

    def _play(self) -> Script:
        yield from self.bring_up()
        cycles = self.CYCLES[self.config.data_width]
        for port in (1, 2, 3):
            self.stream(port, 0, size=self.SIZE)
        yield from self.cycles(cycles)
        self._judge(cycles // 2)
        self.end_streams()
        yield from self.drain()

    def _judge(self, cycles: int) -> None:
        self.must_have(0, cycles, _LINE, 1.0)
        # The share of an input, in frames of one length.
        log = self.ends[0].log
        sources = [seen.entry.source for seen in log.frames_out
                   if seen.entry is not None and seen.last >= self.now - cycles]
        counts = [sources.count(port) for port in (1, 2, 3)]
        self.must(max(counts) - min(counts) <= 1, f"the shares are {counts}")


class IncastWithBestEffort(_Rated):
    """CBFC-11: the same on VC 0 with credits, and as much on VC 3 without: nothing of VC 0 is lost,
    VC 3 loses what finds its share of the buffer full. By their weights VC 0 has three quarters of
    the line and VC 3 one."""

    WIDTHS = (512,)
    CREDITS = 0b0111
    CYCLES: ClassVar[Mapping[int, int]] = {64: 3000, 512: 1000}
    BEST_EFFORT_CELLS: ClassVar[int] = 40

    def _play(self) -> Script:
        yield from self.bring_up()
        cycles = self.CYCLES[self.config.data_width]
        for port in range(4):
            self.write(port, Port.RX_VC_LIMIT + 3, self.BEST_EFFORT_CELLS)
        self.write(0, Port.VC_WEIGHTS, 0x1003)
        yield from self.written()
        for port in (1, 2, 3):
            for vc in (0, 3):
                self.stream(port, 0, vc, self.SIZE)
        yield from self.cycles(cycles)
        self.must_have(0, cycles // 2, _LINE, 1.0)
        order = self.ends[0].log.vcs_out(self.now - cycles // 2)
        # A round is four frames; one may be cut at each end.
        self.must(abs(4 * order.count(3) - len(order)) <= 2 * 4,
                  f"VC 3 has {order.count(3)} of {len(order)} frames")
        self.end_streams()
        yield from self.until(lambda: all(end.at_rest for end in self.ends), "rest")
        yield from self.cycles(self.DELAY + 4000 // self.word_bytes)
        missing = self.ledger.missing()
        self.must(bool(missing) and all(entry.vc == 3 for entry in missing),
                  "something of VC 0 is lost, or nothing of VC 3")
        self.ledger.write_off(missing)
        self._lost = [sum(entry.source == port for entry in missing) for port in range(4)]
        yield from self.drain()

    def _expected(self) -> Mapping[int, Counts]:
        return {port: {C.RX_VC_LIMIT: self._lost[port] or SOME} for port in (1, 2, 3)}


class LongLoopCredits(FlowScenario):
    """CBFC-12: 5 microseconds of cable at 1 GHz, frames of 64 bytes at line rate each way, credits
    by the formula: at least 99 % of the rate."""

    WIDTHS = (512,)
    SWITCH = "long"
    LINKS = (0,)
    CREDITS = 1
    LLR = False
    DELAY = LONG_LOOP // 2
    CYCLES: ClassVar[int] = 5500
    SIZE: ClassVar[int] = 64

    def _plan(self, port: int) -> EndPlan:
        config, plan = self.config, super()._plan(port)
        loop = partner_loop(config, self.DELAY, self.SIZE)
        peer = limits(config, line_rate_credits(config, loop, self.SIZE))
        return replace(plan, flow=replace(plan.flow, peer=peer))

    def _play(self) -> Script:
        yield from self.bring_up()
        words = self.SIZE // self.word_bytes
        count = self.CYCLES // words
        for _ in range(count):
            self.feed(CLEAN, 0, size=self.SIZE)
            self.send(0, CLEAN, size=self.SIZE)
        yield from self.drain()
        log = self.ends[0].log
        for way, frames in (("out", log.frames_out), ("in", log.back)):
            rate = count * words / (frames[-1].last - frames[0].first + 1)
            self.figures[f"rate_{way}"] = rate
            self.must(rate >= _LINE, f"rate {way} is {rate:.4f}")
        self.must(self.CYCLES > LONG_LOOP, "the loop is long")
