# SPDX-License-Identifier: Apache-2.0
"""Scenarios of lost, late, repeated and damaged answers."""

from __future__ import annotations

from gavel_model.ordered_set import Kind, OrderedSet, encode
from gavel_model.pins import CTL_BITS
from gavel_tb.behaviour.judgement import HANDSHAKE, SOME, C, Counts, received, sent
from gavel_tb.behaviour.scenario import Scenario
from gavel_tb.behaviour.steps import Script
from gavel_tb.partner.misbehaviour import Extra, Fault

PROGRESS_TO_REPLAY = 8
"""Cycles, beside the replay timer, from the last ACK on the receive pins to the first replayed
word on the transmit pins: two to the cycle in which it counts, one until the count begins, five
from the restart to the pins."""

_FRAMES = 20
_HIT = 10


class NackLost(Scenario):
    """The partner's NACK is lost: the replay timer repairs it, in the very cycle."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.out_tap.lose_frame(_HIT)
        self.back_tap.lose_sets(Kind.NACK)
        self.feed(_FRAMES)
        yield from self.drain()
        again = next(frame for frame in self.log.frames_out if not frame.new)
        progress = max(seen.cycle for seen in self.log.sets_in
                       if seen.cycle < again.first and seen.item and seen.item.kind is Kind.ACK)
        self.must(again.first == progress + self.replay_timer + PROGRESS_TO_REPLAY,
                  f"the replay begins {again.first - progress} cycles after the last progress")

    def _expected(self) -> Counts:
        again = sum(not frame.new for frame in self.log.frames_out)
        return HANDSHAKE | sent(_FRAMES + again) | {C.LLR_TX_REPLAY: 1}


class NackOfSwitchLost(Scenario):
    """The switch's NACK is lost: the partner's replay timer repairs it."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.back_tap.lose_frame(_HIT)
        self.out_tap.lose_sets(Kind.NACK)
        self.send(_FRAMES)
        yield from self.until(lambda: self.log.values_out(Kind.NACK), "a NACK")
        acknowledged = max(self.log.values_out(Kind.ACK))
        self._twice = _HIT - 1 - acknowledged
        yield from self.drain()
        self.must(self.partner.sender.replays == 1, "not one replay by the partner")

    def _expected(self) -> Counts:
        late = _FRAMES - 1 - _HIT
        return HANDSHAKE | received(_FRAMES) | {
            C.LLR_RX_OK: _FRAMES + late + self._twice, C.LLR_RX_MISSING_SEQ: late,
            C.LLR_RX_DUPLICATE_SEQ: self._twice, C.LLR_TX_NACK_CTL_OS: 1, C.LLR_RX_REPLAY: 1,
        }


class NackWithdrawn(Scenario):
    """The NACK cannot go out, because the pins are not ready for ordered sets; the partner sends
    all again by itself, and then nothing is to be asked for."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.back_tap.lose_frame(_HIT)
        self.ctl_ready = 0
        self.send(_FRAMES)
        yield from self.until(lambda: self.partner.sender.replays, "the partner's replay")
        yield from self.until(lambda: len(self.log.frames_in) == 2 * _FRAMES - 1, "all of it")
        self.must(not self.log.sets_out[2:], "a set was taken")
        yield from self.cycles(4)
        self.ctl_ready = 1
        yield from self.drain()

    def _expected(self) -> Counts:
        late = _FRAMES - 1 - _HIT
        return HANDSHAKE | received(_FRAMES) | {
            C.LLR_RX_OK: _FRAMES + late + _HIT, C.LLR_RX_MISSING_SEQ: late,
            C.LLR_RX_DUPLICATE_SEQ: _HIT,
        }


class AckLost(Scenario):
    """An ACK is lost in each direction: the next one says it all, and nothing is sent again."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.feed(5 * _FRAMES)
        self.send(5 * _FRAMES)
        yield from self.until(lambda: self.log.values_in(Kind.ACK) and
                              self.log.values_out(Kind.ACK), "ACKs")
        self.out_tap.lose_sets(Kind.ACK)
        self.back_tap.lose_sets(Kind.ACK)
        yield from self.drain()
        self.must(self.out_tap.lost_sets == self.back_tap.lost_sets == 1, "no ACK was lost")
        self.must(self.partner.sender.replays == 0, "the partner has sent frames again")

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(5 * _FRAMES) | received(5 * _FRAMES)


