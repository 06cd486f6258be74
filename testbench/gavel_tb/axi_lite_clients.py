# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of AxiLite with a manager that is not ours: the one of cocotbext-axi.

It comes with the extra ``dev``. `gavel_tb.axi_lite_harness` is the top. The tests know
docs/axi_lite.md and the register map, and nothing of the model of `AxiLite`.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Iterator
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from gavel_model.loader import load_config
from gavel_model.register_entry import Register
from gavel_model.register_map import (
    ENTRY_VALID,
    GLOBALS,
    PORT_BASE,
    PORT_STRIDE,
    SWITCH_MAP,
    Global,
    config_values,
    port_address,
    port_registers,
)
from gavel_tb.axi_lite_harness import OTHER, OURS
from gavel_tb.registers import ExpectedRegisters
from gavel_tb.stimulus import derived_random

SEED_VARIABLE = "GAVEL_SEED"
STAGES_VARIABLE = "GAVEL_REGISTER_STAGES"
"""Environment: ``register_stages`` of the switch, 0 without it."""

CONFIG = load_config("tiny", ("vcs=3",
                              f"register_stages={os.environ.get(STAGES_VARIABLE, '0')}"))
VALUES = config_values(CONFIG)
BYTES = 4
CYCLES_OF_A_WRITE = 2

_TABLES = {int(Global.ROUTE_DATA), int(Global.FDB_DATA)}
_PERIOD = 10


def _pauses(rng: random.Random, share: float) -> Iterator[bool]:
    while True:
        yield rng.random() < share


class Bench:
    """Clock, reset, and the manager."""

    def __init__(self, dut: Any, name: str) -> None:
        self.dut = dut
        logging.getLogger("cocotb.gavel_harness").setLevel(logging.WARNING)
        self.rng = derived_random(int(os.environ[SEED_VARIABLE]), name)
        self.expected = ExpectedRegisters(CONFIG)

    async def start(self) -> None:
        """Resets, and waits until the tables are ready."""
        dut = self.dut
        Clock(dut.clk, _PERIOD, "ns").start()
        dut.rst.value = 1
        self.master, self.other = (
            AxiLiteMaster(AxiLiteBus.from_prefix(dut, prefix), dut.clk, dut.rst)
            for prefix in (OURS, OTHER))
        await ClockCycles(dut.clk, 2)
        dut.rst.value = 0
        await ClockCycles(dut.clk, CONFIG.table_init_cycles)

    def pause(self, share: float) -> None:
        """Every channel pauses in this share of cycles, each at its own times."""
        write, read = self.master.write_if, self.master.read_if
        for channel in (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel,
                        read.r_channel):
            rng = random.Random(self.rng.getrandbits(64))
            channel.set_pause_generator(_pauses(rng, share))

    async def write(self, address: int, value: int, *, other: bool = False) -> AxiResp:
        """Writes a register by its word address."""
        master = self.other if other else self.master
        done = await master.write(address * BYTES, value.to_bytes(BYTES, "little"))
        return done.resp

    async def read(self, address: int, *, other: bool = False) -> tuple[AxiResp, int]:
        """Reads a register by its word address."""
        master = self.other if other else self.master
        done = await master.read(address * BYTES, BYTES)
        return done.resp, int.from_bytes(done.data, "little")

    async def expect_all(self) -> None:
        """Reads every register, and compares."""
        for address in SWITCH_MAP.addresses(VALUES) - _TABLES - {Global.STATUS}:
            wanted = AxiResp.OKAY, self.expected.read(address)
            assert await self.read(address) == wanted, f"{address:#06x}"


async def _write_everything(bench: Bench) -> None:
    for address in sorted(SWITCH_MAP.addresses(VALUES, writable=True) - _TABLES):
        value = bench.rng.getrandbits(32)
        assert await bench.write(address, value) == AxiResp.OKAY, f"{address:#06x}"
        bench.expected.write(address, value)


@cocotb.test()
async def writes_and_reads_every_register(dut: Any) -> None:
    """After reset, and after a write of each; then again with pauses on all channels."""
    bench = Bench(dut, "registers")
    await bench.start()
    assert await bench.read(Global.STATUS) == (AxiResp.OKAY, 1)
    await bench.expect_all()
    for share in (0.0, 0.7):
        bench.pause(share)
        await _write_everything(bench)
        await bench.expect_all()


@cocotb.test()
async def refuses_what_is_not_mapped(dut: Any) -> None:
    """No register, or one that is read only: SLVERR, and nothing has changed."""
    bench = Bench(dut, "unmapped")
    await bench.start()
    bench.pause(0.2)
    await _write_everything(bench)
    pages = (0, PORT_BASE - PORT_STRIDE, *(port_address(port, 0) for port in (0, CONFIG.ports)))
    addresses = {page + offset for page in pages for offset in range(PORT_STRIDE)}
    addresses |= {bench.rng.getrandbits(16) for _ in range(200)} | {0xFFFF}
    mapped, writable = SWITCH_MAP.addresses(VALUES), SWITCH_MAP.addresses(VALUES, writable=True)
    for address in sorted(addresses - writable):
        assert await bench.write(address, 0xFFFFFFFF) == AxiResp.SLVERR, f"{address:#06x}"
        if address not in mapped:
            assert await bench.read(address) == (AxiResp.SLVERR, 0), f"{address:#06x}"
    await bench.expect_all()


