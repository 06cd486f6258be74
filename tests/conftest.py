# SPDX-License-Identifier: Apache-2.0
"""Options and fixtures of all tests."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gavel_tb.servers import Servers

SEED_OPTION = "--seed"

LONGEST_FIRST = (
    "sim/test_flow_load.py", "sim/test_flow_behaviour.py", "sim/test_blocks.py",
    "formal/test_proofs.py", "sim/test_llr_behaviour.py", "cli/test_verilog.py",
    "sim/test_compare_fast.py", "sim/test_top.py", "sim/test_scenario_faults.py",
    "sim/test_vectors.py", "sim/test_selftest.py", "sim/test_gate_stages.py",
    "sim/test_telemetry.py", "regress/test_regress.py", "rtl/test_ingress_buffer.py",
    "sim/test_soak.py", "sim/test_selftest_ports.py", "sim/test_axi_lite.py",
    "sim/test_lockstep.py", "rtl/test_switch.py", "rtl/test_scheduler.py",
    "sim/test_performance.py", "rtl/test_flow_control.py", "cli/test_sweep.py",
    "synthesis/test_output_registers.py", "rtl/test_registers.py", "link/test_goodput.py",
    "rtl/test_link_rx.py", "link/test_flow_load.py", "sim/test_xgmii.py", "fpga/test_estimate.py",
    "model/flow/test_by_definition.py", "sim/test_faults.py", "fpga/test_constraints.py",
    "workload/test_lockstep.py", "fpga/test_folder.py", "rtl/test_parser_lookup.py",
    "synthesis/test_ppa.py", "rtl/test_selftest.py", "link/test_credit_loop.py",
    "fast/test_links.py", "fabric/test_fabrics.py", "sim/test_compare_at.py",
    "cli/test_compare_fast.py", "workload/test_cli.py", "rtl/test_emit.py",
    "model/test_llr_transmitter_by_definition.py",
)
"""Files by the time that they take, so that workers end together. Neighbours build different
switches: a worker waits for what another one builds."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gavel")
    group.addoption(SEED_OPTION, type=int, default=1,
                    help="everything random in the simulations follows from it; 0 draws one")
    group.addoption("--sim-cache", type=Path, default=None,
                    help="where built simulations are kept (default: build/cache)")


def pytest_configure(config: pytest.Config) -> None:
    # A job that a script starts in the background ignores Ctrl-C, and so would the commands that
    # tests interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption(SEED_OPTION) == 0:
        config.option.seed = random.SystemRandom().randrange(1, 1 << 31)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not hasattr(config, "workerinput"):
        return
    here = Path(__file__).parent
    places = {here / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_report_header(config: pytest.Config) -> str:
    return f"simulation seed: {config.getoption(SEED_OPTION)}"


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption(SEED_OPTION))


@pytest.fixture(scope="session")
def sim_cache(pytestconfig: pytest.Config) -> Path:
    """Shared by all workers and by later runs: entries are keyed by content."""
    given = pytestconfig.getoption("--sim-cache")
    return Path(given) if given else pytestconfig.rootpath / "build" / "cache"


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Simulations that have started: each job still begins at time 0 in a process of its own."""
    made = Servers()
    yield made
    made.close()


@pytest.fixture
def icarus() -> None:
    """Icarus Verilog is there; without it the test is skipped, or fails where tools must be."""
    for tool in ("iverilog", "vvp"):
        if shutil.which(tool) is None:
            reason = f"{tool} is missing: apt-get install iverilog"
            if os.environ.get("GAVEL_REQUIRE_TOOLS") == "1":
                pytest.fail(reason)
            pytest.skip(reason)
