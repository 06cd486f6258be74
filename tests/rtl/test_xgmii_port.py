# SPDX-License-Identifier: Apache-2.0
"""An XGMII port that knows a cycle ahead whether it is closed, beside one that sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from amaranth.hdl import Module

from gavel_model.loader import load_config
from gavel_model.register_map import Port
from gavel_model.xgmii import Fault
from gavel_rtl.block import connect
from gavel_rtl.interfaces import LINK_MEMBERS, READY_MEMBERS
from gavel_rtl.port_registers import ONCE, PortRegisters
from gavel_rtl.tx_slice import TxSlice
from gavel_rtl.xgmii_port import XgmiiPort
from gavel_rtl.xgmii_rx import XgmiiRx
from gavel_rtl.xgmii_tx import XgmiiTx
from gavel_tb.block_sim import drive
from gavel_tb.stimulus import derived_random
from gavel_tb.xgmii_tx import PinSource

CONFIG = load_config("tiny")
CYCLES = 2000
IDLE = (0x07070707, 0b1111)
FAULT_SETS = {fault: (0x9C | fault.value << 24, 0b0001) for fault in (Fault.LOCAL, Fault.REMOTE)}


@pytest.mark.parametrize("transmit_stages", [0, 1])
def test_registers_and_faults_close_it_in_the_same_cycles(transmit_stages: int, simulate: Any,
                                                          seed: int) -> None:
    m = Module()
    m.submodules.port = port = XgmiiPort(replace(CONFIG, transmit_stages=transmit_stages))
    m.submodules.receive = receive = XgmiiRx(CONFIG)
    m.submodules.transmit = transmit = XgmiiTx(CONFIG)
    m.submodules.registers = registers = PortRegisters(CONFIG)
    taker = transmit.link
    if transmit_stages:
        m.submodules.slice = tx_slice = TxSlice(CONFIG)
        taker = tx_slice.pins
        connect(m, transmit.link, tx_slice.link, LINK_MEMBERS)
        connect(m, tx_slice.link, transmit.link, READY_MEMBERS)
    m.d.comb += [
        port.tx.up.eq(registers.enable),
        port.tx_up_next.eq(registers.enable_next),
        taker.up.eq(registers.enable),
        receive.xgmii.data.eq(port.xgmii_rxd),
        receive.xgmii.ctl.eq(port.xgmii_rxc),
        transmit.fault.eq(receive.fault),
    ]
    seen = (port.tx.ready, port.tx.ctl_ready, port.xgmii_txd, port.xgmii_txc, port.xgmii_aborted,
            port.xgmii_discarded)
    wanted = (taker.ready, taker.ctl_ready, transmit.xgmii.data,
              transmit.xgmii.ctl, transmit.aborted, transmit.discarded)

    async def bench(ctx: Any, _sync: Any) -> None:
        rng = derived_random(seed, "xgmii_port")
        source = PinSource(rng, trimmed=bool(transmit_stages))
        expected = [0] * len(wanted)
        kind, left, causes = Fault.NONE, 0, set()
        for cycle in range(CYCLES):
            pins = source.step(bool(expected[0]), bool(expected[1]))._asdict()
            del pins["up"]
            drive(ctx, port.tx, pins)
            drive(ctx, taker, pins)
            if not left:
                kind, left = rng.choice(tuple(Fault)), rng.choice((3, 10, 70, 150))
            left -= 1
            lower, upper = (FAULT_SETS.get(kind, IDLE) if rng.random() < 0.5 else IDLE
                            for _ in range(2))
            ctx.set(port.xgmii_rxd, lower[0] | upper[0] << 32)
            ctx.set(port.xgmii_rxc, lower[1] | upper[1] << 4)
            written = rng.choice((ONCE.index(Port.CONTROL), rng.randrange(len(ONCE))))
            ctx.set(registers.writes_once, (rng.random() < 0.05) << written)
            ctx.set(registers.wdata, rng.getrandbits(32))
            expected = [ctx.get(value) for value in wanted]
            assert (cycle, [ctx.get(value) for value in seen]) == (cycle, expected)
            causes.add((ctx.get(registers.enable), ctx.get(receive.fault)))
            await ctx.tick()
        assert len(causes) == 2 * len(Fault)

    simulate(m, bench)
