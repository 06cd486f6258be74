# SPDX-License-Identifier: Apache-2.0
"""The whole switch between link partners with credits and PFC, on the golden model."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.register_map import Port, port_address
from gavel_tb.llr_on_model import traffic_on_model
from gavel_tb.llr_traffic import LlrTraffic, LlrTrafficJob
from gavel_tb.partner.misbehaviour import Fault
from gavel_tb.stimulus import CheckError

BAD: dict[str, Any] = {"word_errors": 2e-3, "word_drops": 1e-3, "set_drops": 0.05,
                       "bit_errors": 1e-5, "delay": 15}


def tiny(**changes: object) -> SwitchConfig:
    return load_config("tiny", [f"{name}={value}" for name, value in changes.items()])


def play(config: SwitchConfig, prepare: Any = None, **options: Any) -> dict[str, Any]:
    """Runs a job on the model alone."""
    return traffic_on_model(config, LlrTrafficJob(**options), prepare=prepare)


@pytest.mark.parametrize("credit", [
    {}, {"total_credits": True}, {"credit_size": 32, "credit_overhead": 20},
    {"credit_size": 256, "credit_overhead": -16}, {"cc_period": 0}, {"pfc": True},
], ids=str)
@pytest.mark.parametrize("trouble", [{}, BAD], ids=["clean", "bad"])
def test_credits(seed, credit, trouble):
    figures = play(tiny(ports=3, buffer_cells=32), seed=seed, cycles=2000, credits=True,
                   pattern="incast", **credit, **trouble)
    assert figures["frames"] > 40
    assert figures["cf_updates"] > 20
    assert figures["best_effort_lost"] == 0


@pytest.mark.parametrize("changes", [
    {"data_width": 512, "vcs": 3, "max_frame_bytes": 300, "replay_cells": 30, "buffer_cells": 40},
    {"data_width": 256, "vcs": 1, "profile": "esun", "ecn_threshold": 4},
    {"data_width": 128, "vcs": 8, "buffer_cells": 64, "ports": 4},
], ids=str)
@pytest.mark.parametrize("options", [{"credits": True}, {"credits": True, "total_credits": True},
                                     {"pfc": True}], ids=str)
def test_other_switches(seed, changes, options):
    figures = play(tiny(**changes), seed=seed, cycles=1500, stalls=True, **options, **BAD)
    assert figures["frames"] > 20


def test_no_report_is_due_while_a_large_switch_is_being_set_up(seed):
    assert play(load_config("rack"), seed=seed, cycles=600, credits=True)["frames"] > 100


def test_slow_and_stuck_receivers_lose_nothing(seed):
    slow = play(tiny(buffer_cells=32), seed=seed, cycles=5000, credits=True, size="min",
                slow_ports="all", slow_rate=0.02)
    assert slow["goodput"] < 0.08
    fast = play(tiny(buffer_cells=32), seed=seed, cycles=2000, credits=True, size="min")
    assert fast["goodput"] > 0.12
    play(tiny(ports=3, buffer_cells=32), seed=seed, cycles=3000, credits=True, stuck_ports="0,2",
         stuck_cycles=700, **BAD)


@pytest.mark.parametrize("rate", [1.0, 0.2])
def test_pauses_with_headroom_lose_nothing(seed, rate):
    figures = play(tiny(ports=3, buffer_cells=256), seed=seed, cycles=3000, pfc=True, delay=5,
                   slow_ports="all", slow_rate=rate, pattern="incast")
    assert figures["pfc_frames"] > 5


def test_best_effort_frames_are_dropped_and_harm_nobody(seed):
    figures = play(tiny(ports=3, buffer_cells=48), seed=seed, cycles=3000, credits=True,
                   best_effort="1", pattern="incast", **BAD)
    assert figures["best_effort_lost"] > 10
    assert figures["frames"] > 50


def change(offset: int, value: int) -> Any:
    """The switch is told something else than the rest of the run knows."""
    def prepare(traffic: LlrTraffic) -> None:
        address = port_address(0, offset)
        traffic._setup = deque(
            write._replace(wdata=value) if write.addr == address else write
            for write in traffic._setup
        )
    return prepare


CREDITS = {"credits": True, "slow_ports": "all", "slow_rate": 0.05}
PFC = {"pfc": True, "slow_ports": "all", "slow_rate": 0.05}


@pytest.mark.parametrize(("options", "offset", "value", "message"), [
    (CREDITS, Port.CBFC_LIMIT, 30, 'port 0, .*"credits"'),
    (CREDITS, Port.CBFC_LIMIT + 1, 30, 'port 0, .*"credits"'),
    ({**CREDITS, "total_credits": True}, Port.CBFC_TOTAL_LIMIT, 60, 'port 0, .*"credits"'),
    (CREDITS, Port.CBFC_SENDER, 0x0401, 'port 0, .*"CC count"'),
    (CREDITS, Port.CBFC_SENDER, 2, 'port 0, .*"(CC count|credits)"'),
    (CREDITS, Port.CBFC_RECEIVER, 0, 'port 0, .*"CF count"'),
    (CREDITS, Port.CBFC_RECEIVER, 3, 'port 0.*("CF count"|CBFC_RX_RECOVERED)'),
    (CREDITS, Port.CBFC_CF_MIN, 400, 'port 0, .*"CF spacing"'),
    ({**CREDITS, "load": 0.01}, Port.CBFC_CF_MAX, 1 << 20, 'port 0, .*"CF spacing"'),
    (CREDITS, Port.RX_VC_LIMIT, 1, "input 0 .* another is lost"),
    (PFC, Port.PFC_CONTROL, 0x0300, 'port 0, .*"pause"'),
    (PFC, Port.PFC_TIME, 77, 'port 0, .*"PFC frame"'),
    (PFC, Port.PFC_CONTROL, 0x0103, 'port 0, .*"PFC frame"'),
], ids=lambda item: str(item) if isinstance(item, int) else None)
def test_a_switch_that_does_otherwise_is_found(options, offset, value, message):
    def prepare(traffic: LlrTraffic) -> None:
        change(offset, value)(traffic)
        traffic._patience = traffic._overdue = 6000

    config = tiny(buffer_cells=256 if "pfc" in options else 32)
    with pytest.raises(CheckError, match=message):
        play(config, seed=1, cycles=6000, prepare=prepare, **options)


def test_a_full_buffer_of_a_partner_is_found_without_rules(seed):
    with pytest.raises(CheckError, match=r"port 0: \d+ frames have come to a full buffer"):
        play(tiny(buffer_cells=32), seed=seed, cycles=6000, rules=False,
             prepare=change(Port.CBFC_LIMIT, 30), **CREDITS)


@pytest.mark.parametrize(("fault", "value", "rule"), [
    (Fault.CF_COUNT, 1000, "CF count"), (Fault.CC_COUNT, 1, "CC count"),
    (Fault.UNPAID, 1, "credits"), (Fault.CHEAP, 1, "(CC count|credits)"),
], ids=lambda item: getattr(item, "name", None))
def test_a_partner_that_does_otherwise_is_found(fault, value, rule):
    def prepare(traffic: LlrTraffic) -> None:
        traffic.around.partners[1].faults.arm(fault, 1, value)

    with pytest.raises(CheckError, match=f'partner of port 1, .*rule "{rule}"'):
        play(tiny(), seed=1, cycles=6000, prepare=prepare, **CREDITS)


@pytest.mark.parametrize("fault", [Fault.NO_CF, Fault.CF_AGAIN, Fault.NO_CC, Fault.CC_AGAIN,
                                   Fault.FLIPPED_SET], ids=lambda fault: fault.name)
def test_partners_that_lose_and_repeat_harm_nobody(seed, fault):
    def prepare(traffic: LlrTraffic) -> None:
        traffic.around.partner_checkers.clear()
        for partner in traffic.around.partners:
            partner.faults.arm(fault, 6, 9)

    assert play(tiny(), seed=seed, cycles=4000, prepare=prepare, **CREDITS)["frames"] > 10


def test_credits_that_do_not_come_home_are_found(seed):
    def prepare(traffic: LlrTraffic) -> None:
        traffic._patience = traffic._overdue = 4000
        traffic.around.partner_checkers.clear()
        traffic.around.partners[1].faults.arm(Fault.NO_CF, 1 << 30)

    with pytest.raises(CheckError, match=r"nothing has arrived for 4000 cycles; .*partner 1: "
                       r".*uses credits \[.*, its port uses \["):
        play(tiny(), seed=seed, cycles=1000, prepare=prepare, credits=True)
