# SPDX-License-Identifier: Apache-2.0
"""Jobs in copies of a simulation that has started are like jobs in processes of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gavel_model.loader import load_config
from gavel_tb.effort import SHORT
from gavel_tb.errors import SimulationError
from gavel_tb.runner import Binary
from gavel_tb.servers import MOST_SERVERS, Server, Servers
from gavel_tb.simulate import Prepared, prepare

JOB = {"kind": "traffic", "parameters": {"cycles": 400, "faults": 0.2, "registers": True}}
MINUTES = {"kind": "bench", "parameters": {"cycles": 2_000_000}, "model": False}
MEASURED = ("seconds", "cycles_per_second")


@pytest.fixture
def prepared(sim_cache: Path) -> Prepared:
    return prepare(load_config("tiny"), cache=sim_cache, effort=SHORT)


@pytest.fixture
def own() -> Iterator[Servers]:
    made = Servers()
    yield made
    made.close()


def facts(result: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name not in MEASURED}


def test_each_job_begins_as_in_a_process_of_its_own(prepared: Prepared, own: Servers) -> None:
    alone = prepared.run(JOB)
    assert alone["passed"], alone["report"]
    for _ in range(2):
        assert facts(prepared.run(JOB, servers=own)) == facts(alone)


def test_a_job_that_is_refused_leaves_the_next_alone(prepared: Prepared, own: Servers) -> None:
    with pytest.raises(SimulationError, match="pattern = 'sideways'"):
        prepared.run({"kind": "traffic", "parameters": {"pattern": "sideways"}}, servers=own)
    assert prepared.run(JOB, servers=own)["passed"]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_simulator_that_dies_is_told_and_leaves_the_next_alone(
    prepared: Prepared, own: Servers, tmp_path: Path
) -> None:
    killer = threading.Thread(target=kill_the_one_in, args=(tmp_path,))
    killer.start()
    with pytest.raises(SimulationError, match=rf"code -9 \(log: {tmp_path}/sim\.log\)"):
        prepared.run(MINUTES, servers=own, folder=tmp_path)
    killer.join()
    assert prepared.run(JOB, servers=own)["passed"]


def kill_the_one_in(folder: Path) -> None:
    end = time.monotonic() + 60
    # Its own output shows that it is the copy and works in the folder.
    while not (folder / "sim.log").exists() and time.monotonic() < end:
        time.sleep(0.05)
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdecimal() and Path(process, "cwd").resolve() == folder:
                os.kill(int(process.name), signal.SIGKILL)


def test_a_simulation_that_does_not_start_is_told(tmp_path: Path) -> None:
    server = Server(Binary(tmp_path, SHORT, None))
    with pytest.raises(SimulationError, match="the simulation process ended: "):
        server.run(tmp_path / "job.json")
    assert not server.alive


def test_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[tuple[str, str]] = []

    class Recorded:
        alive = True

        def __init__(self, binary: Binary) -> None:
            self.name = binary.folder.name
            events.append(("starts", self.name))

        def run(self, job: Path) -> None:
            events.append(("runs", self.name))

        def close(self) -> None:
            events.append(("ends", self.name))

    monkeypatch.setattr("gavel_tb.servers.Server", Recorded)
    servers = Servers()
    for name in (*range(MOST_SERVERS), 0, MOST_SERVERS):
        servers.run(Binary(Path(str(name)), SHORT, None), Path("job"))
    assert [name for event, name in events if event == "starts"] == [
        str(name) for name in range(MOST_SERVERS + 1)]
    assert [name for event, name in events if event == "ends"] == ["1"]
    servers.close()
    assert sum(event == "ends" for event, _ in events) == MOST_SERVERS + 1
