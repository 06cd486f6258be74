# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import pytest
from tests.fabric.conftest import leaf_spine, make, plane, planes

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.pins import IDLE, NO_ACCESS, Inputs, RegisterPins
from gavel_model.register_map import Global, Port, port_address
from gavel_model.switch import Switch
from gavel_tb.fabric.simulation import Fabric
from gavel_tb.fabric.topology import Topology


def everything(fabric: Fabric) -> dict[str, Any]:
    """All that was on any pin in any cycle, and all state at the end."""
    for line in fabric.lines:
        line.log = []
    fabric.run()
    assert fabric.failure is None
    switches = [node.switch for node in fabric.switches]
    return {
        "pins": {line.name: line.log for line in fabric.lines},
        "begin": fabric.begin_at, "cycles": fabric.cycles,
        "completion": [found.completed_at for found in fabric.accelerators],
        "latency": fabric.record.latency, "cycle": [switch.cycle for switch in switches],
        "now": [switch._now for switch in switches],
        "age": [switch.registers._age for switch in switches],
        "probes": [switch.probe_values() for switch in switches],
        "timers": [(port.llr_transmitter.timers.replay_time, port.control_transmitter.since_ack,
                    port.llr_transmitter.window.watched)
                   for switch in switches for port in switch.ports],
        "usage": {line.name: line.usage.bins(fabric.cycles + 1000) for line in fabric.lines},
        "reordering": [(found.reordering.distances, found.reordering.waits)
                       for found in fabric.accelerators],
    }


CASES: list[tuple[str, Topology, dict[str, Any]]] = [
    ("window", leaf_spine(), {"spray": "packet"}),
    ("planes", planes(), {"spray": "packet", "window": 16}),
    ("errors", leaf_spine(5, 2, 2), {"ber": 1e-4, "size": 600}),
    ("credits and errors", planes(3, 2), {"credits": True, "ber": 2e-4, "size": 900}),
    ("credits", leaf_spine(3, 2, 2), {"credits": True, "size": 600, "spray": "packet"}),
]


@pytest.mark.parametrize(("topology", "options"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])
def test_what_is_skipped_would_have_changed_nothing(
    topology: Topology, options: dict[str, Any]
) -> None:
    skipping = make(topology, **options)
    skipped = everything(skipping)
    stepping = make(topology, **options, skipping=False, block=1)
    stepped = everything(stepping)
    for name, value in skipped.items():
        assert value == stepped[name], name
    assert sum(node.steps for node in stepping.switches) > sum(
        node.steps for node in skipping.switches)
    assert any(log for log in skipped["pins"].values())


def test_blocks_change_nothing() -> None:
    topology = leaf_spine(5, 2, 2)
    one, five = (everything(make(topology, spray="packet", block=block)) for block in (1, 5))
    assert one == five


def _configured(config: SwitchConfig) -> list[RegisterPins]:
    """Register writes that leave something to be done in cycles without an event."""
    writes = ((0, Port.CBFC_CF_MAX, 700), (0, Port.CBFC_CONTROL, 0x303),
              (0, Port.CBFC_CC_PERIOD, 333), (1, Port.LLR_CONTROL, 0xD9),
              (1, Port.PFC_CONTROL, 0x303))
    return [RegisterPins(port_address(port, offset), value, 1) for port, offset, value in writes]


@pytest.mark.parametrize("configured", [False, True])
def test_a_switch_says_how_long_it_is_quiet(configured: bool) -> None:
    """A switch that is skipped whenever it allows it is, in every cycle that is stepped, equal to
    one that never is; the one with credits wakes up for its reports."""
    config = load_config("tiny")
    often, seldom = Switch(config), Switch(config)
    idle = (IDLE,) * config.ports
    writes = _configured(config) if configured else []
    skips = 0
    while often.cycle < 4000:
        access = writes.pop() if writes and often.cycle > 20 else NO_ACCESS
        inputs = Inputs(idle, -1, access)
        often.step(inputs)
        seldom.step(inputs)
        assert (often.tx, often.rdata, often.probe_values()) == (
            seldom.tx, seldom.rdata, seldom.probe_values())
        if writes:
            continue
        quiet = min(seldom.quiet_cycles(), 4000 - often.cycle)
        if quiet:
            skips += 1
            seldom.skip(quiet)
            for _ in range(quiet):
                before = often.tx
                often.step(Inputs(idle, -1))
                assert often.tx == before
    assert skips
    if configured:
        assert skips > 5


def test_routes_that_are_loaded_are_those_that_registers_write() -> None:
    config = load_config("tiny")
    loaded, written = Switch(config), Switch(config)
    idle = (IDLE,) * config.ports
    with pytest.raises(ValueError, match="not ready"):
        loaded.registers.load_routes({3: 1})
    for switch in (loaded, written):
        for _ in range(config.table_init_cycles):
            switch.step(Inputs(idle, -1))
    routes = {3: 1, 5: 0, 0: 1}
    loaded.registers.load_routes(routes)
    for number, port in routes.items():
        for address, value in ((Global.ROUTE_INDEX, number), (Global.ROUTE_DATA, 1 << 31 | port)):
            written.step(Inputs(idle, -1, RegisterPins(address, value, 1)))
    written.step(Inputs(idle, -1))
    assert loaded.lookup.direct == written.lookup.direct


def test_a_long_delay_costs_no_steps() -> None:
    near, far = (make(plane(delay=delay)) for delay in (5, 2000))
    near.run()
    far.run()
    assert far.cycles > 10 * near.cycles
    assert sum(node.steps for node in far.switches) < 1.3 * sum(
        node.steps for node in near.switches)
