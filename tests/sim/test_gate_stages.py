# SPDX-License-Identifier: Apache-2.0
"""With registers between flow control, retry and the scheduler, and a match in every cycle, others
before the cell memory and around the registers that software uses: lockstep, and faults of what all
these have to make up for."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from gavel_model.loader import load_config
from gavel_tb.build_cache import BuildCache
from gavel_tb.effort import SHORT
from gavel_tb.faults import ARGUMENT, Fault, plant
from gavel_tb.servers import Servers
from gavel_tb.simulate import Prepared, prepare

CONFIG = load_config("tiny", ("data_width=512", "gate_stages=1", "read_stages=1",
                              "register_stages=1"))
"""With 512 bits a match may come in every cycle; two ports are enough for that."""

BLOCKED: dict[str, Any] = {"kind": "traffic", "pattern": "permutation", "size": "min", "load": 1.0,
                           "backpressure": "alternate", "registers": True}
FULL: dict[str, Any] = {"kind": "llr", "size": "min", "credits": True, "delay": 5, "load": 1.0}
CREDITS: dict[str, Any] = {**FULL, "slow_ports": "all", "slow_rate": 0.2}
FROM_MATCH = ("scheduler", "ingress_buffer", "llr_transmitter", "flow_control")
SIGNALS = ("scheduler.", "voq_frames", "llr_tx", "credit_tx")

FAULTS: tuple[tuple[Fault, dict[str, Any]], ...] = (
    (Fault("a frame has no room behind that of the cycle before", "gavel_replay_occupancy", "hold",
           "hold_after_0", FROM_MATCH, SIGNALS), BLOCKED),
    (Fault("a match has no credits behind that of the cycle before", "gavel_credit_gate",
           "overdrawn", "{} & 0", FROM_MATCH, SIGNALS), CREDITS),
    (Fault("the first match of the window is forgotten", "gavel_credit_gate",
           "vc0_matched_4_before", "1'd0", FROM_MATCH, SIGNALS), CREDITS),
    (Fault("a CF_Update is not compared with the frame before it", "gavel_credit_sender",
           "outstanding_0", "{} - (taken_0 >> 1)", ("flow_control", "counters"),
           ("credit_tx", "CBFC")), FULL),
    (Fault("settings are not held until they are shown", "gavel_port_registers", "value",
           "flow_status | counter", ("registers",), ("reg_rdata",)), BLOCKED),
    (Fault("a setting comes otherwise than it was written", "gavel_port_registers",
           "flow__coming__vc_map", "{} ^ 32'd1", ("registers", "port", *FROM_MATCH),
           ("reg_rdata", *SIGNALS)), BLOCKED),
)

Run = Callable[..., dict[str, Any]]


@lru_cache(maxsize=1)
def planted(cache: Path) -> Prepared:
    design = plant(BuildCache(cache).design(CONFIG), [fault for fault, _ in FAULTS])
    return prepare(CONFIG, cache=cache, effort=SHORT, design=design)


@pytest.fixture
def run(sim_cache: Path, servers: Servers, seed: int) -> Run:
    """run(traffic, number of a fault) -> result."""

    def play(traffic: dict[str, Any], number: int = 0) -> dict[str, Any]:
        kind, *_ = traffic.values()
        parameters = {"seed": seed, "cycles": 1500,
                      **{name: value for name, value in traffic.items() if name != "kind"}}
        return planted(sim_cache).run(
            {"kind": kind, "parameters": parameters, "model": True,
             "arguments": [f"+{ARGUMENT}={number}"]}, servers=servers)

    return play


@pytest.mark.parametrize("traffic", [BLOCKED, CREDITS, {**CREDITS, "pfc": True}],
                         ids=["blocked", "credits", "pauses"])
def test_lockstep(run: Run, traffic: dict[str, Any]) -> None:
    result = run(traffic)
    assert result["passed"], result["report"]
    assert result["figures"]["frames"] > 0


@pytest.mark.parametrize("number", range(1, len(FAULTS) + 1),
                         ids=[fault.argument for fault, _ in FAULTS])
def test_fault_is_found(run: Run, number: int) -> None:
    fault, traffic = FAULTS[number - 1]
    result = run(traffic, number)
    assert result["mismatches"] == 1
    difference, report = result["difference"], result["report"]
    assert difference["block"].rpartition(".")[2] in fault.blocks, report
    assert any(part in difference["signal"] for part in fault.signals), report
