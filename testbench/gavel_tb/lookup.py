# SPDX-License-Identifier: Apache-2.0
"""Bench of Lookup: routes against the test kit's own tables, with writes in between."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.pins import RegisterPins
from gavel_model.profiles import PROFILE_NAMES, PROFILES
from gavel_model.register_map import ENTRY_VALID, Global
from gavel_rtl.lookup import Lookup
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.known_state import KnownState
from gavel_tb.register_traffic import fdb_address
from gavel_tb.stimulus import derived_random

_ADDRESS, _ID = PROFILES[PROFILE_NAMES.index("ethernet")], PROFILES[PROFILE_NAMES.index("ufh")]


def check(config: SwitchConfig, seed: int, lookups: int = 500) -> None:
    """Writes entries and looks destinations up, at random.

    Raises
    ------
    CheckError
        At the first route that is wrong.
    """
    rng = derived_random(seed, "lookup")
    # Writes are those of the block, and no register stands before it.
    known = KnownState(replace(config, register_stages=0))
    late = config.table_init_cycles
    block = Lookup(config)

    def tell(*writes: tuple[int, int]) -> None:
        for address, value in writes:
            known.write(late, RegisterPins(address, value, 1))

    async def bench(ctx: Any) -> None:
        write = block.write
        # The tables as Registers leaves them.
        for index in range(config.id_entries):
            drive(ctx, write, {"route_we": 1, "route_index": index,
                               "entry_valid": int(index < config.ports),
                               "entry_port": index % config.ports})
            await ctx.tick()
        drive(ctx, write, {"route_we": 0, "fdb_we": 1, "entry_valid": 0})
        for index in range(config.fdb_entries):
            ctx.set(write.fdb_index, index)
            await ctx.tick()
        drive(ctx, write, {"fdb_we": 0, "ready": 1})
        for _ in range(lookups):
            if rng.random() < 0.5:
                valid, port = rng.getrandbits(1), rng.randrange(config.ports)
                entry = valid * ENTRY_VALID | port
                drive(ctx, write, {"entry_valid": valid, "entry_port": port})
                if rng.random() < 0.5:
                    index = rng.randrange(config.id_entries)
                    drive(ctx, write, {"route_we": 1, "route_index": index})
                    tell((Global.ROUTE_INDEX, index), (Global.ROUTE_DATA, entry))
                else:
                    index, address = rng.randrange(config.fdb_entries), fdb_address(rng)
                    drive(ctx, write, {"fdb_we": 1, "fdb_index": index, "fdb_address": address})
                    tell((Global.FDB_INDEX, index), (Global.FDB_ADDR_HI, address >> 32),
                         (Global.FDB_ADDR_LO, address & 0xFFFF_FFFF), (Global.FDB_DATA, entry))
                await ctx.tick()
                drive(ctx, write, {"route_we": 0, "fdb_we": 0})
            profile = rng.choice((_ADDRESS, _ID))
            dst = rng.randrange(2 * config.id_entries) & 0xFFFF
            if profile is _ADDRESS:
                dst = rng.choice((fdb_address(rng), 0x0200_0000_0000 | dst, rng.getrandbits(48)))
            address = dst if profile is _ADDRESS else fdb_address(rng)
            drive(ctx, block.fields, {"dst": dst, "is_address": int(profile is _ADDRESS),
                                      "address": address,
                                      "hash": zlib.crc32(address.to_bytes(6, "big"))
                                      % config.fdb_sets})
            for _ in range(max(1, config.store_stages)):
                await ctx.tick()
            route = known.route(profile, dst)
            expect(f"hit of {dst:#x}", ctx.get(block.route.hit), int(route is not None))
            if route is not None:
                expect(f"port of {dst:#x}", ctx.get(block.route.port), route)

    run_block(block, bench)
