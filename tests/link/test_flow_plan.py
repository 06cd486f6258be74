# SPDX-License-Identifier: Apache-2.0
"""Room for each VC, the registers that say so, and what is refused."""

from __future__ import annotations

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.register_map import Port
from gavel_tb.flow_options import CREDIT_SIZES, FlowOptions, number_list
from gavel_tb.flow_plan import FlowPlan
from gavel_tb.link_errors import LinkOptions
from gavel_tb.llr_traffic import LlrTrafficJob
from gavel_tb.partner.flow_settings import cells_of


def tiny(**changes: object) -> SwitchConfig:
    return load_config("tiny", [f"{name}={value}" for name, value in changes.items()])


def plan(
    config: SwitchConfig, longest: int = 256, clean: bool = True, **options: object
) -> FlowPlan:
    return FlowPlan(config, FlowOptions(**options), LinkOptions(), longest, errors_free=clean)


@pytest.mark.parametrize("size", CREDIT_SIZES)
@pytest.mark.parametrize("overhead", [-16, 0, 20, 127])
def test_no_frames_within_the_credits_overrun_the_share(size, overhead):
    config = tiny(buffer_cells=200, vcs=3)
    flow = plan(config, credits=True, credit_size=size, credit_overhead=overhead).switch(0)
    for length in range(64, 257):
        frames = flow.own.per_vc[0] // flow.own.unit.credits(length)
        assert 3 * frames * cells_of(length) <= 200
    assert flow.own.per_vc == flow.other_end(0).peer.per_vc


def test_shares():
    config = tiny(buffer_cells=100, vcs=4)
    assert plan(config, credits=True).switch(1).own.per_vc == (25,) * 4
    total = plan(config, credits=True, total_credits=True).switch(1)
    assert (total.own.total, total.own.of(3)) == (100, 100)
    # A best-effort VC of 256-byte frames: its limit, two frames above it, and one under way.
    mixed = plan(config, credits=True, best_effort="0, 2")
    assert mixed.lossless_cells == 100 - 2 * 12 - 4
    assert mixed.switch(0).own.per_vc == (0, 36, 0, 36)
    assert mixed.switch(0).credited == 0b1010
    writes = mixed.writes(0)
    assert [dict(writes)[Port.RX_VC_LIMIT + vc] for vc in range(4)] == [4, 36, 4, 36]
    # A partner has room for two longest frames, and so the switch never waits for ever.
    small = plan(tiny(buffer_cells=16, vcs=8), longest=64, credits=True).switch(0)
    assert (small.own.per_vc[0], small.peer.per_vc[0]) == (2, 8)


def test_the_order_of_bringing_up():
    names = [Port(offset) for offset, _ in plan(tiny(), credits=True).writes(0)
             if offset in (Port.CBFC_CONTROL, Port.VC_CONTROL, Port.CBFC_LIMIT)]
    values = [value for offset, value in plan(tiny(), credits=True).writes(0)
              if offset == Port.CBFC_CONTROL]
    assert names[:3] == [Port.CBFC_CONTROL, Port.VC_CONTROL, Port.CBFC_LIMIT]
    assert names[-3:] == [Port.CBFC_CONTROL, Port.CBFC_CONTROL, Port.VC_CONTROL]
    assert values == [0x20000, 0x20300, 0x20303]


def test_pauses_need_headroom_or_frames_are_held_back():
    assert plan(tiny(), pfc=True).held_back == 3
    roomy = plan(tiny(buffer_cells=400), pfc=True)
    assert roomy.held_back == 0 and 0 < roomy.switch(0).xoff < 200
    assert plan(tiny(buffer_cells=400), clean=False, pfc=True).held_back == 3
    assert plan(tiny(), credits=True).held_back == 0
    assert roomy.switch(0).pause_send == 3 and plan(tiny(), credits=True).switch(0).pause_send == 0


@pytest.mark.parametrize(("text", "wanted"), [("", ()), ("all", (0, 1, 2)), ("2, 0,2", (0, 2))])
def test_lists_of_numbers(text, wanted):
    assert number_list("slow_ports", text, 3) == wanted


@pytest.mark.parametrize(("config", "options", "message"), [
    (tiny(), {"credits": True, "credit_size": 65},
     "credit_size = 65: must be one of 32, 64, 128, 256, 512, 1024, 2048"),
    (tiny(), {"credits": True, "credit_overhead": 128}, "credit_overhead = 128: must be in -16"),
    (tiny(), {"pfc": True, "cc_period": -1}, "cc_period = -1: must be in 0...16777215"),
    (tiny(), {"pfc": True, "stuck_cycles": 0}, "stuck_cycles = 0: must be in 1..."),
    (tiny(), {"pfc": True, "slow_rate": 0.0}, "slow_rate = 0.0: must be above 0 and at most 1"),
    (tiny(), {"total_credits": True}, "total_credits = True: needs credits"),
    (tiny(), {"slow_ports": "0"}, "slow_ports = '0': needs credits or pfc"),
    (tiny(), {"best_effort": "1"}, "best_effort = '1': needs credits or pfc"),
    (tiny(), {"credits": True, "slow_ports": "2"},
     "slow_ports = '2': must be numbers in 0...1 with commas between them, or all"),
    (tiny(), {"credits": True, "stuck_ports": "x"}, "stuck_ports = 'x': must be numbers in 0...1"),
    (tiny(), {"credits": True, "best_effort": "0,1"}, "best_effort = '0,1': must leave a VC"),
    (tiny(), {"credits": True, "best_effort": "0"}, "buffer_cells = 16: must be at least 20, so "
     "that a frame of 256 bytes fits the share of each of 1 VCs"),
    (tiny(vcs=5), {"credits": True}, "buffer_cells = 16: must be at least 20"),
])
def test_refusals(config, options, message):
    with pytest.raises(ValueError) as caught:
        LlrTrafficJob(**options).session(config)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
