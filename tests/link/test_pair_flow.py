# SPDX-License-Identifier: Apache-2.0
"""Partner against partner with credits and PFC: no buffer is overrun, all credits come home."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gavel_tb.link_errors import LinkOptions
from gavel_tb.partner.flow_settings import BufferLimits, CreditSize, FlowSettings

FAST = {"spacing": 256, "min_spacing": 64, "replay_timer": 1500}


def limits(vcs: int, each: int, total: int = 0, **unit: int) -> BufferLimits:
    return BufferLimits(unit=CreditSize(**unit), per_vc=(each,) * vcs, total=total)


def agreed(vcs: int = 4, each: int = 16, total: int = 0, unit: dict[str, int] | None = None,
           **more: Any) -> FlowSettings:
    """Credits on all VCs, the same buffer at both ends."""
    buffer = limits(vcs, each, total, **(unit or {}))
    return FlowSettings(**{"vcs": vcs, "credited": (1 << vcs) - 1, "own": buffer, "peer": buffer,
                           "cf_min": 128, "cf_max": 2048, "cc_period": 1000, **more})


def both(**options: object) -> tuple[LinkOptions, LinkOptions]:
    link = LinkOptions(**options)  # type: ignore[arg-type]  # it checks its values
    return link, link


def load(p, frames=300, longest=300):
    for end in (0, 1):
        p.load_vcs(end, frames, longest)


def finish(p):
    p.drain()
    p.check()
    for end, checker in zip(p.ends, p.checkers, strict=True):
        assert end.flow.buffer.overruns == end.flow.credits.refused == 0
        assert end.flow.reports.recovered == end.flow.reports.errors == 0
        assert end.flow.home
        if p.watched:
            assert checker.flow.use.home


@pytest.mark.parametrize("flow", [
    agreed(), agreed(each=5), agreed(total=20), agreed(vcs=1), agreed(vcs=3, each=7),
    agreed(each=20, unit={"size": 32, "overhead": 20}),
    agreed(each=2, unit={"size": 512, "overhead": -16}), agreed(credited=0b101),
    agreed(cc_period=0), replace(agreed(), own=limits(4, 40, size=32), peer=limits(4, 6)),
], ids=lambda flow: f"{flow.vcs}-{flow.peer.per_vc[0]}-{flow.peer.total}-{flow.peer.unit.size}"
                    f"-{flow.credited:x}-{flow.cc_period}-{flow.own.per_vc[0]}")
def test_credits_hold_back(pair, flow):
    p = pair(flow=flow, links=both(delay=30), **FAST)
    load(p, 150)
    finish(p)
    for checker in p.checkers:
        assert checker.flow.cf_sent > 10
        assert (checker.flow.cc_sent > 1) == bool(flow.cc_period)


@pytest.mark.parametrize("total", [0, 12])
@pytest.mark.parametrize("trouble", [
    {"word_errors": 5e-3, "word_drops": 2e-3, "set_drops": 0.05, "delay": 20},
    {"word_errors": 1e-3, "set_drops": 0.5, "delay": 3},
    {"bit_errors": 1e-5, "down_rate": 2e-4, "down_cycles": 100.0, "delay": 50},
], ids=["errors", "sets", "down"])
def test_credits_over_bad_links(pair, trouble, total):
    p = pair(flow=agreed(each=6, total=total), links=both(**trouble), **FAST)
    load(p)
    finish(p)
    assert all(sum(link.counts.values()) for link in p.links)


@pytest.mark.parametrize("width", [64, 128, 256, 512])
def test_every_width(pair, width):
    p = pair(data_width=width, flow=agreed(), links=both(word_errors=2e-3, delay=20), **FAST)
    load(p)
    finish(p)


@pytest.mark.parametrize("rate", [1.0, 0.1, 0.01])
def test_a_slow_receiver_sets_the_pace(pair, rate):
    p = pair(flow=agreed(each=8), **FAST)
    p.ends[1].flow.set_rate(rate, 0)
    p.load_vcs(0, 40, 200)
    finish(p)
    words = sum(-(-len(data) // 8) for data in p.sent[0])
    assert p.cycle >= words / rate / 4 - 400
    assert max(p.ends[1].flow.buffer.peak) <= 8


def test_a_stuck_vc_does_not_hold_up_the_others(pair):
    p = pair(flow=agreed(each=8), **FAST)
    p.ends[1].flow.set_rate(0.0, 0, vc=2)
    load(p, 100)
    p.run(10_000)
    come = [data[14] >> 5 for data in p.delivered(1)]
    sent = [data[14] >> 5 for data in p.sent[0]]
    for n in range(8):
        if n % 4 != 2:
            assert come.count(n) == sent.count(n)
    stuck = sum(come.count(n) for n in (2, 6))
    assert 0 < stuck < sum(sent.count(n) for n in (2, 6))
    assert p.ends[1].flow.buffer.stored[2] <= 8
    p.ends[1].flow.set_rate(1.0, p.cycle)
    finish(p)


def test_counts_wrap(pair):
    p = pair(flow=agreed(vcs=1, each=40), **FAST)
    start = (1 << 20) - 60
    for end in p.ends:
        end.flow.credits.consumed[0] = end.flow.buffer.received[0] = start
    for checker in p.checkers:
        checker.flow.use._consumed[0] = checker.flow.back._accepted[0] = start
    load(p)
    finish(p)
    assert all(end.flow.credits.consumed[0] < start for end in p.ends)


def test_a_new_beginning_brings_all_credits_back(pair):
    p = pair(flow=agreed(each=8, cc_period=0), links=both(delay=100), gap=3, **FAST)
    load(p)
    p.run(1500)
    for end, checker in zip(p.ends, p.checkers, strict=True):
        while checker.sender._inside:
            p.run(1)
        end.reset()
    p.drain()
    assert all(end.flow.home for end in p.ends)
    assert all(checker.flow.use.home for checker in p.checkers)
    assert sum(end.flow.reports.recovered for end in p.ends) > 0
    assert all(not end.flow.credits.refused for end in p.ends)
    load(p, 50)
    p.drain()
    assert p.delivered(1)[-1] in p.sent[0][-50:]


PFC: dict[str, Any] = {"credited": 0, "pause_receive": 15, "pause_send": 15, "xoff": 12, "xon": 4}


@pytest.mark.parametrize("time", [0xFFFF, 40])
@pytest.mark.parametrize("trouble", [{}, {"word_errors": 3e-3, "set_drops": 0.02}], ids=str)
def test_pauses(pair, time, trouble):
    p = pair(flow=agreed(pause_time=time, **PFC), links=both(delay=10, **trouble),
             limits={"refresh_slack": 3000}, **FAST)
    for end in p.ends:
        end.flow.set_rate(0.1, 0)
    load(p, 120)
    finish(p)
    assert all(checker.flow.pauses.pauses > 1 for checker in p.checkers)
    if not trouble:
        # What is under way when the pause is asked for: two frames, the loop and the PFC frame.
        assert max(max(end.flow.buffer.peak) for end in p.ends) <= 12 + 2 * 5 + 20 + 8


def test_one_class_is_paused_and_the_others_go_on(pair):
    p = pair(flow=agreed(**PFC), **FAST)
    p.ends[1].flow.set_rate(0.0, 0, vc=1)
    p.load_vcs(0, 200)
    p.run(10_000)
    assert p.ends[1].flow.asks.paused == 0b10
    assert not any(p.ends[0].flow.queues.queues[vc] for vc in (0, 2, 3))
    p.ends[1].flow.set_rate(1.0, p.cycle)
    finish(p)


@pytest.mark.parametrize(("change", "message"), [
    ({"vcs": 9}, "vcs = 9: must be in 1...8"),
    ({"credited": 16}, "credited = 0x10: must name VCs below vcs = 4"),
    ({"own": limits(3, 5)}, "own: must have a limit for each of 4 VCs"),
    ({"xoff": 3, "xon": 3}, "xon = 3: must be in 0...2, below xoff"),
])
def test_refusals(change, message):
    with pytest.raises(ValueError, match=message):
        replace(agreed(), **change)
