# SPDX-License-Identifier: Apache-2.0
"""The model of telemetry by hand-made observations: each chapter's cycles as the text has them."""

from __future__ import annotations

import pytest

from gavel_model.loader import load_config
from gavel_model.observation import Observation
from gavel_model.pins import NO_ACCESS, RegisterPins
from gavel_model.register_map import Counter
from gavel_model.telemetry import Telemetry
from gavel_model.telemetry_map import (
    GLOBAL_BASE,
    SNAPSHOT_REST,
    TELEMETRY_MAP,
    TELEMETRY_VALUE,
)
from gavel_model.telemetry_map import TelemetryGlobal as G
from gavel_model.telemetry_map import TelemetryPortEvents as E
from gavel_model.telemetry_map import TelemetryRegister as R

CONFIG = load_config("tiny", ("ports=3",))
QUIET = Observation(up=0, vc_cells=(0, 0), credits_used=(0, 0))


def counting(*counters: Counter) -> Observation:
    return QUIET._replace(count=sum(1 << counter for counter in counters))


class Bench:
    """Telemetry, cycle by cycle; everything is quiet but what `at` says of a cycle."""

    def __init__(self) -> None:
        self.telemetry = Telemetry(CONFIG)
        self.cycle = 0
        self.irq: list[int] = []

    def step(self, pins: RegisterPins = NO_ACCESS, seen: Observation = QUIET,
             port: int = 1) -> int:
        """One cycle with what is observed of a port; what ``reg_rdata`` shows in the next."""
        observed = [QUIET] * CONFIG.ports
        observed[port] = seen
        self.irq.append(self.telemetry.irq)
        self.telemetry.step(observed, pins, 1)
        self.cycle += 1
        return self.telemetry.rdata

    def read(self, address: int) -> int:
        """Takes two cycles; the read is carried out in the second."""
        self.step(RegisterPins(address, 0, 0, 1))
        return self.step()

    def write(self, address: int, value: int) -> int:
        """Takes two cycles; gives the one in which the write is carried out."""
        self.step(RegisterPins(address, value, 1))
        self.step()
        return self.cycle - 1

    def idle(self, cycles: int) -> None:
        for _ in range(cycles):
            self.step()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def once(register: G) -> int:
    return GLOBAL_BASE + register


def of_port(register: R, port: int = 1) -> int:
    return TELEMETRY_MAP.port_address(port, register)


def count(counter: Counter) -> int:
    return of_port(R.COUNT) + 2 * counter


def test_there_is_one(bench: Bench) -> None:
    assert bench.read(once(G.TELEMETRY)) == TELEMETRY_VALUE == 0x544C_0001
    assert [bench.read(address) for address in (0x00FF, 0x010C, of_port(R.EVENTS, 3))] == [0] * 3


@pytest.mark.parametrize(("before", "counted"), [(1, 1), (0, 1), (-1, 0)])
def test_a_snapshot_takes_in_its_own_cycle_and_no_later_one(bench: Bench, before: int,
                                                            counted: int) -> None:
    """The event is observed so many cycles before the write is carried out."""
    bench.idle(5)
    for cycle in range(-2, 3):
        bench.step(RegisterPins(once(G.SNAPSHOT), 1, 1) if cycle == -1 else NO_ACCESS,
                   counting(Counter.RX_FRAMES) if cycle == -before else QUIET)
    bench.idle(SNAPSHOT_REST)
    assert bench.read(count(Counter.RX_FRAMES)) == counted
    assert bench.read(once(G.SNAPSHOT_TIME)) == 7
    assert bench.read(once(G.SNAPSHOTS)) == 1


def test_what_is_frozen_reads_0_for_31_cycles_and_no_snapshot_is_taken(bench: Bench) -> None:
    bench.step(seen=QUIET._replace(rx_bytes=(1 << 9) - 1))
    taken = bench.write(once(G.SNAPSHOT), 1)
    shown = []
    for _ in range(SNAPSHOT_REST + 3):
        shown.append((bench.cycle, bench.step(RegisterPins(count(Counter.RX_BYTES), 0, 0, 1))))
    # What the pins asked for in a cycle is carried out in the next, and is shown after that.
    assert [value for cycle, value in shown if cycle <= taken + SNAPSHOT_REST] == (
        [0] * SNAPSHOT_REST)
    assert shown[-1] == (taken + SNAPSHOT_REST + 3, 511)

    other = Bench()
    first = other.write(once(G.SNAPSHOT), 1)
    other.idle(SNAPSHOT_REST - 2)
    assert other.write(once(G.SNAPSHOT), 1) == first + SNAPSHOT_REST
    assert other.read(once(G.SNAPSHOTS)) == 1
    other.idle(SNAPSHOT_REST)
    other.write(once(G.SNAPSHOT), 1)
    assert other.read(once(G.SNAPSHOTS)) == 2


def test_counters_have_64_bits(bench: Bench) -> None:
    for _ in range(3):
        bench.step(seen=QUIET._replace(tx_bytes=0xFFFF_FFFF))
    bench.idle(1)
    bench.write(once(G.SNAPSHOT), 1)
    bench.idle(SNAPSHOT_REST)
    assert bench.read(count(Counter.TX_BYTES)) == 0xFFFF_FFFD
    assert bench.read(count(Counter.TX_BYTES) + 1) == 2