@cocotb.test()
async def refuses_parts_of_a_register(dut: Any) -> None:
    """One to three bytes, wherever they begin, and reads that begin inside of a register."""
    bench = Bench(dut, "parts")
    await bench.start()
    await _write_everything(bench)
    for address in sorted(SWITCH_MAP.addresses(VALUES, writable=True))[::7]:
        for first in range(BYTES):
            for count in range(1, BYTES - first + 1 - (first == 0)):
                done = await bench.master.write(address * BYTES + first, bytes(count))
                assert done.resp == AxiResp.SLVERR, (address, first, count)
            if first:
                done = await bench.master.read(address * BYTES + first, 1)
                assert (done.resp, done.data) == (AxiResp.SLVERR, bytes(1)), (address, first)
    await bench.expect_all()


@cocotb.test()
async def is_the_register_block_of_peakrdl(dut: Any) -> None:
    """The block that PeakRDL makes of the same source answers the same: after reset, to writes of
    ones, zeros and at random, and with errors. It knows no limits of what is stored, so what is
    written keeps them; nor reset values that depend on the port."""
    bench = Bench(dut, "oracle")
    await bench.start()
    kept: dict[int, Register] = {register.address: register for register in GLOBALS
                                 if register.address not in _TABLES}
    for port in range(CONFIG.ports):
        kept |= {port_address(port, offset): register
                 for offset, (register, _) in port_registers(CONFIG.vcs).items()}
    # What the hardware changes is 0 there.
    kept = {address: register for address, register in kept.items()
            if None not in (field.reset for field in register.fields)}
    for address, register in kept.items():
        if not {"port", "vc"} & {field.reset for field in register.fields}:
            assert await bench.read(address) == await bench.read(address, other=True), register
    for value in (0xFFFFFFFF, 0, None):
        for address, register in kept.items():
            wanted = bench.rng.getrandbits(32) if value is None else value
            given = wanted & ~register.mask(VALUES) | register.stored(wanted, VALUES)
            answers = [await bench.write(address, given, other=other) for other in (False, True)]
            assert answers == [AxiResp.OKAY if register.writable else AxiResp.SLVERR] * 2, register
        for address, register in kept.items():
            assert await bench.read(address) == await bench.read(address, other=True), register
    page = port_address(CONFIG.ports - 1, 0)
    for address in {*range(PORT_STRIDE), *range(page, page + 2 * PORT_STRIDE), 0xFFFF} - _TABLES:
        answers = [(await bench.read(address, other=other))[0] for other in (False, True)]
        assert answers[0] == answers[1], f"{address:#06x}: {answers}"


@cocotb.test()
async def tables_are_filled_through_the_bus(dut: Any) -> None:
    """Index and data one after the other, without waiting: the order of writes is kept."""
    bench = Bench(dut, "tables")
    await bench.start()
    rng = bench.rng
    for _ in range(20):
        index, port = rng.randrange(CONFIG.id_entries), rng.randrange(CONFIG.ports)
        # 8 bytes are two transfers, ROUTE_INDEX and ROUTE_DATA.
        both = index | (ENTRY_VALID | port) << 32
        done = await bench.master.write(Global.ROUTE_INDEX * BYTES, both.to_bytes(8, "little"))
        assert done.resp == AxiResp.OKAY
        assert await bench.read(Global.ROUTE_DATA) == (AxiResp.OKAY, ENTRY_VALID | port)


@cocotb.test()
async def takes_a_transfer_every_second_cycle(dut: Any) -> None:
    """Writes and reads at once, each without a gap: as many cycles as docs/axi_lite.md says."""
    bench = Bench(dut, "rate")
    await bench.start()
    count = 16
    address = port_address(0, 0) * BYTES
    cycles = {"w": 0, "r": 0}

    async def watch() -> None:
        first: dict[str, int] = {}
        cycle = 0
        while True:
            await RisingEdge(dut.clk)
            cycle += 1
            for name, request, response in (("w", "aw", "b"), ("r", "ar", "r")):
                if int(getattr(dut, f"s_axil_{request}valid").value) and name not in first:
                    first[name] = cycle
                if int(getattr(dut, f"s_axil_{response}valid").value):
                    cycles[name] = cycle - first[name]

    cocotb.start_soon(watch())
    data = random.Random(0).randbytes(count * BYTES)
    writing = bench.master.init_write(address, data)
    reading = bench.master.init_read(address, count * BYTES)
    await writing.wait()
    await reading.wait()
    # The first answer to a write comes after 2 cycles. A read may wait one for a write, and where
    # it waits for the register port longer than that, each may.
    read = CONFIG.answer_cycles
    assert cycles["w"] == 2 + (count - 1) * CYCLES_OF_A_WRITE
    waits = cycles["r"] - (read + 1 + (count - 1) * read)
    assert 0 <= waits <= (count if CONFIG.register_stages else 1)
