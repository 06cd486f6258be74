# SPDX-License-Identifier: Apache-2.0
"""With a register behind the register pins and one before ``reg_rdata``: the specification's
chapters 6 and 12, with S = 1."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.axi_lite import WORD_BYTES, AxiLite, AxiLitePins
from gavel_model.loader import load_config
from gavel_model.pins import IDLE, Inputs, RegisterPins
from gavel_model.register_map import ENTRY_VALID, ID_VALUE, Counter, Global, Port, port_address
from gavel_model.selftest import TestedSwitch
from gavel_model.selftest_map import GLOBAL_BASE as SELF_TEST_BASE
from gavel_model.selftest_map import SELF_TEST_VALUE
from gavel_model.telemetry import WatchedSwitch
from gavel_model.telemetry_map import GLOBAL_BASE as TELEMETRY_BASE
from gavel_model.telemetry_map import TELEMETRY_VALUE

LATE = "register_stages=1"


@pytest.fixture
def late(bench: Any) -> Any:
    return bench("tiny", LATE)


def shown(b: Any, cycles: int) -> list[int]:
    seen = []
    for _ in range(cycles):
        seen.append(b.switch.rdata)
        b.run(1)
    return seen


def test_a_read_takes_four_cycles_and_shows_for_one(late: Any) -> None:
    late.access(5, RegisterPins(Global.ID, 0, 0, 1))
    late.access(6, RegisterPins(Global.PORTS, 0, 0, 1))
    assert shown(late, 12) == [0] * 9 + [ID_VALUE, 2, 0]


def test_a_write_is_visible_in_the_third_cycle(late: Any) -> None:
    written = late.write(port_address(1, Port.CONTROL), 2)
    for cycle in range(5):
        late.until(written + cycle)
        assert [pins.up for pins in late.switch.tx] == [1, int(cycle < 3)]


def test_write_and_read_in_one_cycle_returns_the_old_value(late: Any) -> None:
    address = port_address(0, Port.ECN_THRESHOLD)
    late.access(3, RegisterPins(address, 1, 1, 1))
    late.access(4, RegisterPins(address, 2, 1, 1))
    late.access(5, RegisterPins(address, 0, 0, 1))
    assert shown(late, 10)[7:] == [65535, 1, 2]


def test_a_counter_reads_what_is_visible_two_cycles_after_the_read(late: Any) -> None:
    t = late.send(0, late.frame(1), at=10)
    address = port_address(0, Port.COUNTERS + Counter.RX_FRAMES)
    # Counted in t+3, visible in t+4.
    late.access(t + 1, RegisterPins(address, 0, 0, 1))
    late.access(t + 2, RegisterPins(address, 0, 0, 1))
    assert shown(late, t + 8)[t + 5:] == [0, 1, 0]


@pytest.mark.parametrize("after", [0, 1])
def test_a_table_write_counts_from_the_next_cycle_on(late: Any, after: int) -> None:
    late.table_ready()
    late.write(Global.ROUTE_INDEX, 1)
    written = late.write(Global.ROUTE_DATA, 0, at=late.cycle + 20)
    last = len(late.words(late.frame(1))) - 1
    assert late.send(0, late.frame(1), at=written + after - last) == written + after
    late.drain()
    assert late.switch.ports[0].counters[Counter.RX_NO_ROUTE] == after


def test_entries_and_status_are_those_of_the_cycle_of_the_access(late: Any) -> None:
    first = late.config.table_init_cycles
    # Carried out two cycles later: in the last cycle without tables, and in the first with them.
    for cycle, address in ((first - 3, Global.STATUS), (first - 2, Global.STATUS),
                           (first - 1, Global.ROUTE_DATA)):
        late.access(cycle, RegisterPins(address, 0, 0, 1))
    assert shown(late, first + 4)[first + 1:] == [0, 1, ENTRY_VALID]


@pytest.mark.parametrize(("ahead", "lost"), [(0, True), (1, True), (2, True), (3, False)])
def test_a_reset_loses_writes_of_three_cycles(bench: Any, ahead: int, lost: bool) -> None:
    b = bench("tiny", LATE)
    address = Global.BYPASS_LIMIT
    b.reset(9)
    b.write(address, 3, at=9 - ahead)
    b.until(9)
    held = b.switch.scheduler.bypass_limit
    assert (held == b.config.bypass_limit) == lost
    b.until(15)
    assert b.read(address) == b.config.bypass_limit


@pytest.mark.parametrize("ahead", range(5))
def test_a_reset_loses_reads_of_four_cycles(late: Any, ahead: int) -> None:
    late.reset(9)
    late.access(9 - ahead, RegisterPins(Global.ID, 0, 0, 1))
    assert sum(shown(late, 16)) == (ID_VALUE if ahead == 4 else 0)


@pytest.mark.parametrize(("kind", "address", "value"), [
    (WatchedSwitch, TELEMETRY_BASE, TELEMETRY_VALUE), (TestedSwitch, SELF_TEST_BASE,
                                                       SELF_TEST_VALUE)])
def test_what_shares_the_pins_answers_in_the_same_cycle(kind: Any, address: int,
                                                        value: int) -> None:
    config = load_config("tiny", (LATE,))
    switch, seen = kind(config), []
    for cycle in range(8):
        seen.append(switch.rdata)
        access = RegisterPins(address, 0, 0, 1) if cycle == 2 else RegisterPins()
        switch.step(Inputs((IDLE,) * config.ports, 0, access))
    assert seen == [0] * 6 + [value, 0]


@pytest.mark.parametrize(("stages", "waits"), [(0, 3), (1, 5)])
def test_axi_lite_waits_for_the_answer(stages: int, waits: int) -> None:
    axil = AxiLite(load_config("tiny", (f"register_stages={stages}",)))
    pins, seen = AxiLitePins(araddr=WORD_BYTES * Global.ID, arvalid=1, rready=1), []
    for cycle in range(2 * waits + 1):
        answer = axil.answer(100 + cycle)
        seen.append(answer.rdata if answer.rvalid else 0)
        axil.step(pins, 100 + cycle)
    # One read after the other: each begins as the answer before it is taken.
    again = 2 * waits - 1
    assert {cycle: value for cycle, value in enumerate(seen) if value} == {
        waits: 100 + waits, again: 100 + again}