def test_an_event_is_kept_until_it_is_cleared_and_asks_for_the_interrupt(bench: Bench) -> None:
    bench.write(of_port(R.EVENT_ENABLE), 1 << E.PFC_WATCHDOG)
    bench.step(seen=counting(Counter.PFC_WATCHDOG))
    observed = bench.cycle - 1
    bench.idle(4)
    assert bench.irq.index(1) == observed + 3
    assert bench.read(once(G.EVENT_PORTS)) == 0b010
    assert bench.read(of_port(R.EVENTS)) == 1 << E.PFC_WATCHDOG
    bench.write(of_port(R.EVENTS), 0xFFF & ~(1 << E.PFC_WATCHDOG))
    assert bench.read(of_port(R.EVENTS)) == 1 << E.PFC_WATCHDOG
    cleared = bench.write(of_port(R.EVENTS), 1 << E.PFC_WATCHDOG)
    bench.idle(4)
    assert bench.irq[cleared + 1:cleared + 3] == [1, 0]
    assert bench.read(once(G.EVENT_PORTS)) == bench.read(of_port(R.EVENTS)) == 0


def test_an_event_goes_before_a_write_that_clears_it(bench: Bench) -> None:
    seen = counting(Counter.RX_LOSSLESS_DROP)
    bench.step(seen=seen)
    bench.idle(3)
    bench.step(RegisterPins(of_port(R.EVENTS), 0xFFF, 1), seen)
    bench.step()
    assert bench.read(of_port(R.EVENTS)) == 1 << E.LOSSLESS_DROP


def test_links_and_levels_are_events_when_they_change(bench: Bench) -> None:
    bench.write(of_port(R.CELLS_LIMIT), 5)
    for seen, events in (
        (QUIET._replace(up=1), 1 << E.LINK_UP), (QUIET, 1 << E.LINK_DOWN),
        (QUIET._replace(cells=4), 0), (QUIET._replace(cells=5), 1 << E.CELLS_ALARM),
    ):
        bench.write(of_port(R.EVENTS), 0xFFF)
        bench.step(seen=seen)
        # It stays so.
        bench.step(RegisterPins(of_port(R.EVENTS), 0, 0, 1), seen)
        bench.step(RegisterPins(of_port(R.EVENTS), 0, 0, 1), seen)
        assert bench.step(seen=seen) == events
        bench.telemetry.step([QUIET, seen, QUIET], NO_ACCESS, 1)
        bench.cycle += 1


def test_a_window_counts_as_many_cycles_as_it_is_long(bench: Bench) -> None:
    bench.write(of_port(R.UNCORRECTABLE_LIMIT), 6)
    seen = counting(Counter.RX_FCS, Counter.RX_FRAGMENT, Counter.LLR_TX_REPLAY)
    # Observed in the cycle in which the write is carried out, and in nine more.
    bench.step(RegisterPins(of_port(R.HEALTH_WINDOW), 10, 1), seen)
    for _ in range(3):
        bench.step(seen=seen)
    bench.idle(5)
    assert not bench.read(of_port(R.CORRECTED))
    bench.idle(3)
    assert bench.read(of_port(R.CORRECTED)) == 3
    assert bench.read(of_port(R.UNCORRECTABLE)) == 6
    assert bench.read(of_port(R.EVENTS)) >> E.CORRECTED_ALARM & 3 == 0b10


@pytest.mark.parametrize(("written", "stored"), [
    (0, 0), (1, 17), (17, 17), (18, 18), (0xFF00_0000, 0), (0xFFFF_FFFF, 0xFF_FFFF)])
def test_a_period_has_room_for_its_record(bench: Bench, written: int, stored: int) -> None:
    bench.write(once(G.STREAM_PERIOD), written)
    assert bench.read(once(G.STREAM_PERIOD)) == stored


def test_watermarks_forget_what_was_observed_up_to_the_clear(bench: Bench) -> None:
    bench.step(seen=QUIET._replace(cells=9, vc_cells=(0, 8)))
    bench.idle(3)
    assert bench.read(of_port(R.CELLS_WATERMARK)) == 9
    assert bench.read(of_port(R.VC_CELLS_WATERMARK) + 1) == 8
    bench.step(RegisterPins(once(G.SNAPSHOT), 2, 1))
    bench.step(seen=QUIET._replace(cells=7))
    bench.step(seen=QUIET._replace(cells=3))
    bench.idle(3)
    assert bench.read(of_port(R.CELLS_WATERMARK)) == 3
    assert bench.read(of_port(R.VC_CELLS_WATERMARK) + 1) == 0
    assert bench.read(once(G.SNAPSHOTS)) == 0


def test_reset_is_that_of_a_new_one(bench: Bench) -> None:
    bench.write(of_port(R.EVENT_ENABLE), 0xFFF)
    bench.step(seen=QUIET._replace(up=1, cells=3))
    bench.write(once(G.SNAPSHOT), 1)
    bench.telemetry.reset()
    fresh = Bench()
    for address in sorted(TELEMETRY_MAP.global_addresses({"vcs": 2, "ports": 3})):
        assert bench.read(address) == fresh.read(address), hex(address)
    assert bench.read(of_port(R.EVENTS)) == bench.read(of_port(R.CELLS_WATERMARK)) == 0
