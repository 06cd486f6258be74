# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from gavel_model.loader import load_config
from gavel_tb.farm import dask_pool
from gavel_tb.farm.dispatch import run
from gavel_tb.farm.errors import ClusterError
from gavel_tb.farm.shipping import pack, unpack
from gavel_tb.farm.unit import Unit
from gavel_tb.regress.tests_of import Run
from gavel_tb.regress.work import make_build, parameters_of

HERE = Path(__file__).parent
WORK = "work_for_tests"
DASK = [sys.executable, "-m", "dask"]


@dataclass
class Cluster:
    """A scheduler and two workers, each a process of its own."""

    address: str
    scheduler: subprocess.Popen
    workers: list[subprocess.Popen]


def wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def start(folder: Path, *options: str) -> Cluster:
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    file = folder / "scheduler.json"

    def process(*arguments: str) -> subprocess.Popen:
        with (folder / "log").open("ab") as log:
            return subprocess.Popen([*DASK, *arguments], env=environment, cwd=folder, stdout=log,
                                    stderr=log)

    scheduler = process("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                        "--scheduler-file", str(file))
    workers = [process("worker", "--scheduler-file", str(file), "--nthreads", "1",
                       "--no-dashboard", "--name", f"worker-{number}",
                       "--local-directory", str(folder), *options) for number in range(2)]
    # It is there before anything is in it.
    wait_until(lambda: file.exists() and file.read_text().endswith("}"))
    return Cluster(json.loads(file.read_text())["address"], scheduler, workers)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = start(tmp_path_factory.mktemp("cluster"), "--no-nanny")
    yield made
    stop(made, "kill")


def stop(cluster: Cluster, how: str) -> None:
    for process in (*cluster.workers, cluster.scheduler):
        with contextlib.suppress(ProcessLookupError):
            getattr(process, how)()
        process.wait()


@pytest.fixture
def build(tmp_path) -> Path:
    folder = tmp_path / "cache" / "verilated-0123"
    folder.mkdir(parents=True)
    for name, text in {"text": "run me", "left.cpp": "source", "complete": "1.0\n"}.items():
        (folder / name).write_text(text)
    return folder


def test_a_parcel_is_the_same_each_time_and_leaves_out_what_only_compilers_read(build, tmp_path):
    parcel = pack(build)
    assert parcel == pack(build)
    place = unpack(parcel, tmp_path / "there")
    assert sorted(path.name for path in place.iterdir()) == ["complete", "text"]
    (place / "text").write_text("in use")
    assert unpack(parcel, tmp_path / "there") == place
    assert (place / "text").read_text() == "in use", "it is unpacked once"


def test_a_damaged_parcel_and_a_build_that_is_not_complete_are_refused(build, tmp_path):
    parcel = pack(build)
    bad = type(parcel)(parcel.name, parcel.data[:-1] + b"x", parcel.sha256)
    with pytest.raises(ClusterError, match="verilated-0123 came damaged"):
        unpack(bad, tmp_path / "there")
    (build / "complete").unlink()
    with pytest.raises(FileNotFoundError):
        pack(build)


# First of those with the cluster: the others do with the worker that remains.
def test_a_killed_worker_of_two_loses_nothing_and_the_results_are_those_of_this_machine(
        cluster, build, tmp_path):
    mark = tmp_path / "go"
    wait = Unit(f"{WORK}:wait_for", {"mark": str(mark)})
    work = [*(Unit(f"{WORK}:square", {"number": number}) for number in range(12)),
            Unit(f"{WORK}:refuse", {"text": "no such port"}),
            Unit(f"{WORK}:read_build", {"name": build.name}, builds=(build,))]

    def kill() -> None:
        wait_until(lambda: list(tmp_path.glob("go.*.runs")))
        victim = int(next(tmp_path.glob("go.*.runs")).name.split(".")[1])
        assert victim in {worker.pid for worker in cluster.workers}
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(list(tmp_path.glob("go.*.runs"))) == 2)
        mark.touch()

    killer = threading.Thread(target=kill)
    killer.start()
    there = run([wait, *work], folder=tmp_path / "there", scheduler=cluster.address)
    killer.join()
    here = run(work, folder=tmp_path / "here", workers=1)
    assert there[0].result in {worker.pid for worker in cluster.workers}
    assert [(outcome.result, outcome.error) for outcome in there[1:14]] == [
        (outcome.result, outcome.error) for outcome in here[:13]]
    # The shipped build has no sources, the one of this machine has.
    assert there[14].result == "complete textrun me"
    assert here[13].result == "complete left.cpp textrun me"
    assert {outcome.worker.partition("://")[0] for outcome in there} == {"tcp"}
    again = run([wait, *work], folder=tmp_path / "there", scheduler=cluster.address)
    assert sum(outcome.resumed for outcome in again) == 14


