# SPDX-License-Identifier: Apache-2.0
"""Each misbehaviour of a partner is found by the rules, or handled as docs/llr.md says."""

from __future__ import annotations

import pytest

from gavel_model.ordered_set import Kind
from gavel_tb.link_errors import LinkOptions
from gavel_tb.partner.misbehaviour import Extra, Fault
from gavel_tb.partner.receiver import FrameClass, ReceiverState
from gavel_tb.stimulus import CheckError

SETTINGS = {"spacing": 256, "min_spacing": 64, "replay_timer": 1500}
FRAMES = 200


def busy(pair, **more):
    """A pair with traffic both ways, some of it sent."""
    p = pair(**{**SETTINGS, **more})
    for end in (0, 1):
        p.load(end, FRAMES)
    p.run(1000)
    return p


def finish(p):
    """Everything arrives all the same."""
    p.drain()
    p.check()


BROKEN = [
    (Fault.SKIP, 1, "sequence"),
    (Fault.REPEAT, 1, "replay (start|cause)"),
    (Fault.BAD_FCS, 1, "replay bytes"),
    (Fault.WRONG_SEQ, 5, "sequence"),
    (Fault.FLIPPED_SET, 17, "set"),
]


@pytest.mark.parametrize(("fault", "value", "rule"), BROKEN,
                         ids=lambda item: getattr(item, "name", None))
def test_a_fault_is_found_at_the_end_that_has_it(pair, fault, value, rule):
    p = busy(pair)
    p.ends[0].faults.arm(fault, value=value)
    with pytest.raises(CheckError, match=rf'port 0, cycle \d+: rule "{rule}" is broken'):
        p.run(5000)


@pytest.mark.parametrize("fault", [fault for fault, _, _ in BROKEN] + [Fault.NO_ACK, Fault.NO_NACK],
                         ids=lambda fault: fault.name)
def test_the_other_end_repairs_it(pair, fault):
    p = busy(pair, checked=False)
    p.ends[0].faults.arm(fault, times=3, value=5)
    p.ends[1].faults.arm(Fault.BAD_FCS, times=3)
    finish(p)
    assert p.ends[0].faults.happened[fault]


def test_a_skipped_number_is_asked_for_once(pair):
    p = pair(checked=False, init_seq=1)
    p.load(0, 1000, longest=64)
    p.run(200)
    while p.ends[0].sender.next != 901:
        p.run(1)
    p.ends[0].faults.arm(Fault.SKIP)
    finish(p)
    assert p.ends[1].controls.sent[Kind.NACK] == 1
    assert p.ends[0].sender.replays == 1
    assert p.ends[1].receiver.accepted == 1000
    assert p.ends[1].receiver.missing > 0


def test_a_bad_frame_is_asked_for_once(pair):
    p = pair(checked=False)
    p.load(0, 1000, longest=64)
    while p.ends[0].sender.next != 900:
        p.run(1)
    p.ends[0].faults.arm(Fault.BAD_FCS)
    finish(p)
    assert p.ends[1].controls.sent[Kind.NACK] == p.ends[1].receiver.bad == 1


def test_poisoned_frames_are_never_asked_for(pair):
    p = pair()
    p.load(0, 1000, longest=64)
    p.ends[0].faults.arm(Fault.POISON, times=1000)
    p.drain()
    assert [arrival.kind for arrival in p.arrived[1]] == [FrameClass.POISONED] * 1000
    assert p.ends[1].controls.sent[Kind.NACK] == 0
    assert p.ends[0].sender.replays == 0


@pytest.mark.parametrize(("fault", "value"), [(Fault.NO_ECHO, 1), (Fault.LATE_ECHO, 3000)],
                         ids=["no", "late"])
def test_an_echo_that_does_not_come_is_asked_for_again(pair, fault, value):
    p = pair(**SETTINGS)
    p.ends[1].faults.arm(fault, times=2, value=value)
    p.load(0, 20)
    finish(p)
    assert p.ends[0].controls.sent[Kind.INIT] > 2


@pytest.mark.parametrize("fault", [Fault.ECHO_VALUE, Fault.ECHO_DATA], ids=lambda f: f.name)
def test_a_wrong_echo_is_found_and_not_believed(pair, fault):
    p = pair(**SETTINGS)
    p.ends[1].faults.arm(fault)
    with pytest.raises(CheckError, match=r'port 1, .*rule "echo"'):
        p.run(200)
    q = pair(checked=False, **SETTINGS)
    q.ends[1].faults.arm(fault, times=2)
    q.load(0, 20)
    finish(q)
    assert q.ends[0].controls.sent[Kind.INIT] == 3


def test_no_ack_at_all(pair):
    p = busy(pair)
    p.ends[1].faults.arm(Fault.NO_ACK, times=1 << 30)
    p.run(20_000)
    assert p.ends[0].sender.replays > 3
    p.ends[1].faults.clear(Fault.NO_ACK)
    finish(p)


