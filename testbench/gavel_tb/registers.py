# SPDX-License-Identifier: Apache-2.0
"""Bench of Registers: what is written is read, and drives the settings."""

from __future__ import annotations

import random
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.flow_settings import FlowSettings
from gavel_model.llr_settings import LlrSettings
from gavel_model.port_settings import PortSettings
from gavel_model.register_map import (
    CLASS_FROM_SHIFT,
    COUNTERS,
    ID_VALUE,
    PER_VC,
    PORT_BASE,
    PORT_STRIDE,
    VERSION,
    Global,
    Port,
    port_address,
)
from gavel_rtl.flow_interfaces import VC_COUNTS
from gavel_rtl.registers import Registers
from gavel_tb.block_sim import drive, expect, run_block
from gavel_tb.flow_stimulus import expect_settings
from gavel_tb.llr_stimulus import COMING, FIELDS
from gavel_tb.stimulus import derived_random

_CORNERS = (
    (Port.CBFC_SENDER, 7, 6),
    (Port.CBFC_SENDER, 0xFFFF80F9, 0xF001),
    (Port.CBFC_RECEIVER, 0xEF06, 0xF006),
    (Port.CBFC_RECEIVER, 0xF105, 0xF105),
    (Port.CBFC_RECEIVER, 0x7F00, 0x7F00),
    (Port.CBFC_CF_MIN, 63, 64),
    (Port.CBFC_CF_MIN, 0x10000, 64),
    (Port.CBFC_CF_MIN, 0x10041, 65),
    (Port.CBFC_CF_MAX, 0, 0),
    (Port.CBFC_CF_MAX, 0xFFFFFFFF, 0x1FFFFF),
    (Port.CBFC_TOTAL_LIMIT, 0xFFFFFFFF, 0xFFFFF),
    (Port.CBFC_LIMIT, 0xFFFFFFFF, 0xFFFFF),
    (Port.RX_VC_LIMIT, 0xFFFFFFFF, 0x1FFFF),
    (Port.VC_MATCH, 0xFFFFFFFF, 0x3F3F),
    (Port.PROFILE, 0xFFFFFFFF, 0x37),
    (Port.PFC_XOFF, 0xFFFFFFFF, 0x1FFFF),
    (Port.PFC_TIME, 0xFFFFFFFF, 0xFFFF),
    (Port.PFC_WATCHDOG, 0xFFFFFFFF, 0xFFFFFF),
    (Port.MAC_ADDRESS_HI, 0xFFFFFFFF, 0xFFFF),
    (Port.MAC_ADDRESS_LO, 0xFFFFFFFF, 0xFFFFFFFF),
    (Port.CBFC_STATUS, 0xFFFFFFFF, None),
)
"""Register, what is written, what is stored; None: it is read only."""


_GLOBAL_BITS = {
    Global.ROUTE_INDEX: 16, Global.FDB_INDEX: 16, Global.FDB_ADDR_HI: 16, Global.FDB_ADDR_LO: 32,
    Global.ESUN_ETHERTYPE: 16, Global.BYPASS_LIMIT: 8,
}