def test_a_worker_with_other_sources_is_refused(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(dask_pool, "source_digest", lambda: "other")
    with pytest.raises(ClusterError, match=r"the worker tcp://.* has other sources of gavel"):
        run([Unit(f"{WORK}:square", {"number": 2})], folder=tmp_path, scheduler=cluster.address)


# Last of those with the cluster.
def test_a_lost_scheduler_is_one_error_and_what_is_finished_stays(cluster, tmp_path):
    mark = tmp_path / "go"
    work = [Unit(f"{WORK}:square", {"number": 2}), Unit(f"{WORK}:wait_for", {"mark": str(mark)})]

    def lose(_) -> None:
        wait_until(lambda: list(tmp_path.glob("go.*.runs")))
        cluster.scheduler.kill()

    with pytest.raises(ClusterError, match=r"the scheduler tcp://.* was lost"):
        run(work, folder=tmp_path / "out", scheduler=cluster.address, on_result=lose)
    mark.touch()
    assert [outcome.resumed for outcome in run(work, folder=tmp_path / "out", workers=1)] == [
        True, False]


@pytest.mark.long
def test_a_unit_that_kills_its_workers_fails_by_name_and_alone(tmp_path):
    """Workers with nannies, which start them again."""
    nursed = start(tmp_path)
    try:
        work = [Unit(f"{WORK}:die_always", {"number": 4}),
                *(Unit(f"{WORK}:square", {"number": number}) for number in range(6))]
        outcomes = run(work, folder=tmp_path / "out", scheduler=nursed.address)
    finally:
        # A nanny that is killed leaves its worker behind.
        stop(nursed, "terminate")
    assert outcomes[0].error == "as many workers died of it as the scheduler allows"
    assert [outcome.result for outcome in outcomes[1:]] == [
        {"square": number * number} for number in range(6)]


@pytest.mark.long
def test_simulations_run_where_their_builds_are_shipped_to(sim_cache, tmp_path):
    tiny = load_config("tiny")
    built = make_build(asdict(tiny), False, False, str(sim_cache))
    folders = tuple(Path(folder) for folder in built.values())
    run_ = Run("item", "run", "tiny", tiny, "traffic", {"cycles": 200, "faults": 0.1})
    work = [Unit("gavel_tb.regress.work:run_test", parameters_of(run_, seed, built, False),
                 builds=folders) for seed in (1, 2, 3)]
    away = start(tmp_path)
    try:
        there = run(work, folder=tmp_path / "there", scheduler=away.address)
    finally:
        stop(away, "terminate")
    here = run(work, folder=tmp_path / "here", workers=1)
    assert [outcome.error for outcome in there] == [None] * 3
    assert [outcome.result for outcome in there] == [outcome.result for outcome in here]
    assert all(outcome.result["passed"] for outcome in there)
    shipped = {path.name.rpartition("-")[0]
               for path in tmp_path.glob("dask-scratch-space/gavel-builds/*") if path.is_dir()}
    assert shipped == {folder.name for folder in folders}


def test_no_scheduler_and_no_dask_are_one_line(tmp_path, monkeypatch):
    work = [Unit(f"{WORK}:square", {"number": 2})]
    monkeypatch.setattr(dask_pool, "CONNECT_SECONDS", 0.5)
    for address in ("tcp://127.0.0.1:1", "nonsense://x"):
        with pytest.raises(ClusterError, match=f"no Dask scheduler answers at '{address}'"):
            run(work, folder=tmp_path, scheduler=address)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"Dask is not installed: pip install 'gavel\[cluster"):
        run(work, folder=tmp_path, scheduler="tcp://127.0.0.1:1")