@pytest.mark.parametrize(("extra", "value", "rule"), [
    (Extra.OLD_NACK, 20, "NACK"),
    (Extra.OLD_NACK, 0, "NACK"),
    (Extra.ACK_AHEAD, 5000, "ACK value"),
    (Extra.NACK_AHEAD, 5000, "NACK"),
    (Extra.UNKNOWN, 0x10, "set"),
    (Extra.INIT, 7, "(sequence|eligible)"),
], ids=lambda item: getattr(item, "name", None))
def test_an_ordered_set_that_nobody_asked_for(pair, extra, value, rule):
    p = busy(pair)
    p.ends[0].inject(extra, value)
    with pytest.raises(CheckError, match=rf'port 0, cycle \d+: rule "{rule}" is broken'):
        p.run(3000)
    if extra is Extra.INIT:
        return
    q = busy(pair, checked=False)
    q.ends[0].inject(extra, value)
    finish(q)
    errors = q.ends[1].sender.seq_errors
    assert errors == (0 if extra is Extra.UNKNOWN or (extra, value) == (Extra.OLD_NACK, 0) else 1)
    assert q.ends[1].unknown_sets == (extra is Extra.UNKNOWN)


def test_a_storm_of_acks(pair):
    p = busy(pair)
    p.ends[0].storm(50)
    with pytest.raises(CheckError, match=r'port 0, .*rule "spacing"'):
        p.run(100)
    q = busy(pair, checked=False)
    q.ends[0].storm(500)
    finish(q)


def test_silence(pair):
    p = busy(pair)
    p.ends[1].silence(10_000)
    finish(p)
    assert p.ends[0].sender.replays > 2


def test_one_end_begins_again(pair):
    p = busy(pair, checked=False, replay_limit=3)
    p.ends[0].reset()
    p.drain()
    assert p.ends[0].sender.init_data == 1
    assert p.ends[1].sender.init_data == 1
    for end in (0, 1):
        # A frame whose ACK was lost with the agreement is given up, although it has arrived.
        missing = {tag for tag in range(FRAMES)
                   if p.sent[end][tag] not in set(p.delivered(1 - end))}
        assert missing <= set(p.ends[end].sender.lost)
        assert p.delivered(1 - end) == [data for tag, data in enumerate(p.sent[end])
                                        if tag not in missing]


@pytest.mark.parametrize(("limits", "rule"), [
    ({"window_frames": 3}, "window"),
    ({"window_words": 60}, "window"),
    ({"spacing": 512}, "spacing"),
    ({"min_spacing": 2048}, "spacing"),
], ids=lambda item: "-".join(item) if isinstance(item, dict) else None)
def test_limits_are_checked(pair, limits, rule):
    slow = LinkOptions(delay=100)
    p = pair(links=(slow, slow), limits=limits, **SETTINGS)
    p.load(0, 100)
    with pytest.raises(CheckError, match=f'rule "{rule}"'):
        p.run(4000)


def test_a_replay_needs_a_cause(pair):
    p = pair(**SETTINGS)
    p.load(0, 50)
    p.run(300)
    p.ends[0].sender.expire(300)
    with pytest.raises(CheckError, match='rule "replay cause"'):
        p.run(1000)


def test_eligible_frames_need_an_echo(pair):
    p = pair(**SETTINGS)
    p.ends[1].faults.arm(Fault.NO_ECHO, times=1 << 30)
    p.load(0, 5)
    p.run(100)
    p.ends[0].sender.echo(0, 0, 100)
    with pytest.raises(CheckError, match='rule "eligible"'):
        p.run(100)


def test_an_ack_in_a_gap_and_a_second_nack_are_found(pair):
    p = busy(pair)
    p.watched = (0,)
    p.ends[1].faults.arm(Fault.BAD_FCS)
    p.ends[0].faults.arm(Fault.NO_NACK)
    while p.ends[0].receiver.state is not ReceiverState.NACK_SENT:
        p.run(1)
    p.run(100)
    p.ends[0].inject(Extra.ACK_AHEAD, 0)
    with pytest.raises(CheckError, match=r'port 0, .*rule "ACK in gap"'):
        p.run(200)
    q = busy(pair)
    q.watched = (0,)
    q.ends[1].faults.arm(Fault.BAD_FCS)
    while q.ends[0].receiver.state is not ReceiverState.NACK_SENT:
        q.run(1)
    q.ends[0].inject(Extra.NACK_AHEAD, 0)
    with pytest.raises(CheckError, match=r'port 0, .*rule "NACK" is broken'):
        q.run(200)


def test_an_ack_that_goes_back_is_found(pair):
    p = busy(pair)
    p.ends[0].inject(Extra.ACK_AHEAD, -30)
    with pytest.raises(CheckError, match=r'port 0, .*rule "ACK value"'):
        p.run(200)