class ExpectedRegisters:
    """What the registers hold and answer, but for ``STATUS`` and the data of tables; counters and
    status are those of `counter_value`, `llr_status_value` and `flow_status_value`."""

    def __init__(self, config: SwitchConfig) -> None:
        self._config = config
        major, minor, patch = VERSION
        self._constants = {
            int(Global.ID): ID_VALUE, int(Global.VERSION): major << 16 | minor << 8 | patch,
            int(Global.PORTS): config.ports, int(Global.DATA_WIDTH): config.data_width,
            int(Global.VCS): config.vcs, int(Global.LATENCY): config.latency_cycles,
        }
        self._values = {int(register): 0 for register in _GLOBAL_BITS} | {
            int(Global.ESUN_ETHERTYPE): config.esun_ethertype,
            int(Global.BYPASS_LIMIT): config.bypass_limit,
        }
        self.ports = [PortSettings(config, number) for number in range(config.ports)]

    def draw(self, rng: random.Random) -> int:
        """An address: mostly of something, of every port and one more."""
        config = self._config
        if rng.random() < 0.1:
            return rng.choice((*self._constants, *self._values))
        port = rng.randrange(config.ports + (rng.random() < 0.1))
        offset = rng.choice((
            rng.choice(list(self.ports[0].values)), Port.LLR_STATUS, Port.CBFC_STATUS,
            rng.choice(PER_VC) + rng.randrange(config.vcs),
            Port.COUNTERS + rng.randrange(COUNTERS), rng.randrange(PORT_STRIDE)))
        return port_address(port, offset)

    def write(self, address: int, value: int) -> None:
        """A write takes effect."""
        number, offset = divmod(address - PORT_BASE, PORT_STRIDE)
        if address in self._values:
            self._values[address] = value & (1 << _GLOBAL_BITS[Global(address)]) - 1
        elif 0 <= number < self._config.ports:
            self.ports[number].write(offset, value)

    def read(self, address: int) -> int:
        """The answer."""
        if address in self._values:
            return self._values[address]
        if address in self._constants:
            return self._constants[address]
        number, offset = divmod(address - PORT_BASE, PORT_STRIDE)
        if not 0 <= number < self._config.ports:
            return 0
        if offset in self.ports[number].values:
            return self.ports[number].values[offset]
        if Port.COUNTERS <= offset < Port.COUNTERS + COUNTERS:
            return counter_value(number, offset - Port.COUNTERS)
        if offset == Port.LLR_STATUS:
            return llr_status_value(number)
        if offset == Port.CBFC_STATUS:
            return flow_status_value(number, offset)
        if any(base <= offset < base + self._config.vcs for base in VC_COUNTS):
            return flow_status_value(number, offset)
        return 0


def check(config: SwitchConfig, seed: int, accesses: int = 500) -> None:
    """Random accesses to everything that ports have, to the constants and the counters.

    Raises
    ------
    CheckError
        At the first value that is wrong.
    """
    rng = derived_random(seed, "registers")
    block, expected = Registers(config), ExpectedRegisters(config)

    async def bench(ctx: Any) -> None:
        async def tick() -> None:
            _answer(ctx, config, block)
            port = rng.randrange(config.ports)
            wanted = _coming(ctx, block.settings[port])
            counters = [ctx.get(select.counter) for select in block.counter_select]
            flow = [_flow_answer(ctx, block, port) for port in range(config.ports)]
            await ctx.tick()
            _answer_counters(ctx, block, counters)
            if config.register_stages:
                # Flow control answers in the cycle after, too.
                _drive_flow(ctx, block, flow)
            seen = {name: ctx.get(getattr(of, name))
                    for of, names in _ahead(block.settings[port]) for name in names}
            expect(f"port {port}: settings seen ahead", wanted, seen)

        async def write(address: int, value: int) -> None:
            drive(ctx, block.bus, {"addr": address, "wdata": value, "we": 1})
            expected.write(address, value)
            await tick()
            ctx.set(block.bus.we, 0)
            for _ in range(config.register_stages):
                await tick()

        async def read(address: int, wanted: int) -> None:
            drive(ctx, block.bus, {"addr": address, "re": 1})
            await tick()
            ctx.set(block.bus.re, 0)
            for _ in range(config.answer_cycles - 1):
                expect("rdata without a read", ctx.get(block.bus.rdata), 0)
                await tick()
            expect(f"register {address:#06x}", ctx.get(block.bus.rdata), wanted)
            await tick()

        for port in range(config.ports):
            _expect_settings(ctx, config, block, expected, port)
        for offset, value, stored in _CORNERS:
            address = port_address(rng.randrange(config.ports), offset)
            wanted = expected.read(address) if stored is None else stored
            await write(address, value)
            await read(address, wanted)
        for _ in range(accesses):
            address = expected.draw(rng)
            if rng.random() < 0.6:
                await write(address, rng.getrandbits(32))
                continue
            await read(address, expected.read(address))
            for port in range(config.ports):
                _expect_settings(ctx, config, block, expected, port)

    run_block(block, bench)