class LastAcksLost(Scenario):
    """All ACKs of some frames are lost in each direction: they are sent again, once, are found to
    be duplicates, and are acknowledged."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.out_tap.sets_blocked = self.back_tap.sets_blocked = True
        self.feed(5)
        self.send(5)
        yield from self.until(lambda: len(self.log.frames_out) == 10
                              and len(self.log.frames_in) == 10, "both replays")
        self.out_tap.sets_blocked = self.back_tap.sets_blocked = False
        yield from self.drain()
        first, again = self.log.frames_out[0], self.log.frames_out[5]
        # Without any ACK the count begins with the end of the first frame.
        self.must(again.first == first.last + self.replay_timer + PROGRESS_TO_REPLAY - 3,
                  f"the replay begins {again.first - first.last} cycles after the first frame")
        self.must(self.partner.receiver.duplicates == 5, "the partner found other duplicates")

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(10) | received(5) | {
            C.LLR_RX_OK: 10, C.LLR_RX_DUPLICATE_SEQ: 5, C.LLR_TX_REPLAY: 1,
        }


class AllSetsLost(Scenario):
    """For three replay timers all ordered sets are lost in both directions, with a frame lost in
    each: both ends send again and again, and then all goes on."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.feed(_FRAMES)
        self.send(_FRAMES)
        self.out_tap.lose_frame(_HIT)
        self.back_tap.lose_frame(_HIT)
        self.out_tap.sets_blocked = self.back_tap.sets_blocked = True
        yield from self.cycles(3 * self.replay_timer)
        self.out_tap.sets_blocked = self.back_tap.sets_blocked = False
        self.feed(_FRAMES)
        self.send(_FRAMES)
        yield from self.drain()
        self.must(self.checker.sender.replays > 1 < self.partner.sender.replays,
                  "one replay only")

    def _expected(self) -> Counts:
        again = sum(not frame.new for frame in self.log.frames_out)
        seen = self.log.counters()
        return HANDSHAKE | sent(2 * _FRAMES + again) | received(2 * _FRAMES) | {
            C.LLR_RX_OK: len(self.log.frames_in), C.LLR_RX_MISSING_SEQ: SOME,
            C.LLR_RX_DUPLICATE_SEQ: SOME, C.LLR_TX_NACK_CTL_OS: 1, C.LLR_RX_REPLAY: 1,
            C.LLR_TX_REPLAY: self.checker.sender.replays,
            C.LLR_RX_NACK_CTL_OS: seen[C.LLR_RX_NACK_CTL_OS],
        }


class NackRepeated(Scenario):
    """A NACK comes twice: the second one changes nothing."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.out_tap.lose_frame(_HIT)
        self.back_tap.repeat_sets(Kind.NACK)
        self.feed(_FRAMES)
        yield from self.drain()

    def _expected(self) -> Counts:
        again = sum(not frame.new for frame in self.log.frames_out)
        return HANDSHAKE | sent(_FRAMES + again) | {
            C.LLR_TX_REPLAY: 1, C.LLR_RX_NACK_CTL_OS: 2,
        }


class NackInReplay(Scenario):
    """A later frame is lost again while it is sent again: the replay begins anew from there."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.out_tap.lose_frame(_HIT)
        self.out_tap.lose_frame(_HIT + 2, times=2)
        self.feed(_FRAMES)
        yield from self.drain()
        self.must(self.log.values_in(Kind.NACK) == [_HIT - 1, _HIT + 1], "other NACKs came")
        again = [frame.seq for frame in self.log.frames_out if not frame.new]
        self.must(again[:3] == [_HIT, _HIT + 1, _HIT + 2] and again.count(_HIT) == 1
                  and again.count(_HIT + 2) == 2, f"sent again: {again}")

    def _expected(self) -> Counts:
        again = sum(not frame.new for frame in self.log.frames_out)
        return HANDSHAKE | sent(_FRAMES + again) | {
            C.LLR_TX_REPLAY: 2, C.LLR_RX_NACK_CTL_OS: 2,
        }


