# SPDX-License-Identifier: Apache-2.0
"""Chapter 4 of llr.md: every cell of the receiver's table, and its place in the pipeline."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from gavel_model import load_config
from gavel_model.counters import Counters
from gavel_model.frame import append_fcs
from gavel_model.llr_receiver import LlrReceiver, ReceiverState
from gavel_model.llr_settings import LlrSettings
from gavel_model.mac_control import cc_update_frame, pfc_frame
from gavel_model.ordered_set import Kind, OrderedSet
from gavel_model.received_frame import Fcs, ReceivedFrame
from gavel_model.register_map import Counter, Port

C = Counter
S = ReceiverState
ON = (S.SEND_ACKS, S.SEND_NACK, S.NACK_SENT)
CLASS = {Fcs.GOOD: C.LLR_RX_OK, Fcs.POISONED: C.LLR_RX_POISONED, Fcs.BAD: C.LLR_RX_BAD}


class Rig:
    """A receiver with 4-bit sequence numbers that expects number 14."""

    def __init__(self, state: S, *, local: bool = True, forward: bool = False) -> None:
        config = load_config("tiny", ["seq_bits=4"])
        self.settings = LlrSettings(config)
        self.settings.local = local
        self.settings.forward_poisoned = forward
        self.counters = Counters()
        self.llr = LlrReceiver(config, self.settings, self.counters)
        self.llr.state = state
        self.llr.next_rx = 14

    def frame(self, seq: int, fcs: Fcs, *, llr: int = 1, error: bool = False) -> int:
        frame = ReceivedFrame([], b"", 64, C.RX_ERR if error else C.RX_FCS * (fcs is not Fcs.GOOD))
        frame.llr, frame.seq, frame.fcs, frame.error = llr, seq, fcs, error
        self.llr.begin(None)
        self.llr.receive(frame)
        return frame.reason

    def counted(self) -> set[Counter]:
        assert all(value in (0, 1) for value in self.counters.values)
        return {n for n in C if self.counters[n]}


@pytest.mark.parametrize("fcs", [Fcs.GOOD, Fcs.POISONED])
@pytest.mark.parametrize("state", ON)
def test_the_expected_number_is_kept_in_every_state(state: S, fcs: Fcs) -> None:
    rig = Rig(state)
    assert rig.frame(14, fcs) == (0 if fcs is Fcs.GOOD else C.RX_POISONED)
    assert (rig.llr.state, rig.llr.next_rx, rig.llr.ack_pending) == (S.SEND_ACKS, 15, True)
    expected = {
        Fcs.GOOD: C.LLR_RX_EXPECTED_SEQ_GOOD, Fcs.POISONED: C.LLR_RX_EXPECTED_SEQ_POISONED
    }[fcs]
    replay = {C.LLR_RX_REPLAY} if state is S.NACK_SENT else set()
    assert rig.counted() == {CLASS[fcs], expected} | replay


@pytest.mark.parametrize(
    ("state", "after"),
    [(S.SEND_ACKS, S.SEND_NACK), (S.SEND_NACK, S.SEND_NACK), (S.NACK_SENT, S.NACK_SENT)],
)
def test_the_expected_number_on_a_bad_frame(state: S, after: S) -> None:
    rig = Rig(state)
    assert rig.frame(14, Fcs.BAD) == C.RX_LLR
    assert (rig.llr.state, rig.llr.next_rx, rig.llr.ack_pending) == (after, 14, False)
    assert rig.counted() == {C.LLR_RX_BAD, C.LLR_RX_EXPECTED_SEQ_BAD}


@pytest.mark.parametrize("fcs", list(Fcs))
@pytest.mark.parametrize("seq", [15, 0, 5])  # 1, 2 and 7 ahead
@pytest.mark.parametrize(
    ("state", "after"),
    [(S.SEND_ACKS, S.SEND_NACK), (S.SEND_NACK, S.SEND_NACK), (S.NACK_SENT, S.NACK_SENT)],
)
def test_a_gap(state: S, after: S, seq: int, fcs: Fcs) -> None:
    rig = Rig(state)
    assert rig.frame(seq, fcs) == C.RX_LLR
    assert (rig.llr.state, rig.llr.next_rx, rig.llr.ack_pending) == (after, 14, False)
    assert rig.counted() == {CLASS[fcs], C.LLR_RX_MISSING_SEQ}


@pytest.mark.parametrize("fcs", list(Fcs))
@pytest.mark.parametrize("seq", [13, 7, 6])  # 1, 7 and 8 behind
@pytest.mark.parametrize("state", ON)
def test_a_duplicate(state: S, seq: int, fcs: Fcs) -> None:
    rig = Rig(state)
    assert rig.frame(seq, fcs) == C.RX_LLR
    assert (rig.llr.state, rig.llr.next_rx, rig.llr.ack_pending) == (state, 14, True)
    assert rig.counted() == {CLASS[fcs], C.LLR_RX_DUPLICATE_SEQ}


@pytest.mark.parametrize("seq", [13, 14, 15])
@pytest.mark.parametrize("fcs", list(Fcs))
def test_nothing_is_kept_before_an_init(seq: int, fcs: Fcs) -> None:
    rig = Rig(S.OFF)
    assert rig.frame(seq, fcs) == C.RX_LLR
    assert (rig.llr.state, rig.llr.next_rx, rig.llr.ack_pending) == (S.OFF, 14, False)
    assert rig.counted() == {CLASS[fcs]}


@pytest.mark.parametrize("state", list(S))
def test_ineligible_frames_pass_in_every_state(state: S) -> None:
    rig = Rig(state)
    assert rig.frame(0, Fcs.GOOD, llr=0) == 0
    assert rig.frame(0, Fcs.POISONED, llr=0) == C.RX_FCS
    assert rig.frame(0, Fcs.BAD, llr=0) == C.RX_FCS
    assert (rig.llr.state, rig.llr.next_rx) == (state, 14)
    assert rig.counted() == set()


@pytest.mark.parametrize("state", list(S))
def test_local_off_lets_everything_pass_and_forgets(state: S) -> None:
    rig = Rig(state, local=False)
    rig.llr.ack_pending = rig.llr.echo_pending = True
    assert rig.frame(9, Fcs.GOOD) == 0
    assert rig.frame(14, Fcs.POISONED) == C.RX_FCS
    rig.llr.initialise(OrderedSet(Kind.INIT, 3, 4))
    assert (rig.llr.state, rig.llr.next_rx) == (S.OFF, 14)
    assert not (rig.llr.ack_pending or rig.llr.echo_pending)
    assert rig.counted() == set()


@pytest.mark.parametrize("state", list(S))
def test_init_begins_anew_in_every_state(state: S) -> None:
    rig = Rig(state)
    rig.llr.ack_pending = True
    rig.llr.initialise(OrderedSet(Kind.INIT, 7, 0x1234))
    assert (rig.llr.state, rig.llr.next_rx, rig.llr.ack_pending) == (S.SEND_ACKS, 7, False)
    assert (rig.llr.echo_pending, rig.llr.echo_seq, rig.llr.echo_data) == (True, 7, 0x1234)
    assert rig.counted() == {C.LLR_RX_INIT_CTL_OS}
    assert rig.llr.ack_seq == 6


@pytest.mark.parametrize("state", ON)
@pytest.mark.parametrize("sent", [None, Kind.ACK, Kind.NACK, Kind.INIT, Kind.INIT_ECHO])
def test_what_is_sent_is_no_longer_asked_for(state: S, sent: Kind | None) -> None:
    rig = Rig(state)
    rig.llr.ack_pending = rig.llr.echo_pending = True
    rig.llr.begin(sent)
    nacked = sent is Kind.NACK and state is S.SEND_NACK
    assert rig.llr.state is (S.NACK_SENT if nacked else state)
    assert rig.llr.ack_pending is (sent not in (Kind.ACK, Kind.NACK))
    assert rig.llr.echo_pending is (sent is not Kind.INIT_ECHO)


@pytest.mark.parametrize("state", list(S))
def test_requests(state: S) -> None:
    rig = Rig(state)
    llr = rig.llr
    llr.ack_pending = llr.echo_pending = True
    assert llr.ack_request == (state is S.SEND_ACKS)
    assert llr.nack_request == (state is S.SEND_NACK)
    assert llr.echo_request
    rig.settings.local = False
    assert not (llr.ack_request or llr.nack_request or llr.echo_request)


def test_a_frame_with_err_or_a_long_number_is_bad() -> None:
    for error, seq in ((True, 14), (False, 14 + 16)):
        rig = Rig(S.SEND_ACKS)
        assert rig.frame(seq, Fcs.GOOD, error=error) == C.RX_LLR
        assert rig.counted() == {C.LLR_RX_BAD, C.LLR_RX_EXPECTED_SEQ_BAD}
        assert rig.llr.state is S.SEND_NACK


def poisoned(frame: bytes) -> bytes:
    crc = zlib.crc32(frame[:-4]) ^ 0xAAAAAAAA
    return frame[:-4] + crc.to_bytes(4, "little")


def listening(b: Any, **changes: int) -> None:
    """Port 0 has its receiver on and expects number 5."""
    b.llr(0, local=1, **changes)
    b.run(2)
    b.ordered_set(0, Kind.INIT, 5, 0xABCD)
    b.run(3)
    assert b.switch.ports[0].llr_receiver.next_rx == 5


def test_a_frame_and_a_set_act_two_cycles_after_they_were_on_the_pins(bench: Any) -> None:
    b = bench()
    b.llr(0, local=1)
    b.run(2)
    b.ordered_set(0, Kind.INIT, 5, at=10)
    t = b.put(0, b.eligible(b.frame(1), 5), at=4)  # ends in 11
    llr = b.switch.ports[0].llr_receiver
    b.until(12)
    assert (llr.state, llr.next_rx) == (S.OFF, 0)
    b.run(1)
    assert (llr.state, llr.next_rx) == (S.SEND_ACKS, 5)
    b.until(t + 3)
    assert (llr.state, llr.next_rx) == (S.SEND_ACKS, 6)
    b.drain()
    assert [s.data for s in b.frames[1]] == [b.frame(1)]
    assert b.frames[1][0].first == t + 10


def test_a_set_acts_after_the_frame_that_ended_no_later(bench: Any) -> None:
    b = bench()
    listening(b)
    t = b.put(0, b.eligible(b.frame(1, seed=1), 5))
    b.ordered_set(0, Kind.INIT, 9, at=t)
    b.put(0, b.eligible(b.frame(1, seed=2), 9))
    b.drain()
    assert [s.data for s in b.frames[1]] == [b.frame(1, seed=1), b.frame(1, seed=2)]


def test_settings_count_as_visible_when_the_frame_takes_effect(bench: Any) -> None:
    for late, kept in ((0, 1), (1, 0)):
        b = bench()
        listening(b)
        t = b.put(0, b.eligible(b.frame(1), 99), at=20)
        b.llr(0, local=0, at=t + late)  # visible in t+2+late
        b.drain()
        assert len(b.frames[1]) == kept
        assert b.counters(0).get(C.RX_LLR, 0) == 1 - kept


@pytest.mark.parametrize(("forward", "local", "llr"), [(0, 1, 1), (1, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_poisoned_frames(bench: Any, forward: int, local: int, llr: int) -> None:
    b = bench("tiny", "profile=esun")
    listening(b, forward_poisoned=forward)
    if not local:
        b.llr(0, local=0)
        b.run(2)
    b.wrong_fcs = {0, 0xAAAAAAAA}
    frame = poisoned(b.frame(1, ttl=9))
    b.put(0, b.eligible(frame, 5) if llr else b.words(frame))
    b.drain()
    accepted = local and llr
    # The egress edit keeps the poison.
    sent = [poisoned(b.frame(1, ttl=8))] if accepted and forward else []
    assert [s.data for s in b.frames[1]] == sent
    reason = C.RX_FRAMES if sent else C.RX_POISONED if accepted else C.RX_FCS
    assert b.counters(0)[reason] == 1
    assert b.counters(0).get(C.LLR_RX_POISONED, 0) == accepted


@pytest.mark.parametrize("forward", [0, 1])
def test_a_poisoned_mac_control_frame_does_nothing(bench: Any, forward: int) -> None:
    b = bench()
    b.setting(0, Port.CBFC_CONTROL, 1 << 8)
    b.setting(0, Port.PFC_CONTROL, 1)
    listening(b, forward_poisoned=forward)
    flow = b.switch.ports[0].flow_control
    frames = (cc_update_frame(9, (7,)), pfc_frame(9, 1, (9,) * 8))
    for n, frame in enumerate(frames):
        b.put(0, b.eligible(poisoned(frame), 5 + n))
    b.drain(20)
    assert (flow.credit_receiver.consumed[0], flow.allow) == (0, 3)
    counters = b.counters(0)
    assert counters[C.RX_MAC_CONTROL if forward else C.RX_POISONED] == 2
    for counter in (C.CBFC_RX_CC_UPDATE, C.CBFC_RX_RECOVERED, C.PFC_RX):
        assert counter not in counters
    for n, frame in enumerate(frames):
        b.put(0, b.eligible(frame, 7 + n))
    b.drain(20)
    assert (flow.credit_receiver.consumed[0], flow.allow) == (7, 2)


@pytest.mark.parametrize(
    ("length", "reason"), [(63, C.RX_UNDERSIZE), (4, C.RX_UNDERSIZE), (250, C.RX_FRAMES),
                           (251, C.RX_OVERSIZE), (265, C.RX_OVERSIZE), (900, C.RX_OVERSIZE)],
)
@pytest.mark.parametrize("poison", [False, True])
@pytest.mark.parametrize("width", [64, 512])
def test_length_plays_no_part_in_the_class(
    bench: Any, length: int, reason: C, poison: bool, width: int
) -> None:
    b = bench("tiny", "max_frame_bytes=250", f"data_width={width}")
    listening(b)
    frame = b.frame(1, length) if length > 60 else append_fcs(bytes(length - 4))
    frame = append_fcs((frame[:-4] * 9)[: length - 4])
    b.put(0, b.eligible(poisoned(frame) if poison else frame, 5))
    bad = bytearray(frame)
    bad[0] ^= 1
    b.put(0, b.eligible(bytes(bad), 6))
    b.drain()
    if poison and reason is C.RX_FRAMES:
        reason = C.RX_POISONED
    counters = b.counters(0)
    assert counters[reason] == 1
    assert counters[C.LLR_RX_EXPECTED_SEQ_POISONED if poison else C.LLR_RX_EXPECTED_SEQ_GOOD] == 1
    assert counters[C.LLR_RX_EXPECTED_SEQ_BAD] == counters[C.RX_LLR] == 1
    assert b.switch.ports[0].llr_receiver.next_rx == 6


@pytest.mark.parametrize("length", [1, 3])
def test_a_frame_of_fewer_than_four_bytes_is_bad(bench: Any, length: int) -> None:
    b = bench()
    listening(b)
    b.put(0, b.eligible(bytes(length), 5))
    b.drain()
    assert b.counters(0)[C.LLR_RX_EXPECTED_SEQ_BAD] == b.counters(0)[C.RX_LLR] == 1


def test_an_endless_frame_takes_no_memory(bench: Any) -> None:
    b = bench()
    listening(b)
    frame = append_fcs(bytes(range(256)) * 40)
    words = b.eligible(frame, 5)
    b.put(0, words)
    longest = 0
    for _ in range(len(words)):
        b.run(1)
        longest = max(longest, len(b.switch.ports[0].link_rx._words))
    b.drain()
    assert longest <= b.config.max_frame_words + 1
    assert b.counters(0)[C.LLR_RX_EXPECTED_SEQ_GOOD] == b.counters(0)[C.RX_OVERSIZE] == 1


def test_an_aborted_frame_is_no_frame_end(bench: Any) -> None:
    b = bench()
    listening(b)
    b.put(0, b.eligible(b.frame(1), 5)[:4])
    b.put(0, b.eligible(b.frame(1), 5))
    b.drain()
    assert b.counters(0)[C.RX_FRAGMENT] == b.counters(0)[C.LLR_RX_OK] == 1
    assert C.LLR_RX_BAD not in b.counters(0)


def test_llr_and_seq_are_those_of_the_first_word(bench: Any) -> None:
    b = bench()
    listening(b)
    words = b.eligible(b.frame(1, seed=1), 5)
    b.put(0, [words[0], *(w._replace(llr=0, seq=77) for w in words[1:])])
    words = b.words(b.frame(1, seed=2))
    b.put(0, [words[0], *(w._replace(llr=1, seq=77) for w in words[1:])])
    b.drain()
    assert len(b.frames[1]) == 2
    assert b.counters(0)[C.LLR_RX_OK] == 1


@pytest.mark.parametrize("local", [0, 1])
@pytest.mark.parametrize("remote", [0, 1])
def test_sets_that_are_not_valid(bench: Any, local: int, remote: int) -> None:
    b = bench("tiny", "seq_bits=6")
    b.llr(0, local=local, remote=remote)
    b.run(3)
    good = [b.ctl[0, b.ordered_set(0, kind, 5, at=20)] for kind in Kind]
    b.ctl.clear()
    wrong = [ctl ^ 1 << bit for ctl in good for bit in range(56)]
    wrong += [(1 << 56) - 1, 0]
    for n, ctl in enumerate(wrong):
        b.ctl[0, b.cycle + n] = ctl
    b.run(len(wrong) + 4)
    counters = b.counters(0)
    assert counters[C.RX_CTL_OS] == len(wrong)
    assert counters.get(C.LLR_RX_CTL_UNKNOWN, 0) == (len(wrong) if local or remote else 0)
    for n, kind in enumerate((Kind.ACK, Kind.NACK, Kind.INIT, Kind.INIT_ECHO)):
        b.ordered_set(0, kind, 5, at=b.cycle + n)
    b.ordered_set(0, Kind.INIT, 64, at=b.cycle + 4)  # too long for six bits
    b.ordered_set(0, Kind.INIT, 5, at=b.cycle + 5, protect=False)
    b.run(10)
    unknown = b.counters(0).get(C.LLR_RX_CTL_UNKNOWN, 0) - counters.get(C.LLR_RX_CTL_UNKNOWN, 0)
    assert unknown == (2 if local or remote else 0)
    counts = [b.counters(0).get(n, 0) for n in (
        C.LLR_RX_INIT_CTL_OS, C.LLR_RX_INIT_ECHO_CTL_OS, C.LLR_RX_ACK_CTL_OS, C.LLR_RX_NACK_CTL_OS
    )]
    assert counts == [local, remote, remote, remote]


def test_without_protection_the_check_byte_is_zero(bench: Any) -> None:
    b = bench()
    b.llr(0, local=1, protect=0)
    b.run(2)
    b.ordered_set(0, Kind.INIT, 5, at=10)
    b.ordered_set(0, Kind.INIT, 6, at=12, protect=False)
    b.run(20)
    assert b.counters(0)[C.LLR_RX_CTL_UNKNOWN] == b.counters(0)[C.LLR_RX_INIT_CTL_OS] == 1
    assert b.switch.ports[0].llr_receiver.next_rx == 6
    assert b.sets[0][0][1] >> 48 == 0
