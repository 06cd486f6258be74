# SPDX-License-Identifier: Apache-2.0
"""Chapter 6: direct table, hash table, and when a write counts."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from gavel_model.frame import append_fcs, write_field
from gavel_model.profiles import Field
from gavel_model.register_map import ENTRY_VALID, Counter, Global

C = Counter


def to_address(b: Any, address: int, seed: int = 0) -> bytes:
    """An ethernet frame to any 48-bit address."""
    return append_fcs(write_field(b.frame(0, seed=seed), Field(0, 48), address)[:-4])


def set_of(address: int, sets: int) -> int:
    return zlib.crc32(address.to_bytes(6, "big")) % sets


def write_fdb(b: Any, index: int, address: int, data: int) -> int:
    b.write(Global.FDB_INDEX, index)
    b.write(Global.FDB_ADDR_HI, address >> 32)
    b.write(Global.FDB_ADDR_LO, address & 0xFFFFFFFF)
    at = b.write(Global.FDB_DATA, data)
    b.run(6)
    return int(at)


def test_after_reset_id_n_goes_to_port_n_and_no_other(bench: Any) -> None:
    b = bench("pod", "ports=5", "profile=afh12_16")
    for dst in (0, 4, 5, 1023, 1024, 65535):
        b.send(1, b.frame(dst))
    b.drain()
    assert b.counters(1)[C.RX_NO_ROUTE] == 4
    assert [len(frames) for frames in b.frames] == [1, 0, 0, 0, 1]


def test_32_bit_ids_beyond_the_table_miss(bench: Any) -> None:
    b = bench("pod", "profile=afh12_32")
    b.send(0, b.frame(0x00010003))
    b.send(0, b.frame(0x00000003))
    b.drain()
    assert b.counters(0)[C.RX_NO_ROUTE] == 1
    assert len(b.frames[3]) == 1


def test_a_frame_may_leave_where_it_came_in(bench: Any) -> None:
    b = bench()
    b.send(1, b.frame(1))
    b.drain()
    assert len(b.frames[1]) == 1


def test_only_fabric_addresses_stand_for_ids(bench: Any) -> None:
    b = bench("pod")
    for address in (0x020000000002, 0x020000010002, 0x020100000002, 0x040000000002, 0x02000000F002):
        b.send(0, to_address(b, address))
    b.drain()
    assert b.counters(0)[C.RX_NO_ROUTE] == 4
    assert len(b.frames[2]) == 1


def test_hash_entries_by_set_and_way(bench: Any) -> None:
    b = bench("pod", "fdb_sets=4", "fdb_ways=3")
    b.table_ready()
    address = 0x3CEC_EF12_3456
    first = set_of(address, 4) * 3
    write_fdb(b, first + 2, address, ENTRY_VALID | 6)
    b.send(0, to_address(b, address))
    b.drain()
    assert len(b.frames[6]) == 1
    write_fdb(b, first + 1, address, ENTRY_VALID | 5)  # of several, the lowest way
    write_fdb(b, first, address, 4)  # not valid
    b.send(0, to_address(b, address))
    b.drain()
    assert len(b.frames[5]) == 1
    other = (first + 3) % 12
    write_fdb(b, first + 1, address, 0)
    write_fdb(b, first + 2, address, 0)
    write_fdb(b, other, address, ENTRY_VALID | 5)  # a set that is not the address's own
    b.send(0, to_address(b, address))
    b.drain()
    assert b.counters(0)[C.RX_NO_ROUTE] == 1


def test_the_hash_table_goes_before_the_direct_table(bench: Any) -> None:
    b = bench("pod")
    b.table_ready()
    address = 0x020000000003
    write_fdb(b, set_of(address, 64) * 2, address, ENTRY_VALID | 7)
    b.send(0, to_address(b, address))
    b.drain()
    assert [len(b.frames[3]), len(b.frames[7])] == [0, 1]


@pytest.mark.parametrize("profile", ["ethernet", "afh6"])
def test_a_write_counts_for_last_words_of_its_own_cycle_and_later(
    bench: Any, profile: str
) -> None:
    b = bench("tiny", "ports=4", f"profile={profile}", "data_width=512")
    b.table_ready()
    start = b.cycle + 2
    b.write(Global.ROUTE_INDEX, 2)
    b.run(1)
    for n in range(4):
        b.send(0, b.frame(2, seed=n), at=start + n)
    b.write(Global.ROUTE_DATA, ENTRY_VALID | 3, at=start + 2)
    b.drain()
    assert [s.data for s in b.frames[2]] == [b.frame(2, seed=n) for n in (0, 1)]
    assert [s.data for s in b.frames[3]] == [b.frame(2, seed=n) for n in (2, 3)]


def test_a_cleared_entry_misses(bench: Any) -> None:
    b = bench()
    b.table_ready()
    b.write(Global.ROUTE_INDEX, 1)
    b.write(Global.ROUTE_DATA, 1)
    b.run(2)
    b.send(0, b.frame(1))
    b.drain()
    assert b.counters(0) == {C.RX_NO_ROUTE: 1}


def test_writes_before_the_tables_are_ready_change_nothing(bench: Any) -> None:
    b = bench("tiny", "ports=3")
    ready = b.config.table_init_cycles
    assert ready == 18
    b.write(Global.ROUTE_INDEX, 1, at=0)
    b.write(Global.ROUTE_DATA, ENTRY_VALID | 2, at=ready - 2)  # takes effect in the last cycle
    b.until(ready + 2)
    b.send(0, b.frame(1))
    b.drain()
    assert len(b.frames[1]) == 1
    c = bench("tiny", "ports=3")
    c.write(Global.ROUTE_INDEX, 1, at=0)
    c.write(Global.ROUTE_DATA, ENTRY_VALID | 2, at=ready - 1)
    c.until(ready + 2)
    c.send(0, c.frame(1))
    c.drain()
    assert len(c.frames[2]) == 1


def test_reset_brings_the_tables_back(bench: Any) -> None:
    b = bench()
    b.table_ready()
    b.write(Global.ROUTE_INDEX, 1)
    b.write(Global.ROUTE_DATA, ENTRY_VALID | 0)
    b.run(4)
    b.reset(b.cycle)
    b.run(1)
    b.send(0, b.frame(1))
    b.drain()
    assert len(b.frames[1]) == 1