class StaleAnswers(Scenario):
    """NACKs and ACKs for frames acknowledged before, and for frames never sent: outside of the
    window they count, and do nothing; a NACK for the newest frame asks for nothing."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.feed(_FRAMES)
        yield from self.drain()
        for extra, value in ((Extra.OLD_NACK, 3), (Extra.OLD_NACK, 0), (Extra.ACK_AHEAD, 1),
                             (Extra.NACK_AHEAD, 5)):
            self.partner.inject(extra, value)
        yield from self.until(lambda: len(self.log.values_in(Kind.NACK)) == 3, "all of them")
        self.feed(_FRAMES)
        yield from self.drain()

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(2 * _FRAMES) | {
            C.LLR_RX_NACK_CTL_OS: 3, C.LLR_RX_ACK_NACK_SEQ_ERROR: 3,
        }


class FlippedSets(Scenario):
    """An ACK with each of its 56 bits flipped, one at a time: ignored, and counted."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.partner.silence(self.replay_timer // 2)
        self.feed(3)
        yield from self.until(lambda: len(self.log.frames_out) == 3, "three frames")
        ctl = encode(OrderedSet(Kind.ACK, 2), self.PROTECT)
        self.back_tap.inserts.extend(ctl ^ 1 << bit for bit in range(CTL_BITS))
        yield from self.cycles(CTL_BITS + 4)
        self.must(not self.log.acknowledged and len(self.log.sets_in) == CTL_BITS + 2,
                  "not all of them came while the frames were outstanding")
        yield from self.drain()

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(3) | {C.LLR_RX_CTL_UNKNOWN: CTL_BITS}


class UnknownSets(Scenario):
    """Ordered sets of types that are none of link-level retry, in traffic."""

    TYPES = (0x00, 0x05, 0x10, 0x80, 0xFF)

    def _play(self) -> Script:
        yield from self.bring_up()
        self.feed(5 * _FRAMES)
        self.send(5 * _FRAMES)
        for kind in self.TYPES:
            self.partner.inject(Extra.UNKNOWN, kind)
        yield from self.drain()

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(5 * _FRAMES) | received(5 * _FRAMES) | {
            C.LLR_RX_CTL_UNKNOWN: len(self.TYPES),
        }


class Duplicates(Scenario):
    """The partner sends ten frames twice: each is dropped once, and nobody asks for anything."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.partner.faults.arm(Fault.REPEAT, 10)
        self.send(_FRAMES)
        yield from self.drain()

    def _expected(self) -> Counts:
        return HANDSHAKE | received(_FRAMES) | {
            C.LLR_RX_OK: _FRAMES + 10, C.LLR_RX_DUPLICATE_SEQ: 10,
        }


class BothBad(Scenario):
    """Frames and ordered sets are hit in both directions at once, one frame in thirty."""

    OUT_ERRORS = BACK_ERRORS = 1 / 30

    def _play(self) -> Script:
        yield from self.bring_up()
        for size in (64, 65, 130, 523) * 25:
            self.feed(1, size)
            self.send(1, size)
            yield from self.cycles(size // self.word_bytes)
        yield from self.drain()
        self.must(all(link.counts for link in (self.out, self.back)), "a link made no error")

    def _expected(self) -> Counts:
        seen = self.log.counters()
        by_pins = {counter: seen[counter] for counter in C if counter >= C.LLR_TX_INIT_CTL_OS}
        return by_pins | {
            C.LLR_RX_EXPECTED_SEQ_GOOD: 100, C.LLR_TX_NACK_CTL_OS: SOME, C.LLR_RX_BAD: SOME,
            C.LLR_RX_REPLAY: seen[C.LLR_TX_NACK_CTL_OS],
            C.LLR_TX_REPLAY: self.checker.sender.replays,
        }
