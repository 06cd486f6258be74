# SPDX-License-Identifier: Apache-2.0
"""Scenarios of long loops and of errors that go on: what rate is left."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping
from typing import ClassVar

from gavel_model.ordered_set import Kind
from gavel_tb.behaviour.judgement import HANDSHAKE, SOME, C, Counts, received, sent
from gavel_tb.behaviour.rig import word_errors
from gavel_tb.behaviour.scenario import Scenario
from gavel_tb.behaviour.steps import Script
from gavel_tb.behaviour.switches import LONG_LOOP
from gavel_tb.go_back_n import GoBackN
from gavel_tb.stimulus import derived_random

_SHORTEST = 64
_SLACK_CYCLES = 40
_IN_BUFFER = 100
_SHARE_OF_BOUND = 0.98
_SIGMAS = 4
_WISH = 0.95
_LONGEST_LOOP = 10_000


class LongLoop(Scenario):
    """5 microseconds of cable at 1 GHz, frames of 64 bytes at line rate each way, a window by the
    formula: at least 99 % of the rate, and no replay."""

    DELAY = LONG_LOOP // 2
    CYCLES: ClassVar[int] = 8000
    RATE: ClassVar[float] = 0.99

    def _timer(self) -> int:
        return LONG_LOOP + self.SPACING + 2 * _SLACK_CYCLES

    def _play(self) -> Script:
        yield from self.bring_up()
        words = _SHORTEST // self.word_bytes
        self._count = self.CYCLES // words
        self.feed(self._count)
        self.send(self._count)
        yield from self.drain()
        for way, frames in (("out", self.log.frames_out), ("in", self.log.frames_in)):
            rate = self._count * words / (frames[-1].last - frames[0].first + 1)
            self.figures[f"rate_{way}"] = rate
            self.must(rate >= self.RATE, f"rate {way} is {rate:.4f}")
        self.must(self.partner.sender.replays == 0, "the partner has sent frames again")
        self.must(self.log.most_outstanding > self.CYCLES // 2 // words, "the loop is short")

    def _expected(self) -> Counts:
        return dict.fromkeys(HANDSHAKE, SOME) | sent(self._count) \
            | received(self._count)


class Mixed(Scenario):
    """Eligible and ineligible frames in turn, one in thirty with an error that nothing corrects:
    no eligible frame is lost, and of the ineligible ones just those with an error."""

    PAIRS: ClassVar[int] = 300
    ERRORS: ClassVar[float] = 1 / 30

    def _play(self) -> Script:
        yield from self.bring_up()
        rng = derived_random(self.seed, "errors")
        self.back_tap.spoil_if = lambda: rng.random() < self.ERRORS
        for _ in range(self.PAIRS):
            self.send(1)
            self.send(1, eligible=False)
        self.feed(self.PAIRS)
        yield from self.until(lambda: self.partner.idle and self.log.acknowledged, "rest")
        yield from self.cycles(100)
        dropped = [self.ledger.find(data) for data in self.log.dropped]
        missing = self.ledger.missing()
        self.must(bool(missing) and missing == dropped, "lost is something else than was hit")
        self.must(not any(entry.eligible for entry in missing), "an eligible frame is lost")
        self.ledger.write_off(missing)
        self.figures["ineligible_lost"] = len(missing)
        yield from self.drain()

    def _expected(self) -> Counts:
        seen = self.log.counters()
        self.must(seen[C.RX_FCS] == self.figures["ineligible_lost"], "they are not counted")
        return HANDSHAKE | sent(self.PAIRS) | received(self.PAIRS) | {
            C.LLR_RX_OK: SOME, C.LLR_RX_BAD: SOME, C.LLR_RX_EXPECTED_SEQ_BAD: SOME,
            C.LLR_RX_MISSING_SEQ: SOME, C.LLR_TX_NACK_CTL_OS: SOME,
            C.LLR_RX_DUPLICATE_SEQ: seen[C.LLR_RX_DUPLICATE_SEQ],
            C.LLR_RX_REPLAY: seen[C.LLR_TX_NACK_CTL_OS],
        }


class Load(Scenario):
    """One frame in fifty is hit, for long. Throughput is that of go-back-N: at least 98 % of its
    bound. (95 % of the line rate, which operators wish for, needs a loop of few frames.)"""

    OUT_ERRORS = 1 / 50
    CYCLES: ClassVar[Mapping[int, int]] = {64: 24_000, 512: 48_000}
    """By width: a loss costs more frames the shorter they are, and so it scatters more."""

    def _timer(self) -> int:
        words = _SHORTEST // self.config.word_bytes
        return 2 * self.DELAY + -(-self.SPACING // self.config.word_bytes) + 3 * words + 12

    def _play(self) -> Script:
        yield from self.bring_up()
        last = self.now + self.CYCLES[self.config.data_width]
        fed = 0
        while self.now < last:
            if fed - self.log.first_sent < _IN_BUFFER:
                self.feed(10)
                fed += 10
            yield
        self._count = fed
        yield from self.drain()
        frames = self.log.frames_out
        words = _SHORTEST // self.word_bytes
        goodput = fed * words / (frames[-1].last - frames[0].first + 1)
        rules = GoBackN(frame_words=words, loop_cycles=2 * self.DELAY,
                        window_frames=self.config.replay_frames, replay_timer=self.replay_timer)
        bound = rules.goodput(word_errors(self.OUT_ERRORS, self.word_bytes))
        # So few errors scatter: what the rules leave is judged by those that there were, and
        # their number by its own scatter. The partner asks once for each frame that fails.
        failed = len(self.log.values_in(Kind.NACK))
        meant = self.OUT_ERRORS * fed
        self.must(abs(failed - meant) <= _SIGMAS * meant**0.5,
                  f"{failed} frames failed, {meant:.0f} were meant to")
        met = rules.goodput(word_errors(failed / fed, self.word_bytes))
        self.figures |= {"goodput": goodput, "bound": bound, "bound_of_errors_met": met,
                         "share": goodput / met, "loops_for_95_percent": self._loops()}
        self.must(goodput >= _SHARE_OF_BOUND * met,
                  f"goodput is {goodput:.4f}, the bound {met:.4f}")

    def _loops(self) -> dict[str, int]:
        """Longest loop, in cycles, at which the bound is 95 % of the line rate with one frame in
        fifty lost, by frame length in words; -1: at none."""
        loops = {}
        for words in (1, 8, 66, 1152):
            error = 1.0 - (1.0 - self.OUT_ERRORS) ** (1 / words)

            def short_of_wish(loop: int, words: int = words, error: float = error) -> bool:
                return GoBackN(
                    frame_words=words, loop_cycles=loop, window_frames=1 << 19,
                    replay_timer=loop + _SLACK_CYCLES + 2 * words).goodput(error) < _WISH

            loops[str(words)] = bisect(range(_LONGEST_LOOP), 0, key=short_of_wish) - 1
        return loops

    def _expected(self) -> Counts:
        again = sum(not frame.new for frame in self.log.frames_out)
        # INIT and its echo may be hit, too.
        return dict.fromkeys(HANDSHAKE, SOME) | sent(self._count + again) | {
            C.LLR_RX_NACK_CTL_OS: SOME, C.LLR_TX_REPLAY: self.checker.sender.replays,
        }
