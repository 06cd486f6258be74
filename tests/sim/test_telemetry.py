# SPDX-License-Identifier: Apache-2.0
"""Telemetry in a switch with everything on its pins: RTL against model in every cycle, and faults
planted in every block, each of which must be found. One build for all but the long tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gavel_model.loader import load_config
from gavel_model.observation import Observation
from gavel_tb.build_cache import BuildCache, Design
from gavel_tb.faults import ARGUMENT, Fault, plant
from gavel_tb.stimulus import CheckError
from gavel_tb.telemetry import TelemetryPlay, telemetry_design

CONFIGS = {
    "P3 V2 W64": ("ports=3", "buffer_cells=64", "receive_stages=1", "ingress_stages=1",
                 "match_stages=1", "read_stages=2", "egress_stages=1", "gate_stages=1",
                 "register_stages=1"),
    "P2 V8 W512": ("ports=2", "data_width=512", "vcs=8", "buffer_cells=30", "ingress_stages=2",
                  "launch_stages=1", "gate_stages=1"),
    "P5 V3 W128 fifo": ("ports=5", "data_width=128", "vcs=3", "buffer_cells=40", "queueing=fifo",
                        "gate_stages=2"),
    "P4 V1 W256": ("ports=4", "data_width=256", "vcs=1", "buffer_cells=40", "islip_iterations=2"),
}
CONFIG = load_config("tiny", CONFIGS["P3 V2 W64"])
CYCLES = 5000
LONG_CYCLES = 20_000


def fault(name: str, module: str, signal: str, wrong: str) -> Fault:
    return Fault(name, f"gavel_{module}", signal, wrong, (), ())


FAULTS = (
    fault("inputs free that are not", "observer", "inputs_free", "{} | 1'd1"),
    fault("no link up", "port_events", "events", "{} & ~12'd2"),
    fault("no alarm", "link_health", "uncorrectable_alarm", "1'd0"),
    fault("interrupt stuck", "telemetry", "irq", "1'd0"),
    fault("snapshot too soon", "telemetry", "rest", "{0} == 5'd20 ? 5'd0 : {0}"),
    fault("frozen bits lost", "counters", "frozen", "{} & ~64'd2"),
    fault("drop without interrupt", "telemetry_port", "wants", "{} & ~events[10]"),
    fault("a byte too many", "vc_statistics", "filed_0_bytes_total", "{} + 1'd1"),
    fault("latency doubled", "latency_histogram", "latency", "{} << 1"),
    fault("level without its lowest bit", "voq_levels", "value", "{} & ~48'd1"),
    fault("cells never fewer", "watermarks", "cells", "{} | 1'd1"),
    fault("blocked by nothing but hold", "stall_account", "blocked",
          "{} & {{$bits(blocked){{seen__hold}}}}"),
    fault("interval twice", "telemetry_stream", "interval", "{} | 1'd1"),
    fault("largest is last", "record_sums", "largest", "sample__seen__cells"),
)


NUMBERS_OF_VCS = ["dropped_vc", "sent_vc"]
"""Always 0 where there is one VC, and so never seen."""


def never(seen: set[str]) -> list[str]:
    """Members of an observation, and pins of telemetry, that were always 0."""
    pins = ["irq", "reg_rdata", *(f"m_axis_telemetry_{name}"
                                  for name in ("tvalid", "tdata", "tlast"))]
    return [name for name in (*Observation._fields, *pins) if name not in seen]


@pytest.fixture(scope="module")
def play(seed: int) -> TelemetryPlay:
    return TelemetryPlay(CONFIG, seed, CYCLES)


@pytest.fixture(scope="module")
def design(sim_cache: Path) -> Design:
    return plant(telemetry_design(CONFIG, sim_cache), FAULTS)


def test_lockstep(play: TelemetryPlay, design: Design, sim_cache: Path) -> None:
    seen = play.check(design, sim_cache)
    assert not never(seen)


@pytest.mark.parametrize("number", range(1, len(FAULTS) + 1),
                         ids=[fault.argument for fault in FAULTS])
def test_planted_fault(play: TelemetryPlay, design: Design, sim_cache: Path, number: int) -> None:
    with pytest.raises(CheckError):
        play.check(design, sim_cache, [f"+{ARGUMENT}={number}"])


@pytest.mark.long
@pytest.mark.parametrize("name", CONFIGS)
def test_lockstep_of_other_switches(seed: int, sim_cache: Path, name: str) -> None:
    config = load_config("tiny", CONFIGS[name])
    seen = TelemetryPlay(config, seed, LONG_CYCLES).check(telemetry_design(config, sim_cache),
                                                          sim_cache)
    assert never(seen) == (NUMBERS_OF_VCS if config.vcs == 1 else [])


@pytest.mark.long
def test_lockstep_within_a_self_test(seed: int, sim_cache: Path) -> None:
    seen = TelemetryPlay(CONFIG, seed, CYCLES, self_test=True).check(
        telemetry_design(CONFIG, sim_cache, self_test=True), sim_cache)
    assert not never(seen)


@pytest.mark.long
def test_no_pin_of_the_switch_changes(play: TelemetryPlay, sim_cache: Path) -> None:
    """The Verilog without telemetry, with the same inputs, shows the same but for what the
    registers of telemetry read."""
    plain = BuildCache(sim_cache).design(replace(CONFIG))
    shown = play.rtl_pins(plain, sim_cache)
    watched = play.rtl_pins(telemetry_design(CONFIG, sim_cache), sim_cache)
    for cycle, (one, other) in enumerate(zip(shown, watched, strict=True)):
        assert all(other[name] == value for name, value in one.items()
                   if name != "reg_rdata"), f"cycle {cycle}"
        assert one["reg_rdata"] in (0, other["reg_rdata"]), f"cycle {cycle}"
