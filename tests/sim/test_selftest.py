# SPDX-License-Identifier: Apache-2.0
"""The switch with its self-test behind AXI4-Lite: in lockstep with the model, and against faults
planted in the switch, which the registers must name. One build for all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_model.register_map import config_values
from gavel_model.selftest_map import (
    GLOBAL_BASE,
    SELF_TEST_MAP,
    SELF_TEST_VALUE,
    SelfTestGlobal,
    SelfTestMode,
    SelfTestRegister,
)
from gavel_tb.build_cache import BuildCache, Design
from gavel_tb.effort import QUICK
from gavel_tb.errors import SimulationError
from gavel_tb.faults import ARGUMENT, Fault, plant
from gavel_tb.harness import harness_layout
from gavel_tb.rdl.compiled import WORD_BYTES
from gavel_tb.selftest_driver import PortResult, SelfTestDriver, SelfTestPlan, verdict
from gavel_tb.selftest_model import ModelSelfTest
from gavel_tb.selftest_native import OPTIONS, NativeSelfTest
from gavel_tb.selftest_registers import open_registers, python_package

R = SelfTestRegister
CONFIG = load_config("tiny", ("ports=3", "buffer_cells=64", "register_stages=1"))
VALUES = config_values(CONFIG)
CONTROL = WORD_BYTES * (GLOBAL_BASE + SelfTestGlobal.CONTROL)
MOST_CYCLES = 20_000
FAULTS = (
    Fault("swapped bytes", "gavel_egress", "o_word__data",
          "{{{0}[$high(o_word__data):16], {0}[7:0], {0}[15:8]}}", (), ()),
    Fault("wrong port", "gavel_lookup", "direct_port", "(({}) == 0 ? 2 : 0)", (), ()),
    Fault("frames not found", "gavel_lookup", "direct_hit", "({}) & ($time % 64 < 60)", (), ()),
    Fault("wrong cell linked", "gavel_voq_lists", "written", "({}) ^ 1'd1", (), ()),
)
FINDS = {
    "swapped bytes": "bad_fcs",
    "wrong port": "header_errors",
    "frames not found": "lost",
    "wrong cell linked": "bad_fcs",
}
"""What each fault must show in."""


@pytest.fixture(scope="module")
def design(sim_cache: Path) -> Design:
    return plant(BuildCache(sim_cache).design(CONFIG, OPTIONS), FAULTS)


@pytest.fixture
def board(design: Design, sim_cache: Path) -> Iterator[NativeSelfTest]:
    with NativeSelfTest(CONFIG, cache=sim_cache, design=design, effort=QUICK) as made:
        yield made


class Both:
    """RTL and model, with the same software."""

    def __init__(self, rtl: NativeSelfTest, model: ModelSelfTest) -> None:
        self._rtl, self._model = rtl, model

    def write(self, address: int, value: int) -> None:
        self._rtl.write(address, value)
        self._model.write(address, value)

    def read(self, address: int) -> int:
        values = self._rtl.read(address), self._model.read(address)
        assert values[0] == values[1], f"register 0x{address:05X}: RTL and model differ"
        return values[0]

    def run(self, cycles: int) -> None:
        assert self._rtl.run(cycles) == self._model.run(cycles)


def address(port: int, register: int) -> int:
    return WORD_BYTES * SELF_TEST_MAP.port_address(port, register)


def setting(rng: random.Random, config: SwitchConfig, register: SelfTestRegister) -> int:
    return {
        R.MODE: rng.choice((*SelfTestMode, SelfTestMode.INTERNAL, SelfTestMode.INTERNAL)),
        R.DESTINATIONS: rng.randrange(1, 1 << config.ports),
        R.CLASSES: rng.randrange(1, 1 << config.vcs),
        R.LENGTH: 64 | rng.choice((64, 70, config.max_frame_bytes)) << 16,
        R.LOAD: rng.choice((1 << 16, 30_000)),
        R.COUNT: rng.choice((0, 20)),
        R.INJECT: rng.choice((0, 3)) | rng.randrange(3) << 24,
    }.get(register, rng.getrandbits(32))


def test_lockstep_on_all_pins_and_registers(board: NativeSelfTest, seed: int) -> None:
    rng = random.Random(seed)
    model = ModelSelfTest(CONFIG)
    rows = board.record(MOST_CYCLES)
    model.record()
    both = Both(board, model)
    assert both.read(WORD_BYTES * GLOBAL_BASE) == SELF_TEST_VALUE
    for _ in range(6):
        for port in range(CONFIG.ports):
            for offset in sorted(SELF_TEST_MAP.port_offsets(VALUES, writable=True)):
                both.write(address(port, offset), setting(rng, CONFIG, R(offset)))
        both.write(CONTROL, 3)
        both.run(1000)
        for port in range(CONFIG.ports):
            for offset in sorted(SELF_TEST_MAP.port_offsets(VALUES)):
                both.read(address(port, offset))
        both.write(CONTROL, 0)
        both.run(400)
    layout = harness_layout(CONFIG)
    assert model.shown is not None and len(model.shown) < MOST_CYCLES
    words = 0
    for cycle, shown in enumerate(model.shown):
        wanted = b"".join(layout.pins.pack(pins).to_bytes(layout.port_bytes, "little")
                          for pins in shown)
        assert bytes(rows[cycle][:len(wanted)]) == wanted, f"pins differ in cycle {cycle}"
        words += sum(pins.valid for pins in shown)
    assert words > 300


def test_what_is_not_there_is_answered_with_an_error(board: NativeSelfTest) -> None:
    with pytest.raises(SimulationError, match="AXI4-Lite read of 0x300FC: SLVERR"):
        board.read(address(0, 0x3F))
    with pytest.raises(SimulationError, match="AXI4-Lite write of 0x30038: SLVERR"):
        board.write(address(0, R.SENT), 0)


def run_plan(board: NativeSelfTest, cache: Path, plan: SelfTestPlan) -> list[PortResult]:
    registers = open_registers(python_package(CONFIG, BuildCache(cache)), board.read, board.write)
    driver = SelfTestDriver(registers, CONFIG.ports, CONFIG.vcs)
    driver.prepare(plan)
    driver.start()
    board.run(3000)
    driver.stop()
    board.run(3000)
    assert not driver.under_way
    return driver.results()


@pytest.mark.parametrize("number", range(1, len(FAULTS) + 1),
                         ids=[fault.argument for fault in FAULTS])
def test_fault_of_the_switch_is_found_and_named(design: Design, sim_cache: Path,
                                                number: int) -> None:
    plan = SelfTestPlan(load=0.5, longest=150)
    with NativeSelfTest(CONFIG, cache=sim_cache, design=design, effort=QUICK,
                        arguments=[f"+{ARGUMENT}={number}"]) as board:
        results = run_plan(board, sim_cache, plan)
    found = FINDS[FAULTS[number - 1].name]
    assert sum(getattr(result, found) for result in results)
    assert verdict(plan, results)
    assert any(result.first_error for result in results)


def test_nothing_is_found_while_all_faults_sleep(board: NativeSelfTest, sim_cache: Path) -> None:
    plan = SelfTestPlan(load=0.5, longest=150)
    results = run_plan(board, sim_cache, plan)
    assert verdict(plan, results) == []
    assert all(result.frames > 50 and result.latency_min >= 17 for result in results)
