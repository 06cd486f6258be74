# SPDX-License-Identifier: Apache-2.0
"""Bench of Registers: what is written is read, and drives the settings."""

from __future__ import annotations

from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.llr_settings import WRITABLE_BITS, LlrSettings, reset_values, stored
from gavel_model.profiles import PROFILE_NAMES
from gavel_model.register_map import (
    COUNTERS,
    ID_VALUE,
    PORT_BASE,
    PORT_STRIDE,
    Global,
    Port,
    port_address,
    vc_map_reset,
)
from gavel_rtl.registers import Registers
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.llr_stimulus import FIELDS
from gavel_tb.stimulus import derived_random

_ANSWER_CYCLES = 2
_SETTINGS = {
    Port.CONTROL: ("enable", 1),
    Port.PROFILE: ("profile", 3),
    Port.VC_MAP: ("vc_map", 32),
    Port.ECN_THRESHOLD: ("ecn_threshold", 16),
}


def check(config: SwitchConfig, seed: int, accesses: int = 300) -> None:
    """Random accesses to the settings of all ports, the constants and the counters.

    Raises
    ------
    CheckError
        At the first value that is wrong.
    """
    rng = derived_random(seed, "registers")
    block = Registers(config)
    values = {int(Global.ID): ID_VALUE, int(Global.PORTS): config.ports,
              int(Global.DATA_WIDTH): config.data_width, int(Global.VCS): config.vcs,
              int(Global.LATENCY): config.latency_cycles,
              int(Global.BYPASS_LIMIT): config.bypass_limit}
    reset = {Port.CONTROL: 1, Port.PROFILE: PROFILE_NAMES.index(config.profile),
             Port.VC_MAP: vc_map_reset(config), Port.ECN_THRESHOLD: config.ecn_threshold}
    widths = {int(Global.BYPASS_LIMIT): 8}
    for port in range(config.ports):
        for offset, (_, width) in _SETTINGS.items():
            values[port_address(port, offset)] = reset[offset]
            widths[port_address(port, offset)] = width
        for llr_offset, value in reset_values(config).items():
            values[port_address(port, llr_offset)] = value
            widths[port_address(port, llr_offset)] = WRITABLE_BITS[llr_offset]
        values[port_address(port, Port.LLR_STATUS)] = _status(port)

    def keep(address: int, value: int) -> int:
        offset = (address - PORT_BASE) % PORT_STRIDE
        if address >= PORT_BASE and offset in WRITABLE_BITS:
            return stored(config, offset, value)
        return value & (1 << widths[address]) - 1

    def counter(port: int, number: int) -> int:
        return port << 16 | number << 8 | 0x5A

    async def bench(ctx: Any) -> None:
        async def tick() -> None:
            # A counter block answers in the cycle in which it is selected.
            selected = ctx.get(block.counter_select)
            for port in range(config.ports):
                value = counter(port, selected.bit_length() - 1) if selected else 0
                ctx.set(block.counter[port], value)
                ctx.set(block.llr_status[port], _status(port))
            await ctx.tick()

        for _ in range(accesses):
            kind = rng.randrange(3)
            address = rng.choice(list(widths)) if kind < 2 else rng.choice(list(values))
            if kind == 0:
                value = rng.getrandbits(32)
                drive(ctx, block.bus, {"addr": address, "wdata": value, "we": 1})
                values[address] = keep(address, value)
                await tick()
                ctx.set(block.bus.we, 0)
                continue
            wanted = values[address]
            if rng.random() < 0.3:
                port, number = rng.randrange(config.ports), rng.randrange(COUNTERS)
                address, wanted = port_address(port, Port.COUNTERS + number), counter(port, number)
            drive(ctx, block.bus, {"addr": address, "re": 1})
            await tick()
            ctx.set(block.bus.re, 0)
            for _ in range(_ANSWER_CYCLES - 1):
                expect("rdata without a read", ctx.get(block.bus.rdata), 0)
                await tick()
            expect(f"register {address:#06x}", ctx.get(block.bus.rdata), wanted)
            await tick()
            for port in range(config.ports):
                for offset, (name, _) in _SETTINGS.items():
                    expect(f"port {port}: {name}", ctx.get(getattr(block.settings[port], name)),
                           values[port_address(port, offset)])
                llr = LlrSettings(config)
                llr.load({offset: values[port_address(port, offset)] for offset in WRITABLE_BITS})
                got = {name: ctx.get(getattr(block.settings[port].llr, name)) for name in FIELDS}
                expect(f"port {port}: link-level retry", got,
                       {name: int(getattr(llr, name)) for name in FIELDS})

    run_block(block, bench)


def _status(port: int) -> int:
    return 0xA5C3 ^ port