def _ahead(settings: Any) -> tuple[tuple[Any, tuple[str, ...]], ...]:
    """The settings of which ``coming`` tells."""
    return (settings.llr, COMING), (settings.flow, ("cf_min", "cf_max", "watchdog"))


def _coming(ctx: Any, settings: Any) -> dict[str, int]:
    """Settings as ``coming`` tells that they will be."""
    found = {name: ctx.get(getattr(of.coming, name))
             for of, names in _ahead(settings) for name in names}
    return found | {"min_spacing": min(found["min_spacing"], found["spacing"])}


def _answer(ctx: Any, config: SwitchConfig, block: Registers) -> None:
    """Status answers in the cycle in which it is selected."""
    for port in range(config.ports):
        ctx.set(block.llr_status[port], llr_status_value(port))
    if not config.register_stages:
        _drive_flow(ctx, block, [_flow_answer(ctx, block, port) for port in range(config.ports)])


def _flow_answer(ctx: Any, block: Registers, port: int) -> int:
    """What flow control of a port answers to what is selected."""
    select = block.flow_select[port]
    group, vc = ctx.get(select.vc_count), ctx.get(select.vc)
    if ctx.get(select.status):
        return flow_status_value(port, int(Port.CBFC_STATUS))
    if group and vc:
        return flow_status_value(port, VC_COUNTS[group.bit_length() - 1] + vc.bit_length() - 1)
    return 0


def _drive_flow(ctx: Any, block: Registers, values: list[int]) -> None:
    for signal, value in zip(block.flow_status, values, strict=True):
        ctx.set(signal, value)


def _answer_counters(ctx: Any, block: Registers, selected: list[int]) -> None:
    """Counters answer in the cycle after the one in which they were ``selected``."""
    for port, number in enumerate(selected):
        ctx.set(block.counter[port],
                counter_value(port, number.bit_length() - 1) if number else 0)


def _expect_settings(ctx: Any, config: SwitchConfig, block: Registers, expected: ExpectedRegisters,
                     port: int) -> None:
    """The settings that drive a port are what its registers hold."""
    values, settings = expected.ports[port].values, block.settings[port]
    where = f"port {port}"
    flow = FlowSettings(config)
    flow.load(values)
    profile = values[Port.PROFILE]
    wanted = {
        "enable": values[Port.CONTROL], "profile": profile & 7,
        "class_from": profile >> CLASS_FROM_SHIFT, "vc_map": values[Port.VC_MAP],
        "ecn_threshold": values[Port.ECN_THRESHOLD], "vc_weights": values[Port.VC_WEIGHTS],
        "weighted": values[Port.VC_WEIGHTS] != 0, "strict": flow.strict,
    }
    expect(where, {name: ctx.get(getattr(settings, name)) for name in wanted}, wanted)
    for name, offset in (("vc_match", Port.VC_MATCH), ("vc_limit", Port.RX_VC_LIMIT)):
        expect(f"{where}: {name}", [ctx.get(element) for element in getattr(settings, name)],
               [values[offset + vc] for vc in range(config.vcs)])
    expect_settings(ctx, where, settings.flow, flow)
    expect(f"{where}: receives", ctx.get(settings.flow.receives), int(flow.receiver != 0))
    llr = LlrSettings(config)
    llr.load(values)
    expect(f"{where}: link-level retry",
           {name: ctx.get(getattr(settings.llr, name)) for name in FIELDS},
           {name: int(getattr(llr, name)) for name in FIELDS})


def counter_value(port: int, number: int) -> int:
    """What a counter reads."""
    return port << 16 | number << 8 | 0x5A


def llr_status_value(port: int) -> int:
    """What ``LLR_STATUS`` reads."""
    return 0xA5C3 ^ port


def flow_status_value(port: int, offset: int) -> int:
    """What a read-only register of flow control reads."""
    return port << 20 | offset << 8 | 0xC3
