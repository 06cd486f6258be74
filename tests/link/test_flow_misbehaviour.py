# SPDX-License-Identifier: Apache-2.0
"""Each misbehaviour of credits and PFC is found by the rules, or handled by the other end."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.frame import append_fcs
from gavel_model.mac_control import cc_update_frame, pfc_frame
from gavel_tb.partner.flow_settings import BufferLimits, CreditSize, FlowSettings
from gavel_tb.partner.misbehaviour import Extra, Fault
from gavel_tb.stimulus import CheckError

SETTINGS = {"spacing": 256, "min_spacing": 64, "replay_timer": 1500}
ALWAYS = 1 << 30
FRAMES = 200


def agreed(**more: Any) -> FlowSettings:
    buffer = BufferLimits(unit=CreditSize(), per_vc=(8,) * 4)
    return FlowSettings(**{"vcs": 4, "credited": 15, "own": buffer, "peer": buffer,
                           "cf_min": 128, "cf_max": 2048, "cc_period": 1000, **more})


def paused() -> FlowSettings:
    """PFC on three of four VCs, refreshed after 256 cycles."""
    return agreed(credited=0, pause_receive=7, pause_send=7, xoff=6, xon=2, pause_time=64)


def busy(pair, flow: FlowSettings, **more: Any) -> Any:
    """A pair with traffic both ways, some of it sent, and slow readers."""
    p = pair(flow=flow, **{**SETTINGS, "limits": {"refresh_slack": 100}, **more})
    for end in (0, 1):
        p.load_vcs(end, FRAMES)
        p.ends[end].flow.set_rate(0.3 if flow.credited else 0.05, 0)
    p.run(1000)
    return p


CREDIT_FAULTS = [
    (Fault.NO_CF, ALWAYS, 1, "CF spacing"),
    (Fault.CF_AGAIN, 1, 1, "CF spacing"),
    (Fault.CF_COUNT, 1, 1000, "CF count"),
    (Fault.CF_COUNT, 1, -20, "CF count"),
    (Fault.CF_VC, 1, 7, "CF VC"),
    (Fault.CC_COUNT, 1, 1, "CC count"),
    (Fault.CHEAP, 10, 1, "(credits|CC count)"),
    (Fault.CHEAP, 1, 1, "(credits|CC count)"),
    (Fault.UNPAID, 1, 1, "credits"),
    (Fault.FLIPPED_SET, 5, 17, "set"),
]
PAUSE_FAULTS = [
    (Fault.NO_PAUSE, 20, 1, "pause"),
    (Fault.PFC_SHAPE, 1, 0b1000, "PFC frame"),
    (Fault.NO_REFRESH, ALWAYS, 1, "PFC refresh"),
]


@pytest.mark.parametrize(("fault", "times", "value", "rule"), CREDIT_FAULTS + PAUSE_FAULTS,
                         ids=lambda item: getattr(item, "name", None))
@pytest.mark.parametrize("end", [0, 1])
def test_a_fault_is_found_at_the_end_that_has_it(pair, end, fault, times, value, rule):
    p = busy(pair, agreed() if (fault, times, value, rule) in CREDIT_FAULTS else paused())
    p.ends[end].faults.arm(fault, times, value)
    with pytest.raises(CheckError, match=rf'port {end}, cycle \d+: rule "{rule}" is broken'):
        p.run(6000)


@pytest.mark.parametrize("fault", [fault for fault, *_ in CREDIT_FAULTS[1:]]
                         + [Fault.NO_CF, Fault.NO_CC, Fault.CC_AGAIN, Fault.BAD_FCS, Fault.REPEAT],
                         ids=lambda fault: fault.name)
def test_the_other_end_repairs_it(pair, fault):
    p = busy(pair, agreed(), checked=False)
    p.ends[0].faults.arm(fault, times=3, value=7)
    p.drain()
    p.check()
    assert p.ends[0].faults.happened[fault]
    assert all(end.flow.home for end in p.ends)


def test_what_is_told_of_credits_that_cannot_be(pair):
    p = busy(pair, agreed(), checked=False)
    p.ends[0].faults.arm(Fault.CF_COUNT, value=1000)
    p.ends[1].faults.arm(Fault.CF_VC, value=6)
    p.drain()
    assert [end.flow.credits.refused for end in p.ends] == [1, 1]
    q = busy(pair, agreed(), checked=False)
    q.ends[0].faults.arm(Fault.CC_COUNT, value=3)
    q.run(3000)
    reports = q.ends[1].flow.reports
    assert (reports.recovered, reports.errors) == (1, 1)
    q.drain()


def test_lost_counts_and_repeated_ones_break_no_rule(pair):
    p = busy(pair, agreed())
    p.ends[0].faults.arm(Fault.NO_CC, 2)
    p.ends[1].faults.arm(Fault.CC_AGAIN, 2)
    p.drain()
    p.check()


@pytest.mark.parametrize("change", [{"unit": CreditSize(size=32)}, {"unit": CreditSize(overhead=4)},
                                    {"per_vc": (9, 9, 9, 9)}], ids=str)
def test_ends_that_count_otherwise_are_found(pair, change):
    p = pair(flow=agreed(), checked=False, **SETTINGS)
    told = BufferLimits(**{"unit": CreditSize(), "per_vc": (8,) * 4, **change})
    wrong = pair(flow=agreed(own=told, peer=told), **SETTINGS)
    p.ends[0] = wrong.ends[0]
    p.arrived = (wrong.arrived[0], p.arrived[1])
    p.watched = (0,)
    for end in (0, 1):
        p.load_vcs(end, FRAMES)
    with pytest.raises(CheckError, match=r'port 0, cycle \d+: rule "(CC|CF) count|credits"'):
        p.run(20_000)


def test_other_mac_control_frames_are_found(pair):
    for data in (cc_update_frame(1, [0] * 5)[:-4], cc_update_frame(1, [0])[:-6] + b"\1\1"):
        body = bytearray(data)
        body[14] ^= 1
        p = busy(pair, agreed())
        p.ends[0].flow.queues.queues[0].appendleft(
            p.ends[0].flow.queues.queues[0][0]._replace(data=append_fcs(bytes(body))))
        with pytest.raises(CheckError, match=r'port 0, cycle \d+: rule "MAC Control"'):
            p.run(3000)


def test_a_pfc_frame_with_something_else_in_it_is_found(pair):
    p = busy(pair, paused())
    body = bytearray(pfc_frame(1, 0b01110111, [0] * 8)[:-4])
    body[50] = 1
    queue = p.ends[0].flow.queues.queues[3]
    queue.appendleft(queue[0]._replace(data=append_fcs(bytes(body))))
    with pytest.raises(CheckError, match=r'port 0, cycle \d+: rule "PFC frame"'):
        p.run(3000)


def test_credits_keep_the_distance_of_all_sets(pair):
    p = pair(flow=agreed(), **SETTINGS)
    rules = p.checkers[0].receiver
    rules.credits_sent(10)
    rules.credits_sent(18)
    with pytest.raises(CheckError, match='rule "spacing" is broken: CF_Update comes after 7'):
        rules.credits_sent(25)


def test_a_set_of_credits_without_credits_is_unknown(pair):
    p = pair(**SETTINGS)
    p.load(0, 10)
    p.ends[0].inject(Extra.UNKNOWN, 0x10)
    with pytest.raises(CheckError, match='rule "set"'):
        p.run(500)
