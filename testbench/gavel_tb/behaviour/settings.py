# SPDX-License-Identifier: Apache-2.0
"""Scenarios of link-level retry in one direction only, and of turning it off and on."""

from __future__ import annotations

from gavel_model.ordered_set import Kind, OrderedSet, encode
from gavel_model.register_map import Action, Port
from gavel_tb.behaviour.judgement import HANDSHAKE, SOME, C, Counts, received, sent
from gavel_tb.behaviour.scenario import Scenario
from gavel_tb.behaviour.steps import Script
from gavel_tb.partner.sender import SenderState

_FRAMES = 100
_SETTINGS_CYCLES = 4


class ReceiverOnly(Scenario):
    """``local`` without ``remote``: the partner's frames are acknowledged, the switch's own leave
    as ineligible ones, from the first cycle on."""

    REMOTE = False

    def _play(self) -> Script:
        self.feed(_FRAMES)
        yield from self.bring_up()
        self.send(_FRAMES)
        yield from self.drain()
        self.must(all(frame.seq is None for frame in self.log.frames_out), "an eligible frame")
        # Answers to what was never sent do nothing.
        for kind in (Kind.ACK, Kind.NACK, Kind.INIT_ECHO):
            self.back_tap.inserts.append(encode(OrderedSet(kind, 5), self.PROTECT))
        self.feed(_FRAMES)
        yield from self.drain()

    def _expected(self) -> Counts:
        return received(_FRAMES) | {C.LLR_RX_INIT_CTL_OS: 1, C.LLR_TX_INIT_ECHO_CTL_OS: 1}


class TransmitterOnly(Scenario):
    """``remote`` without ``local``: the switch's frames are sent again when they must be, those of
    the partner are ineligible and pass; an INIT is not answered."""

    LOCAL = False

    def _play(self) -> Script:
        self.partner.sender.state = SenderState.OFF
        yield from self.bring_up()
        self.back_tap.inserts.append(encode(OrderedSet(Kind.INIT, 7, 7), self.PROTECT))
        self.out_tap.lose_frame(_FRAMES // 2)
        self.feed(_FRAMES)
        self.send(_FRAMES)
        yield from self.drain()
        self.must(all(frame.seq is None for frame in self.log.frames_in), "an eligible frame")

    def _expected(self) -> Counts:
        again = sum(not frame.new for frame in self.log.frames_out)
        return sent(_FRAMES + again) | {
            C.LLR_TX_INIT_CTL_OS: 1, C.LLR_RX_INIT_ECHO_CTL_OS: 1,
            C.LLR_RX_NACK_CTL_OS: 1, C.LLR_TX_REPLAY: 1,
        }


class RemoteOffOn(Scenario):
    """``remote`` is taken back in the middle of frames, and set again: what comes in between is
    ineligible, what comes while the new INIT is under way waits, and nothing is lost."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.feed(3 * _FRAMES)
        self.send(3 * _FRAMES)
        out = self.log.frames_out
        yield from self.until(lambda: len(out) == _FRAMES, "a third of it")
        self.write(Port.LLR_CONTROL, self.control(remote=False))
        yield from self.until(lambda: len(out) == 2 * _FRAMES, "two thirds of it")
        self.write(Port.LLR_CONTROL, self.control())
        yield from self.drain()
        kinds = "".join("-" if frame.seq is None else "n" for frame in out)
        self.must(kinds.strip("n").strip("-") == "" and "-" in kinds,
                  "eligible and ineligible frames are mixed")
        self._plain = kinds.count("-")

    def _expected(self) -> Counts:
        return HANDSHAKE | received(3 * _FRAMES) | sent(3 * _FRAMES - self._plain) | {
            C.LLR_TX_INIT_CTL_OS: 2, C.LLR_RX_INIT_ECHO_CTL_OS: 2,
        }


class BestEffortInInit(RemoteOffOn):
    """The same with BEST_EFFORT in INIT: frames go on as ineligible ones without a pause."""

    INIT_ACTION = Action.BEST_EFFORT

    def _play(self) -> Script:
        yield from super()._play()
        frames = self.log.frames_out
        words = 64 // self.word_bytes
        # The restart costs a few cycles, the wait for what is acknowledged to be released more.
        self.must(frames[-1].last - frames[0].first < (3 * _FRAMES + 2) * words + 30,
                  "there was a pause")


class LocalOffOn(Scenario):
    """``local`` is taken back: ineligible frames pass. It is set again: a new INIT, and all is as
    before."""

    def _play(self) -> Script:
        yield from self.bring_up()
        self.send(_FRAMES)
        yield from self.drain()
        self.write(Port.LLR_CONTROL, self.control(local=False))
        self.partner.sender.state = SenderState.OFF
        self.send(_FRAMES, eligible=False)
        self.feed(_FRAMES)
        yield from self.drain()
        yield from self.on_again(_FRAMES)

    def on_again(self, frames: int) -> Script:
        """``local`` is set again, and the partner begins anew."""
        self.write(Port.LLR_CONTROL, self.control())
        yield from self.cycles(_SETTINGS_CYCLES)
        self.partner.sender.start()
        self.partner.controls.due = 0
        self.send(frames)
        yield from self.drain()

    def _expected(self) -> Counts:
        return HANDSHAKE | sent(_FRAMES) | received(2 * _FRAMES) | {
            C.LLR_RX_INIT_CTL_OS: 2, C.LLR_TX_INIT_ECHO_CTL_OS: 2,
            C.LLR_RX_ACK_CTL_OS: SOME,
        }
