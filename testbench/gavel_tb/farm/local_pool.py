# SPDX-License-Identifier: Apache-2.0
"""A pool of processes on this machine that survives the death of any of them.

A worker is a process of its own that is given one unit at a time, so that the unit of a dead one
is known. (The pools of the standard library lose all that was under way when one worker dies.)
Workers lead sessions of their own: Ctrl-C reaches the parent alone, which ends them.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait

from gavel_tb.farm.unit import Outcome, Unit
from gavel_tb.process import die_with_parent

WORKER_MODULE = "gavel_tb.farm.local_worker"
GRACE_SECONDS = 3.0
"""What workers have for cleaning up after SIGTERM."""


@dataclass
class _Task:
    """A unit and how many workers died of it."""

    unit: Unit
    deaths: int = 0


@dataclass
class _Worker:
    """A process, our end of its pipe, and what it is doing."""

    name: str
    process: subprocess.Popen[bytes]
    pipe: Connection
    task: _Task | None = None
    began: float = field(default_factory=time.perf_counter)


def run_locally(
    units: Sequence[Unit], *, workers: int, attempts: int
) -> Generator[Outcome, None, None]:
    """Runs units, each with another key, on ``workers`` processes; outcomes as they come.

    A unit whose worker dies runs again on a new one, behind the units that wait; after
    ``attempts`` deaths it has failed. Closing the iterator ends the workers.
    """
    waiting = deque(_Task(unit) for unit in units)
    pool: dict[Connection, _Worker] = {}
    started = 0
    try:
        while waiting or any(worker.task for worker in pool.values()):
            busy = sum(worker.task is not None for worker in pool.values())
            while len(pool) < min(workers, busy + len(waiting)):
                worker = _start(f"local-{started}")
                started += 1
                pool[worker.pipe] = worker
            for worker in pool.values():
                if worker.task is None and waiting:
                    _give(worker, waiting.popleft())
            for pipe in wait(list(pool)):
                worker = pool[pipe]  # type: ignore[index]  # of what went in
                task = worker.task
                try:
                    answer = json.loads(worker.pipe.recv_bytes())
                except (EOFError, OSError):
                    del pool[worker.pipe]
                    how = _end_of(worker)
                    if task is None:
                        continue
                    task.deaths += 1
                    if task.deaths < attempts:
                        waiting.append(task)
                        continue
                    answer = {"error": f"{task.deaths} workers died of it, the last by {how}",
                              "seconds": time.perf_counter() - worker.began}
                worker.task = None
                assert task is not None
                yield Outcome(task.unit, **answer, worker=worker.name)
    finally:
        _stop(list(pool.values()))


def _start(name: str) -> _Worker:
    ours, theirs = Pipe()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", WORKER_MODULE, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL,
            # Standard output belongs to the parent; what units print goes to standard error.
            stdout=sys.__stderr__.fileno() if sys.__stderr__ else subprocess.DEVNULL,
            start_new_session=True, preexec_fn=die_with_parent,
        )
    worker = _Worker(name, process, ours)
    with contextlib.suppress(OSError):
        # A worker finds the modules that this process would find.
        ours.send_bytes(json.dumps([str(entry) for entry in sys.path]).encode())
    return worker


def _give(worker: _Worker, task: _Task) -> None:
    worker.task, worker.began = task, time.perf_counter()
    unit = task.unit
    message = {"function": unit.function, "parameters": dict(unit.parameters),
               "builds": {folder.name: str(folder.absolute()) for folder in unit.builds}}
    # If it is dead already, its pipe says so when it is read.
    with contextlib.suppress(OSError):
        worker.pipe.send_bytes(json.dumps(message).encode())


def _end_of(worker: _Worker) -> str:
    """How a worker ended, whose pipe is closed."""
    worker.pipe.close()
    try:
        code = worker.process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        worker.process.kill()
        code = worker.process.wait()
    if code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _stop(workers: list[_Worker]) -> None:
    """Ends workers: idle ones see their pipe closed, busy ones get SIGTERM, late ones SIGKILL."""
    for worker in workers:
        worker.pipe.close()
        if worker.task is not None:
            worker.process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for worker in workers:
        try:
            worker.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            # With its children: they are in its session unless they made their own, and those
            # die with it (gavel_tb.process).
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.process.pid, signal.SIGKILL)
            worker.process.wait()
