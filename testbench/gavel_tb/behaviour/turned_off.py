# SPDX-License-Identifier: Apache-2.0
"""Scenarios in which link-level retry is turned off in the middle of something: an INIT, a replay,
a request for one."""

from __future__ import annotations

from typing import ClassVar

from gavel_model.ordered_set import Kind
from gavel_model.register_map import Port
from gavel_tb.behaviour.flow.direct import MATCH_TO_PINS
from gavel_tb.behaviour.in_replay import MORE, GivenUpInReplay
from gavel_tb.behaviour.judgement import HANDSHAKE, SOME, C, Counts, received, sent
from gavel_tb.behaviour.scenario import Scenario
from gavel_tb.behaviour.settings import LocalOffOn
from gavel_tb.behaviour.steps import Script
from gavel_tb.partner.sender import SenderState

_FRAMES = 20
_HIT = 10
_SETTINGS_CYCLES = 20

_BACK_TO_PLAIN = 4
"""Cycles from that in which the reader goes back to the first ineligible word on the pins: address,
release, settled, pins."""


class OffInInit(Scenario):
    """``remote`` is taken back while INIT is said to a peer that is silent: the frames that have
    waited leave from the very cycle on, as ineligible ones. It is set again, and the peer answers:
    first the INIT of before, which does not count any more, then the new one."""

    def _play(self) -> Script:
        self.partner.silence()
        self.write_settings()
        yield from self.cycles(_SETTINGS_CYCLES)
        waiting = self.feed(_FRAMES)
        out = self.log.frames_out
        yield from self.until(lambda: len(self.log.values_out(Kind.INIT)) == 2, "INIT twice")
        self.must(not out, "a frame has left")
        written = self.now + 1
        self.write(Port.LLR_CONTROL, self.control(remote=False))
        yield from self.until(lambda: waiting[-1].arrived is not None, "the frames that wait")
        first = written + self.config.write_cycles + 1 + MATCH_TO_PINS
        self.must(out[0].first == first, f"frames leave from cycle {out[0].first} on, not {first}")
        self.must(all(frame.seq is None for frame in out), "a frame was eligible")
        inits = len(self.log.values_out(Kind.INIT))
        yield from self.cycles(self.replay_timer)
        self.must(len(self.log.values_out(Kind.INIT)) == inits, "INIT goes on")
        self.partner.silence(0)
        self.write(Port.LLR_CONTROL, self.control())
        self.feed(_FRAMES)
        yield from self.drain()
        echoes = [seen.item.data for seen in self.log.sets_in
                  if seen.item is not None and seen.item.kind is Kind.INIT_ECHO]
        self.must(echoes == [0, 1], f"echoes with data {echoes}")

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(_FRAMES) | {
            C.LLR_TX_INIT_CTL_OS: SOME, C.LLR_RX_INIT_ECHO_CTL_OS: 2,
        }


class OffInReplay(GivenUpInReplay):
    """``remote`` is taken back in a replay: what was to be sent again is given up, frames that have
    not been sent leave as ineligible ones, and no flush is counted. It is set again."""

    FIRST = 5

    def _give_up(self) -> Script:
        self.write(Port.LLR_CONTROL, self.control(remote=False))
        written = self.now + 1
        self.flushed = self.last_start = written + self.config.write_cycles
        yield from self.cycles(1)

    def _end(self) -> Script:
        out = self.log.frames_out
        yield from self.until(lambda: self.log.first_sent == self.FRAMES, "all frames")
        yield from self.cycles(2 * self.DELAY)
        plain = [frame for frame in out if frame.seq is None]
        first = self.judge_replay() + _BACK_TO_PLAIN
        self.must(plain[0].first == first,
                  f"frames go on in cycle {plain[0].first}, not in {first}")
        self._plain = len(plain)
        lost = [entry for entry in self.fed if entry.arrived is None]
        numbered = self.FRAMES - self._plain
        self.must(lost == self.fed[self.FIRST + self.again:numbered],
                  "others than those that were not sent again have not arrived")
        self.ledger.write_off(lost)
        self.write(Port.LLR_CONTROL, self.control())

    def _expected(self) -> Counts:
        return super()._expected() | sent(self.FRAMES - self._plain + self.again + MORE) | {
            C.LLR_TX_FLUSH: 0, C.LLR_RX_NACK_CTL_OS: 1,
        }


class LocalOffAfterNack(LocalOffOn):
    """``local`` is taken back when a replay has been asked for and has not come: ineligible frames
    pass, and nobody asks for anything. It is set again: a new INIT, and all is as before."""

    NACKS: ClassVar[int] = 1

    def _play(self) -> Script:
        yield from self.bring_up()
        self.back_tap.lose_frame(_HIT)
        self._hinder()
        asked = self.send(_FRAMES)
        yield from self.until(lambda: len(self.log.frames_in) == _FRAMES - 1, "all but one")
        yield from self.cycles(self.SPACING // self.word_bytes)
        self.write(Port.LLR_CONTROL, self.control(local=False))
        yield from self.cycles(_SETTINGS_CYCLES)
        self.partner.sender.state = SenderState.OFF
        self.ctl_ready = 1
        self.ledger.write_off(asked[_HIT:])
        self.send(_FRAMES, eligible=False)
        yield from self.until(lambda: not self.ledger.outstanding, "ineligible frames")
        self.must(len(self.log.values_out(Kind.NACK)) == self.NACKS,
                  f"{len(self.log.values_out(Kind.NACK))} NACKs were sent")
        yield from self.on_again(_FRAMES)

    def _hinder(self) -> None:
        """Why no replay comes: the NACK is lost."""
        self.out_tap.lose_sets(Kind.NACK)

    def _expected(self) -> Counts:
        return HANDSHAKE | received(_HIT + _FRAMES) | {
            C.LLR_RX_OK: 2 * _FRAMES - 1, C.LLR_RX_MISSING_SEQ: _FRAMES - 1 - _HIT,
            C.LLR_TX_NACK_CTL_OS: self.NACKS,
            C.LLR_RX_INIT_CTL_OS: 2, C.LLR_TX_INIT_ECHO_CTL_OS: 2,
        }


class LocalOffBeforeNack(LocalOffAfterNack):
    """The same while the NACK still waits, because an ACK before it is not taken: it is never
    sent."""

    NACKS = 0

    def _hinder(self) -> None:
        """See `LocalOffAfterNack`."""
        self.ctl_ready = 0
