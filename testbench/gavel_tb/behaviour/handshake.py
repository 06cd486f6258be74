# SPDX-License-Identifier: Apache-2.0
"""Scenarios of INIT and its echo: lost, damaged, repeated, in traffic; and of resets."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

from gavel_model.config import MIN_FRAME_BYTES
from gavel_model.ordered_set import Kind, OrderedSet, encode
from gavel_tb.behaviour.judgement import HANDSHAKE, SOME, C, Counts, received, sent
from gavel_tb.behaviour.scenario import Scenario
from gavel_tb.behaviour.steps import Script
from gavel_tb.behaviour.switches import SPACING
from gavel_tb.partner.misbehaviour import Extra, Fault
from gavel_tb.partner.receiver import ReceiverState

_FRAMES = 20
_INIT_SPACINGS = 4
_SETTINGS_CYCLES = 20


class _Handshake(Scenario):
    """Link-level retry comes up in spite of what happens, and then frames go both ways."""

    def _play(self) -> Script:
        self._prepare()
        yield from self.bring_up()
        self.feed(_FRAMES)
        self.send(_FRAMES)
        yield from self.drain()

    def _prepare(self) -> None:
        """What is to happen."""
        raise NotImplementedError

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(_FRAMES) | received(_FRAMES)


class InitLost(_Handshake):
    """The switch's first two INIT are lost; it repeats them, in the very cycle."""

    def _prepare(self) -> None:
        self.out_tap.lose_sets(Kind.INIT, 2)

    def _expected(self) -> Counts:
        cycles = [seen.cycle for seen in self.log.sets_out
                  if seen.item is not None and seen.item.kind is Kind.INIT]
        between = -(-_INIT_SPACINGS * SPACING // self.word_bytes) + 1
        self.must([after - before for before, after in pairwise(cycles)] == [between] * 2,
                  f"INIT comes in cycles {cycles}")
        return super()._expected() | {C.LLR_TX_INIT_CTL_OS: 3}


class EchoDamaged(_Handshake):
    """A bit of the first echo is flipped: it does not count, and INIT comes again."""

    def _prepare(self) -> None:
        self.back_tap.flip_sets(Kind.INIT_ECHO, bit=13)

    def _expected(self) -> Counts:
        return super()._expected() | {C.LLR_TX_INIT_CTL_OS: 2, C.LLR_RX_CTL_UNKNOWN: 1}


class EchoWrong(_Handshake):
    """The first echo has another number, the second one other data: INIT goes on."""

    def _prepare(self) -> None:
        self.partner.faults.arm(Fault.ECHO_VALUE)
        self._armed = False

    def _play(self) -> Script:
        script = super()._play()
        for _ in script:
            if self.log.values_in(Kind.INIT_ECHO) == [1] and not self._armed:
                self.partner.faults.arm(Fault.ECHO_DATA)
                self._armed = True
            yield

    def _expected(self) -> Counts:
        self.must(self.log.values_in(Kind.INIT_ECHO) == [1, 0, 0], "other echoes came")
        return super()._expected() | {C.LLR_TX_INIT_CTL_OS: 3, C.LLR_RX_INIT_ECHO_CTL_OS: 3}


class EchoRepeated(_Handshake):
    """The echo comes twice: the second one does nothing."""

    def _prepare(self) -> None:
        self.back_tap.repeat_sets(Kind.INIT_ECHO)

    def _expected(self) -> Counts:
        return super()._expected() | {C.LLR_RX_INIT_ECHO_CTL_OS: 2}


class InitDamaged(_Handshake):
    """A bit of the partner's first INIT is flipped: no echo, until it comes again."""

    def _prepare(self) -> None:
        self.back_tap.flip_sets(Kind.INIT, bit=30)

    def _expected(self) -> Counts:
        return super()._expected() | {C.LLR_RX_CTL_UNKNOWN: 1}


class InitRepeated(_Handshake):
    """The partner's INIT comes in two cycles one after the other: as many echoes as there is room
    for, at least one, and nothing else."""

    def _prepare(self) -> None:
        self.back_tap.repeat_sets(Kind.INIT)

    def _expected(self) -> Counts:
        self.must(len(self.log.values_out(Kind.INIT_ECHO)) <= 2, "three echoes")
        return super()._expected() | {C.LLR_RX_INIT_CTL_OS: 2, C.LLR_TX_INIT_ECHO_CTL_OS: SOME}


class InitInTraffic(Scenario):
    """The partner says INIT again in the middle of its frames, with the number of the next one. A
    frame whose end comes after it is an old one by then, and is dropped."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.feed(5 * _FRAMES)
        self.send(5 * _FRAMES)
        yield from self.until(lambda: len(self.log.frames_in) == 2 * _FRAMES, "half of it")
        self.partner.inject(Extra.INIT, 0)
        yield from self.until(lambda: self.partner.idle and self.log.acknowledged, "rest")
        yield from self.cycles(100)
        missing = self.ledger.missing()
        cut = self.word_bytes < MIN_FRAME_BYTES
        self.must(len(missing) == cut, f"{len(missing)} frames are missing")
        self.ledger.write_off(missing)
        self._missing = len(missing)
        yield from self.drain()

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(5 * _FRAMES) | received(5 * _FRAMES) | {
            C.LLR_RX_EXPECTED_SEQ_GOOD: 5 * _FRAMES - self._missing,
            C.LLR_RX_DUPLICATE_SEQ: self._missing,
            C.LLR_RX_INIT_CTL_OS: 2, C.LLR_TX_INIT_ECHO_CTL_OS: 2,
        }


class PartnerBeginsAgain(Scenario):
    """The partner gives up what it has sent, cuts off the frame under way, and begins with a new
    INIT. All that had ended is there; the other direction is not concerned."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.feed(5 * _FRAMES)
        self.send(5 * _FRAMES)
        yield from self.until(lambda: len(self.log.frames_in) == 2 * _FRAMES, "half of it")
        self.partner.sender.start()
        self.partner.controls.due = 0
        yield from self.until(lambda: self.partner.idle and self.log.acknowledged, "rest")
        yield from self.cycles(100)
        missing = self.ledger.missing()
        self.must(len(missing) == (self.word_bytes < MIN_FRAME_BYTES),
                  f"{len(missing)} frames are missing")
        self.must(all(entry in self.partner.sender.lost for entry in missing),
                  "a frame is missing that was not given up")
        self._missing = len(missing)
        self.ledger.write_off(missing)
        yield from self.drain()

    def _expected(self) -> Counts:
        seen = self.log.counters()
        self.must(seen[C.RX_FRAGMENT] == self._missing, "another number of frames was cut off")
        return HANDSHAKE | sent(5 * _FRAMES) | received(5 * _FRAMES - self._missing) | {
            C.LLR_RX_INIT_CTL_OS: 2, C.LLR_TX_INIT_ECHO_CTL_OS: 2,
        }


class PartnerReset(Scenario):
    """The partner is reset and forgets all. It says INIT anew; of the switch it wants no frame
    before the switch has said INIT, which comes when its replays are used up."""

    REPLAY_COUNT = 2

    def _play(self) -> Script:
        yield from self.bring_up()
        self.feed(_FRAMES)
        self.send(_FRAMES)
        yield from self.drain()
        self.partner.reset()
        self.ledger.write_off(self.feed(5))
        yield from self.until(lambda: self.partner.receiver.state is not ReceiverState.OFF,
                              "INIT by the switch")
        self.feed(_FRAMES)
        self.send(_FRAMES)
        yield from self.drain()

    def _expected(self) -> Counts:
        return dict.fromkeys(HANDSHAKE, 2) | received(2 * _FRAMES) \
            | sent(2 * _FRAMES + 3 * 5) | {C.LLR_TX_REPLAY: 2, C.LLR_TX_FLUSH: 1}


class SwitchReset(Scenario):
    """The switch is reset and is told its settings anew. It drops the partner's frames until the
    partner gives up and says INIT; counted is from the reset on."""

    PARTNER: ClassVar[Mapping[str, int]] = {"replay_limit": 2}

    def _play(self) -> Script:
        yield from self.bring_up()
        self.feed(_FRAMES)
        self.send(_FRAMES)
        yield from self.drain()
        self.reset = 1
        yield from self.cycles(1)
        self.reset = 0
        yield from self.cycles(2)
        self.write_settings()
        yield from self.cycles(_SETTINGS_CYCLES)
        self.ledger.write_off(self.send(5))
        self.feed(_FRAMES)
        yield from self.until(lambda: len(self.partner.sender.lost) == 5, "the partner gives up")
        self.send(_FRAMES)
        yield from self.drain()

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(_FRAMES) | received(_FRAMES) | {C.LLR_RX_OK: _FRAMES + 3 * 5}


class Vectors(Scenario):
    """Ordered sets in the public layout, byte by byte (``protect`` = 0)."""

    PROTECT = False
    INIT_SEQ = 0x12345
    INIT_DATA = 0xABCD
    PARTNER: ClassVar[Mapping[str, int]] = {"init_seq": 0x12345, "init_data": 0x0102}
    SETS: ClassVar[tuple[str, ...]] = (
        "03 12 34 56 ab cd 00",
        "04 12 34 56 01 02 00",
        "01 12 34 56 00 00 00",
    )

    def _play(self) -> Script:
        yield from self.bring_up()
        self.send(1)
        self.feed(1)
        yield from self.drain()
        self.must(self.log.frames_out[0].seq == self.INIT_SEQ, "the first frame is not INIT_SEQ")
        self._check()

    def _check(self) -> None:
        found = tuple(seen.ctl.to_bytes(7, "little").hex(" ") for seen in self.log.sets_out)
        # Several ACKs may follow, as their spacing allows.
        self.must(found[:len(self.SETS)] == self.SETS, f"sent were {found}")

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(1) | received(1)


class NackVector(Vectors):
    """A NACK with 900; INIT for it is put in by hand, with data of its own."""

    PARTNER: ClassVar[Mapping[str, int]] = {"init_seq": 901}
    SETS = ("03 12 34 56 ab cd 00", "04 00 38 56 00 00 00", "04 00 38 56 fe dc 00",
            "02 00 38 46 00 00 00")

    def _play(self) -> Script:
        yield from self.bring_up()
        self.back_tap.inserts.append(encode(OrderedSet(Kind.INIT, 901, 0xFEDC), protect=False))
        yield from self.until(lambda: len(self.log.sets_out) == 3, "the second echo")
        self.back_tap.lose_frame(901)
        self.send(2)
        yield from self.drain()
        self._check()

    def _expected(self) -> Counts:
        return HANDSHAKE | received(2) | {
            C.LLR_RX_INIT_CTL_OS: 2, C.LLR_TX_INIT_ECHO_CTL_OS: 2,
            C.LLR_RX_OK: 3, C.LLR_RX_MISSING_SEQ: 1, C.LLR_TX_NACK_CTL_OS: 1, C.LLR_RX_REPLAY: 1,
        }
