# SPDX-License-Identifier: Apache-2.0
"""Scenarios in which the switch gives frames up, or nearly."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

from gavel_model.ordered_set import Kind
from gavel_model.register_map import Action, Port
from gavel_tb.behaviour.judgement import HANDSHAKE, SOME, C, Counts, received, sent
from gavel_tb.behaviour.ledger import Entry
from gavel_tb.behaviour.scenario import Scenario
from gavel_tb.behaviour.steps import Script
from gavel_tb.behaviour.switches import CLEAN
from gavel_tb.behaviour.timers import FLUSH_TO_INIT

_KEPT = 5
_MORE = 20
_DOWN_TO_FLUSH = 1


class ReplaysExhausted(Scenario):
    """No frame gets through: after two replays the buffer is given up, INIT is sent until it is
    heard, and traffic goes on. What was kept is lost, and nothing else."""

    REPLAY_COUNT = 2

    def _play(self) -> Script:
        yield from self.bring_up()
        self.out_tap.frames_blocked = self.out_tap.sets_blocked = True
        self.ledger.write_off(self.feed(_KEPT))
        # With two of the new INIT lost.
        yield from self.until(lambda: len(self.log.values_out(Kind.INIT)) == 3, "INIT")
        self.feed(_MORE)
        yield from self.cycles(_MORE)
        self.must(len(self.log.frames_out) == 3 * _KEPT, "frames were sent in INIT")
        self.out_tap.frames_blocked = self.out_tap.sets_blocked = False
        yield from self.drain()

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(3 * _KEPT + _MORE) | {
            C.LLR_TX_REPLAY: 2, C.LLR_TX_FLUSH: 1,
            C.LLR_TX_INIT_CTL_OS: SOME, C.LLR_RX_INIT_ECHO_CTL_OS: SOME,
        }


class FlushDiscards(Scenario):
    """The buffer is given up and no INIT follows: frames are dropped, until management turns the
    direction off and on again."""

    REPLAY_COUNT = 1
    REINIT = False
    LEFT: ClassVar[int] = 0
    """Frames that leave as ineligible ones in FLUSH."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.out_tap.frames_blocked = True
        self.ledger.write_off(self.feed(_KEPT))
        yield from self.until(lambda: len(self.log.frames_out) == 2 * _KEPT, "the replay")
        yield from self.cycles(self.replay_timer + _MORE)
        self.out_tap.frames_blocked = False
        waiting = self.feed(_MORE)
        yield from self.cycles(_MORE * 64 // self.word_bytes + 100)
        plain = self.log.frames_out[2 * _KEPT:]
        self.must(len(plain) == self.LEFT, f"{len(plain)} frames have left")
        self._dispose(waiting)
        self.write(Port.LLR_CONTROL, self.control(remote=False))
        yield from self.until(lambda: not self.ledger.outstanding, "the frames that have waited")
        yield from self.cycles(_MORE)
        self.must(all(frame.seq is None for frame in self.log.frames_out[2 * _KEPT:]),
                  "a frame was eligible without an agreement")
        self.write(Port.LLR_CONTROL, self.control())
        self.feed(_MORE)
        yield from self.drain()

    def _dispose(self, waiting: list[Entry]) -> None:
        """What has become of the frames that came in FLUSH."""
        self.ledger.write_off(waiting)

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(2 * _KEPT + _MORE) | {
            C.LLR_TX_REPLAY: 1, C.LLR_TX_FLUSH: 1, C.LLR_TX_DISCARD: _MORE,
            C.LLR_TX_INIT_CTL_OS: 2, C.LLR_RX_INIT_ECHO_CTL_OS: 2,
        }


class FlushPasses(FlushDiscards):
    """The same with BEST_EFFORT: frames leave as ineligible ones."""

    FLUSH_ACTION = Action.BEST_EFFORT
    LEFT = _MORE

    def _dispose(self, waiting: list[Entry]) -> None:
        self.must(all(entry.arrived is not None for entry in waiting), "some have not arrived")

    def _expected(self) -> Counts:
        return super()._expected() | {C.LLR_TX_DISCARD: 0}


class FlushBlocks(FlushPasses):
    """The same with BLOCK: frames wait, and leave as soon as the direction is turned off."""

    FLUSH_ACTION = Action.BLOCK
    LEFT = 0

    def _dispose(self, waiting: list[Entry]) -> None:
        self.must(all(entry.arrived is None for entry in waiting), "some have arrived")


class DataAge(Scenario):
    """LLR-09: nothing is acknowledged, and there is no replay timer: the oldest frame becomes too
    old, and the buffer is given up. All has arrived before."""

    REPLAY_TIMER = 0
    DATA_AGE = 700
    PARTNER: ClassVar[Mapping[str, int]] = {"replay_timer": 600}

    def _play(self) -> Script:
        yield from self.bring_up()
        self.back_tap.sets_blocked = True
        self.feed(_KEPT)
        yield from self.until(lambda: len(self.log.values_out(Kind.INIT)) == 2, "INIT")
        flushed = self.log.frames_out[0].last - 1 + self.DATA_AGE
        self.must(self.now == flushed + FLUSH_TO_INIT,
                  f"INIT comes {self.now - flushed} cycles after the flush")
        self.back_tap.sets_blocked = False
        self.feed(_MORE)
        yield from self.drain()

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(_KEPT + _MORE) | {
            C.LLR_TX_INIT_CTL_OS: 2, C.LLR_RX_INIT_ECHO_CTL_OS: 2, C.LLR_TX_FLUSH: 1,
        }


class LinkDownShort(Scenario):
    """The link is down in both directions for one cycle less than ``pcs_lost``: what was under way
    is sent again, and nothing is given up."""

    PCS_LOST = 500
    DOWN: ClassVar[int] = 499
    FRAMES: ClassVar[int] = 100

    def _play(self) -> Script:
        yield from self.bring_up()
        self.fed = self.feed(self.FRAMES)
        self.send(self.FRAMES)
        yield from self.until(lambda: len(self.log.frames_out) == self.FRAMES // 2, "half of it")
        self.began = self.now + 1
        self.out.take_down(self.DOWN)
        self.back.take_down(self.DOWN)
        yield from self.cycles(self.DOWN)
        yield from self._after()

    def _after(self) -> Script:
        yield from self.drain()

    def _expected(self) -> Counts:
        again = sum(not frame.new for frame in self.log.frames_out)
        self.must(again > 0, "nothing was lost")
        return HANDSHAKE | sent(self.FRAMES + again) | received(self.FRAMES) | {
            C.LLR_RX_OK: SOME, C.LLR_RX_MISSING_SEQ: SOME,
            C.LLR_TX_NACK_CTL_OS: 1, C.LLR_RX_REPLAY: 1,
            C.LLR_RX_NACK_CTL_OS: 1, C.LLR_TX_REPLAY: 1,
        }


class LinkDownLong(LinkDownShort):
    """The link is down for ``pcs_lost``: the buffer is given up. Lost is what was sent and did not
    arrive; the direction to the switch is not concerned."""

    DOWN = 500

    def _after(self) -> Script:
        flushed = self.began + self.PCS_LOST + _DOWN_TO_FLUSH
        self.must(self.now < flushed, "too late to see INIT")
        sent_before = self.log.first_sent
        yield from self.until(lambda: len(self.log.values_out(Kind.INIT)) == 2, "INIT")
        self.must(self.now == flushed + FLUSH_TO_INIT,
                  f"INIT comes {self.now - flushed} cycles after the flush")
        lost = [entry for entry in self.fed[:sent_before] if entry.arrived is None]
        self.must(bool(lost), "nothing was lost")
        self.ledger.write_off(lost)
        yield from self.drain()

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(self.FRAMES) | received(self.FRAMES) | {
            C.LLR_RX_OK: SOME, C.LLR_RX_MISSING_SEQ: SOME,
            C.LLR_TX_NACK_CTL_OS: 1, C.LLR_RX_REPLAY: 1, C.LLR_TX_FLUSH: 1,
            C.LLR_TX_INIT_CTL_OS: 2, C.LLR_RX_INIT_ECHO_CTL_OS: 2,
        }


class SilentPeer(Scenario):
    """The peer never answers INIT. Frames for it wait, and are dropped after ``pcs_lost``; the
    other port runs at full rate all the time, from the same input buffer."""

    PCS_LOST = 2500
    OTHERS: ClassVar[int] = 200

    def _play(self) -> Script:
        self.partner.silence()
        self.write_settings()
        yield from self.cycles(20)
        self.waiting = self.feed(_MORE)
        others = self.feed(self.OTHERS, destination=CLEAN)
        yield from self.until(lambda: others[-1].arrived is not None, "frames to the other port")
        words = -(-64 // self.word_bytes)
        arrived = [entry.arrived for entry in others]
        self.must(all(a is not None and b is not None and b - a == words
                      for a, b in pairwise(arrived)),
                  "the other port has gaps")
        yield from self._after()

    def _after(self) -> Script:
        self.ledger.write_off(self.waiting)
        yield from self.cycles(self.PCS_LOST + 10 * _MORE)
        self.must(not self.log.frames_out, "a frame has left")

    def _expected(self) -> Counts:
        return {C.LLR_TX_INIT_CTL_OS: SOME, C.LLR_TX_DISCARD: _MORE}


class LatePeer(SilentPeer):
    """The peer answers before ``pcs_lost``: what has waited is sent, and nothing is lost."""

    PCS_LOST = 8000

    def _after(self) -> Script:
        self.must(not self.log.frames_out, "a frame has left")
        self.partner.silence(0)
        yield from self.drain()

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(_MORE) | {
            C.LLR_TX_INIT_CTL_OS: SOME, C.LLR_RX_INIT_ECHO_CTL_OS: SOME,
        }
