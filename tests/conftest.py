# SPDX-License-Identifier: Apache-2.0
"""Options and fixtures of all tests."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gavel_tb.servers import Servers

SEED_OPTION = "--seed"


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
