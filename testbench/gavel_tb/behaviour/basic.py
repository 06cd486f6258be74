# SPDX-License-Identifier: Apache-2.0
"""Scenarios of undisturbed traffic and of single errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gavel_model.config import MIN_FRAME_BYTES
from gavel_model.ordered_set import Kind
from gavel_tb.behaviour.judgement import HANDSHAKE, SOME, C, Counts, received, sent
from gavel_tb.behaviour.scenario import Scenario
from gavel_tb.behaviour.steps import Script
from gavel_tb.behaviour.switches import LINK
from gavel_tb.partner.misbehaviour import Fault

_FRAMES = 1000
_HIT = 901


class LineRate(Scenario):
    """1000 frames of 64 bytes at line rate, each way at the same time."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.feed(_FRAMES)
        self.send(_FRAMES)
        yield from self.drain()
        for frames in (self.log.frames_out, self.log.frames_in):
            words = 64 // self.word_bytes
            self.must(frames[-1].last - frames[0].first + 1 == _FRAMES * words,
                      "frames do not follow each other without gaps")

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(_FRAMES) | received(_FRAMES)


class _OneGap(Scenario):
    """One frame of 1000 does not arrive well at the switch."""

    PARTNER: ClassVar[Mapping[str, int]] = {"init_seq": 1}
    BAD = 0

    def _play(self) -> Script:
        yield from self.bring_up()
        self.send(_FRAMES)
        yield from self.until(lambda: self.partner.sender.next == _HIT, "frame 900 is sent")
        self._hit()
        yield from self.drain()
        self.must(self.log.values_out(Kind.NACK) == [_HIT - 1], "not one NACK with 900")
        self.must(self.partner.sender.replays == 1, "not one replay by the partner")
        # Both directions still work, without anything being agreed anew.
        self.send(1)
        self.feed(1)
        yield from self.drain()

    def _hit(self) -> None:
        """What happens to the next frame."""
        raise NotImplementedError

    def _expected(self) -> Counts:
        # Frames on their way behind the gap come twice.
        late = len(self.log.frames_in) - (_FRAMES + 1) - self.BAD
        self.must(late > 0, "no frame was under way behind the gap")
        return HANDSHAKE | sent(1) | received(_FRAMES + 1) | {
            C.LLR_RX_OK: _FRAMES + 1 + late, C.LLR_RX_MISSING_SEQ: late,
            C.LLR_TX_NACK_CTL_OS: 1, C.LLR_RX_REPLAY: 1,
        }


class SkippedFrame(_OneGap):
    """The partner gives frame 901 its number and does not send it."""

    def _hit(self) -> None:
        self.partner.faults.arm(Fault.SKIP)


class SpoiltFrame(_OneGap):
    """The 901st frame comes with a bad FCS."""

    BAD = 1

    def _hit(self) -> None:
        self.partner.faults.arm(Fault.BAD_FCS)

    def _expected(self) -> Counts:
        return super()._expected() | {C.LLR_RX_BAD: 1, C.LLR_RX_EXPECTED_SEQ_BAD: 1}


class LostFrame(Scenario):
    """Frame 901 of the switch is lost on its way."""

    INIT_SEQ = 1

    def _play(self) -> Script:
        yield from self.bring_up()
        self.out_tap.lose_frame(_HIT)
        self.feed(_FRAMES)
        yield from self.drain()
        self.must(self.log.values_in(Kind.NACK) == [_HIT - 1], "not one NACK with 900")
        again = [frame.seq for frame in self.log.frames_out if not frame.new]
        self.must(again == list(range(_HIT, _HIT + len(again))), "the replay is not 901, 902 ...")
        self.feed(1)
        self.send(1)
        yield from self.drain()

    def _expected(self) -> Counts:
        again = sum(not frame.new for frame in self.log.frames_out)
        self.must(again > 1, "nothing was under way behind the gap")
        return HANDSHAKE | sent(_FRAMES + 1 + again) | received(1) | {
            C.LLR_RX_NACK_CTL_OS: 1, C.LLR_TX_REPLAY: 1,
        }


class Poisoned(Scenario):
    """1000 poisoned frames are accepted in sequence and dropped."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.ledger.write_off(self.send(_FRAMES, poison=True))
        yield from self.drain()
        self.must(self.partner.sender.replays == 0, "the partner has sent frames again")

    def _expected(self) -> Counts:
        return HANDSHAKE | {
            C.LLR_RX_POISONED: _FRAMES, C.LLR_RX_EXPECTED_SEQ_POISONED: _FRAMES,
            C.LLR_TX_ACK_CTL_OS: SOME,
        }


class PoisonedForwarded(Scenario):
    """1000 poisoned frames go on, and leave by a port with retry, still poisoned."""

    FORWARD_POISONED = True

    def _play(self) -> Script:
        yield from self.bring_up()
        self.send(_FRAMES, destination=LINK, poison=True)
        yield from self.drain()
        self.must(self.partner.receiver.poisoned == _FRAMES, "the partner found no poison")

    def _expected(self) -> Counts:
        return HANDSHAKE | {
            C.LLR_RX_POISONED: _FRAMES, C.LLR_RX_EXPECTED_SEQ_POISONED: _FRAMES,
            C.LLR_TX_ACK_CTL_OS: SOME, C.LLR_TX_POISONED: _FRAMES, C.LLR_RX_ACK_CTL_OS: SOME,
        }


class Latency(Scenario):
    """Frames of all lengths around word and cell boundaries, each way, at line rate and growing,
    so that nothing contends: latency is K (store and forward)."""

    def _play(self) -> Script:
        yield from self.bring_up()
        word, longest = self.word_bytes, self.config.max_frame_bytes
        sizes = [size for size in range(MIN_FRAME_BYTES, longest + 1)
                 if size % word in (0, 1, word - 1) or size == longest]
        fed = [entry for size in sizes for entry in self.feed(1, size)]
        sent_back = [entry for size in sizes for entry in self.send(1, size)]
        yield from self.drain()
        coming, leaving = self.log.frames_in, self.log.frames_out
        words = [-(-size // word) for size in sizes]
        self.must(coming[-1].last - coming[0].first + 1 == sum(words), "frames came with gaps")
        for n, length in enumerate(words):
            self._check(leaving[n].first - self.fed_ends[n], length, "to the link")
            arrived, left = sent_back[n].arrived, fed[n].arrived
            assert arrived is not None and left is not None
            self._check(arrived - length + 1 - coming[n].last, length, "from the link")
            self.must(left == leaving[n].last + self.DELAY, "the link has another delay")
        self.figures["lengths"] = len(sizes)

    def _check(self, latency: int, words: int, way: str) -> None:
        wanted = self.config.latency_cycles
        self.must(latency == wanted, f"a frame of {words} words {way} takes {latency} cycles, not "
                  f"{wanted}")

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(self.figures["lengths"]) | received(self.figures["lengths"])
