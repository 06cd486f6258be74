# SPDX-License-Identifier: Apache-2.0
"""The self-test at every kind of port, looped back at the outer pins: nothing is lost on the way
through adapters and crossings, and what the links spoil is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_model.loader import load_config
from gavel_model.selftest_map import SelfTestFault, SelfTestMode
from gavel_model.top_options import TopOptions
from gavel_tb.build_cache import BuildCache
from gavel_tb.effort import QUICK
from gavel_tb.loopback_harness import NOISE
from gavel_tb.selftest_driver import PortResult, SelfTestDriver, SelfTestPlan, verdict
from gavel_tb.selftest_native import NativeSelfTest
from gavel_tb.selftest_registers import open_registers, python_package

CONFIG = load_config("tiny", ("ports=2", "vcs=2", "buffer_cells=128"))
KINDS = {
    "xgmii, crossing": TopOptions(ports="xgmii", registers="axi_lite", self_test=True,
                                  crossing=True),
    "xgmii": TopOptions(ports="xgmii", registers="axi_lite", self_test=True),
    "axi_stream": TopOptions(ports="axi_stream", registers="axi_lite", self_test=True),
    "axi_stream, keep, crossing": TopOptions(ports="axi_stream", registers="axi_lite", fcs="keep",
                                             self_test=True, crossing=True),
}
SHORT = "xgmii, crossing"
"""The others cost a build each."""

CYCLES = 4000


@pytest.fixture(scope="module", params=[
    pytest.param(name, marks=[] if name == SHORT else pytest.mark.long) for name in KINDS])
def options(request: pytest.FixtureRequest) -> TopOptions:
    return KINDS[request.param]


def run(options: TopOptions, cache: Path, plan: SelfTestPlan, *arguments: str) -> list[PortResult]:
    package = python_package(CONFIG, BuildCache(cache))
    with NativeSelfTest(CONFIG, cache=cache, options=options, arguments=arguments,
                        effort=QUICK) as board:
        driver = SelfTestDriver(open_registers(package, board.read, board.write), CONFIG.ports,
                                CONFIG.vcs)
        # Links need some cycles to come up.
        board.run(200)
        driver.prepare(plan)
        driver.start()
        board.run(CYCLES)
        driver.stop()
        board.run(CYCLES)
        assert not driver.under_way
        return driver.results()


@pytest.mark.parametrize("mode", [SelfTestMode.EXTERNAL, SelfTestMode.LINK,
                                  SelfTestMode.INTERNAL])
def test_all_comes_back_whole(options: TopOptions, sim_cache: Path, mode: SelfTestMode) -> None:
    plan = SelfTestPlan(mode=mode, load=0.5, longest=150)
    results = run(options, sim_cache, plan)
    assert verdict(plan, results) == []
    assert all(result.frames > 80 for result in results)


def test_what_is_injected_is_all_that_is_found(options: TopOptions, sim_cache: Path) -> None:
    plan = SelfTestPlan(mode=SelfTestMode.EXTERNAL, load=0.5, longest=150, every=7,
                        inject=SelfTestFault.PAYLOAD)
    results = run(options, sim_cache, plan)
    assert verdict(plan, results) == []
    assert all(result.payload_errors > 5 for result in results)


def test_noise_on_the_links_is_found(options: TopOptions, sim_cache: Path) -> None:
    plan = SelfTestPlan(mode=SelfTestMode.LINK, load=0.5, longest=150)
    results = run(options, sim_cache, plan, f"+{NOISE}")
    assert verdict(plan, results)
    # A MAC that strips the FCS puts a good one on what the wire has spoilt.
    stripped = options.ports == "axi_stream" and options.fcs == "strip"
    found = "payload_errors" if stripped else "bad_fcs"
    assert all(getattr(result, found) for result in results)
    assert all(result.first_error for result in results)
