# SPDX-License-Identifier: Apache-2.0
"""Chapter 12: every register, access timing, and what changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model.ordered_set import Kind
from gavel_model.pins import RegisterPins
from gavel_model.register_map import ENTRY_VALID, Counter, Global, Port, port_address


def test_read_only_registers(bench: Any) -> None:
    b = bench("pod", "ports=5", "vcs=3", "data_width=128")
    expected = {
        Global.ID: 0x4741564C, Global.VERSION: 0x000300, Global.PORTS: 5,
        Global.DATA_WIDTH: 128, Global.VCS: 3, Global.LATENCY: 10,
    }
    for address, value in expected.items():
        b.write(address, 0x12345678)
        b.run(2)
        assert b.read(address) == value


def test_reset_values(bench: Any) -> None:
    b = bench("pod", "vcs=3", "profile=ufh", "ecn_threshold=77", "bypass_limit=9")
    for port in range(8):
        assert b.read(port_address(port, Port.CONTROL)) == 1
        assert b.read(port_address(port, Port.PROFILE)) == 5
        assert b.read(port_address(port, Port.VC_MAP)) == 0x10210210
        assert b.read(port_address(port, Port.ECN_THRESHOLD)) == 77
    assert b.read(Global.BYPASS_LIMIT) == 9
    assert b.read(Global.ESUN_ETHERTYPE) == 0x88B5
    for address in (Global.ROUTE_INDEX, Global.FDB_INDEX, Global.FDB_ADDR_HI, Global.FDB_ADDR_LO):
        assert b.read(address) == 0


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        (Global.ROUTE_INDEX, 0xFFFF), (Global.FDB_INDEX, 0xFFFF), (Global.FDB_ADDR_HI, 0xFFFF),
        (Global.FDB_ADDR_LO, 0xFFFFFFFF), (Global.ESUN_ETHERTYPE, 0xFFFF),
        (Global.BYPASS_LIMIT, 0xFF), (port_address(1, Port.CONTROL), 1),
        (port_address(1, Port.PROFILE), 0x37), (port_address(1, Port.VC_MAP), 0xFFFFFFFF),
        (port_address(1, Port.ECN_THRESHOLD), 0xFFFF),
        (port_address(1, Port.LLR_CONTROL), 0x1FF),
        (port_address(1, Port.LLR_REPLAY_TIMER), 0xFFFFFF),
        (port_address(1, Port.LLR_PCS_LOST), 0xFFFFFF),
        (port_address(1, Port.LLR_DATA_AGE), 0xFFFFFF),
        (port_address(1, Port.LLR_REPLAY_COUNT), 0xFF),
        (port_address(1, Port.LLR_SPACING), 0xFFFFFFFF),
        (port_address(1, Port.LLR_INIT_SEQ), 0xFFFFF),
        (port_address(1, Port.LLR_INIT_DATA), 0xFFFF),
    ],
)
def test_unused_bits_read_zero(bench: Any, address: int, stored: int) -> None:
    b = bench("tiny", "ecn_threshold=5")
    b.write(address, 0xFFFFFFFF)
    assert b.read(address) == stored
    b.reset(b.cycle)
    b.run(1)
    assert b.read(address) != stored or address == port_address(1, Port.CONTROL)


def test_reset_values_of_link_level_retry(bench: Any) -> None:
    b = bench("pod", "ports=3", "replay_timer=8000", "pcs_lost_timer=9", "data_age_timer=10",
              "replay_count=11", "ctl_spacing=500", "ctl_min_spacing=12")
    expected = {
        Port.LLR_CONTROL: 0x0D8, Port.LLR_WINDOW_FRAMES: 256, Port.LLR_WINDOW_CELLS: 1024,
        Port.LLR_REPLAY_TIMER: 8000, Port.LLR_PCS_LOST: 9, Port.LLR_DATA_AGE: 10,
        Port.LLR_REPLAY_COUNT: 11, Port.LLR_SPACING: 12 << 16 | 500, Port.LLR_INIT_SEQ: 0,
        Port.LLR_INIT_DATA: 0, Port.LLR_STATUS: 0,
    }
    for port in range(3):
        for offset, value in expected.items():
            assert b.read(port_address(port, offset)) == value


@pytest.mark.parametrize(
    ("offset", "written", "stored"),
    [
        (Port.LLR_WINDOW_FRAMES, 0, 1), (Port.LLR_WINDOW_FRAMES, 1, 1),
        (Port.LLR_WINDOW_FRAMES, 8, 8), (Port.LLR_WINDOW_FRAMES, 9, 8),
        (Port.LLR_WINDOW_FRAMES, 0xFFFFFFFF, 8), (Port.LLR_WINDOW_FRAMES, 0x100003, 3),
        (Port.LLR_WINDOW_CELLS, 0, 4), (Port.LLR_WINDOW_CELLS, 4, 4),
        (Port.LLR_WINDOW_CELLS, 5, 5), (Port.LLR_WINDOW_CELLS, 33, 32),
        (Port.LLR_WINDOW_CELLS, 0xFFFFFFFF, 32), (Port.LLR_WINDOW_CELLS, 0x20007, 7),
        (Port.LLR_STATUS, 0xFFFFFFFF, 0),
    ],
)
def test_windows_are_limited(bench: Any, offset: Port, written: int, stored: int) -> None:
    b = bench()
    b.write(port_address(1, offset), written)
    b.run(2)
    assert b.read(port_address(1, offset)) == stored
    assert b.read(port_address(0, offset)) != stored or stored in (0, 8, 32)


def test_status_shows_both_states_and_the_replays(bench: Any) -> None:
    b = bench()
    status = port_address(1, Port.LLR_STATUS)
    b.llr(1, local=1, remote=1)
    b.run(4)
    assert b.read(status) == 1
    b.ordered_set(1, Kind.INIT, 0)
    b.run(4)
    assert b.read(status) == 0x11
    b.ordered_set(1, Kind.INIT_ECHO, 0, 0)
    b.run(4)
    assert b.read(status) == 0x12
    b.send(0, b.frame(1))
    b.drain(30)
    for n in range(1, 4):
        b.ordered_set(1, Kind.NACK, (1 << 20) - 1)
        b.run(4)
        assert b.read(status) == 0x13 | n << 8
        b.run(30)
    b.ordered_set(1, Kind.ACK, 0)
    b.run(4)
    assert b.read(status) == 0x12


@pytest.mark.parametrize(
    "address",
    [0x0007, 0x0010, 0x03FF, 0x0457, 0x046F, 0x0471, 0x047F, 0x0482, 0x048A, 0x0492, 0x049A,
     0x04BA, 0x04FF, 0x0600, 0x0FFF, 0x2440, 0xFFFF],
)
def test_unknown_addresses_read_zero(bench: Any, address: int) -> None:
    b = bench()
    b.write(address, 0xFFFFFFFF)
    b.run(2)
    assert b.read(address) == 0


def test_a_read_takes_two_cycles_and_shows_for_one(bench: Any) -> None:
    b = bench()
    b.access(5, RegisterPins(Global.ID, 0, 0, 1))
    b.access(6, RegisterPins(Global.PORTS, 0, 0, 1))
    seen = []
    for _ in range(10):
        seen.append(b.switch.rdata)
        b.run(1)
    assert seen == [0, 0, 0, 0, 0, 0, 0, 0x4741564C, 2, 0]


def test_an_address_without_strobe_does_nothing(bench: Any) -> None:
    b = bench()
    b.access(0, RegisterPins(Global.BYPASS_LIMIT, 3, 0, 0))
    b.run(2)
    assert b.switch.rdata == 0
    assert b.read(Global.BYPASS_LIMIT) == b.switch.config.bypass_limit


def test_write_and_read_in_one_cycle_returns_the_old_value(bench: Any) -> None:
    b = bench()
    address = port_address(0, Port.ECN_THRESHOLD)
    b.access(3, RegisterPins(address, 1, 1, 1))
    b.access(4, RegisterPins(address, 2, 1, 1))
    b.access(5, RegisterPins(address, 0, 0, 1))
    b.until(5)
    assert b.switch.rdata == 65535
    b.run(1)
    assert b.switch.rdata == 1
    b.run(1)
    assert b.switch.rdata == 2


def test_a_counter_reads_what_is_visible_one_cycle_after_the_read(bench: Any) -> None:
    b = bench()
    t = b.send(0, b.frame(1), at=10)
    address = port_address(0, Port.COUNTERS + Counter.RX_FRAMES)
    # Counted in t+3, visible in t+4.
    b.access(t + 2, RegisterPins(address, 0, 0, 1))
    b.access(t + 3, RegisterPins(address, 0, 0, 1))
    b.until(t + 4)
    assert b.switch.rdata == 0
    b.run(1)
    assert b.switch.rdata == 1
    b.write(address, 0)
    b.run(2)
    assert b.read(address) == 1


def test_table_ready(bench: Any) -> None:
    b = bench()  # 16 entries and 8: ready after 18 cycles
    for cycle in range(15, 20):
        b.access(cycle, RegisterPins(Global.STATUS, 0, 0, 1))
    seen = []
    for _ in range(24):
        seen.append(b.switch.rdata)
        b.run(1)
    # The read of cycle c shows in c+2 what is visible in c+1: 1 from cycle 18 on.
    assert seen[17:] == [0, 0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize(("after", "value"), [(1, 0), (2, ENTRY_VALID | 1), (9, ENTRY_VALID | 1)])
def test_route_data_follows_index_and_write(bench: Any, after: int, value: int) -> None:
    b = bench()
    b.table_ready()
    at = b.write(Global.ROUTE_INDEX, 7)
    b.run(5)
    assert b.read(Global.ROUTE_DATA) == 0
    b.run(2)
    at = b.write(Global.ROUTE_DATA, ENTRY_VALID | 1)
    b.access(at + after, RegisterPins(Global.ROUTE_DATA, 0, 0, 1))
    b.until(at + after + 2)
    assert b.switch.rdata == value
    b.run(2)
    at = b.write(Global.ROUTE_INDEX, 0)
    b.access(at + after, RegisterPins(Global.ROUTE_DATA, 0, 0, 1))
    b.until(at + after + 2)
    assert b.switch.rdata == (ENTRY_VALID if after > 1 else ENTRY_VALID | 1)


def test_entries_read_back_as_stored(bench: Any) -> None:
    b = bench("pod", "ports=5")
    b.table_ready()
    for data, stored in (
        (ENTRY_VALID | 4, ENTRY_VALID | 4),
        (ENTRY_VALID | 5, 5),  # not a port: not valid; three bits of the port are kept
        (ENTRY_VALID | 0x2A, 2),
        (0x7FFFFFC3, 3),
    ):
        b.write(Global.ROUTE_INDEX, 9)
        b.write(Global.ROUTE_DATA, data)
        b.write(Global.FDB_INDEX, 127)
        b.write(Global.FDB_DATA, data)
        b.run(8)
        assert b.read(Global.ROUTE_DATA) == stored
        assert b.read(Global.FDB_DATA) == stored


def test_an_index_beyond_the_table(bench: Any) -> None:
    b = bench("tiny", "fdb_ways=3")
    b.table_ready()
    for index, data, inside in (
        (Global.ROUTE_INDEX, Global.ROUTE_DATA, 1), (Global.FDB_INDEX, Global.FDB_DATA, 4),
    ):
        b.write(index, inside)
        b.write(data, ENTRY_VALID)
        b.write(index, inside + 16)
        b.run(6)
        assert b.read(data) == 0
        b.write(data, ENTRY_VALID | 1)
        b.run(3)
        b.write(index, inside)
        b.run(3)
        assert b.read(data) == ENTRY_VALID


def test_entries_read_zero_until_the_tables_are_ready(bench: Any) -> None:
    b = bench()
    for cycle in range(14, 20):
        b.access(cycle, RegisterPins(Global.ROUTE_DATA, 0, 0, 1))
    seen = []
    for _ in range(23):
        seen.append(b.switch.rdata)
        b.run(1)
    assert seen[:19] == [0] * 19
    assert seen[19:22] == [ENTRY_VALID] * 3


def test_accesses_during_reset_are_lost(bench: Any) -> None:
    b = bench()
    b.reset(4)
    b.access(3, RegisterPins(Global.BYPASS_LIMIT, 3, 1, 1))
    b.access(4, RegisterPins(Global.BYPASS_LIMIT, 4, 1, 1))
    b.run(8)
    assert b.read(Global.BYPASS_LIMIT) == b.switch.config.bypass_limit


def test_up_is_the_enable_bit_as_visible_in_the_cycle(bench: Any) -> None:
    b = bench()
    assert [pins.up for pins in b.switch.tx] == [1, 1]
    b.write(port_address(1, Port.CONTROL), 2)
    b.run(1)
    assert [pins.up for pins in b.switch.tx] == [1, 1]
    b.run(1)
    assert [pins.up for pins in b.switch.tx] == [1, 0]
    b.run(5)
    b.reset(b.cycle)
    b.run(1)
    assert [pins.up for pins in b.switch.tx] == [1, 1]


def test_a_mac_that_shows_frames_alone_has_no_retry_and_no_credits(bench: Any) -> None:
    b = bench("tiny", "vcs=2", "mac=frames")
    for offset, stored in ((Port.LLR_CONTROL, 0x1FC), (Port.CBFC_CONTROL, 0x30000),
                           (Port.PFC_CONTROL, 0x303)):
        b.write(port_address(1, offset), 0xFFFFFFFF)
        b.run(2)
        assert b.read(port_address(1, offset)) == stored
