# SPDX-License-Identifier: Apache-2.0
"""Units over the workers of a Dask scheduler, on any number of machines.

Dask runs the units of a dead worker again on others, and gives up a unit after as many deaths as
its scheduler allows (``distributed.scheduler.allowed-failures``, 3 by default, so the fourth). It
blames all units that the worker held, and not only the one that ran. So units that it gives up
run once more at the end, each alone: then the one that is given up again has failed.
"""

from __future__ import annotations

import importlib
import logging
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gavel_tb.farm.errors import ClusterError
from gavel_tb.farm.shipping import pack
from gavel_tb.farm.sources import source_digest
from gavel_tb.farm.unit import Outcome, Unit
from gavel_tb.farm.work import one_line

CONNECT_SECONDS = 10.0
MOST_UNDER_WAY = 1024
"""Units that the scheduler holds at a time: enough for it to see how many workers would help."""


def run_on_cluster(
    units: Sequence[Unit], *, scheduler: str
) -> Generator[Outcome, None, None]:
    """Runs units, each with another key, on the workers of ``scheduler``; outcomes as they come.

    Closing the iterator cancels what has not begun.

    Raises
    ------
    ClusterError
        If Dask is not installed, the scheduler does not answer or goes away, or a worker has
        other sources than this machine.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
        from gavel_tb.farm.dask_plugin import Delivery, perform_here
    except ImportError:
        raise ClusterError(
            "Dask is not installed: pip install 'gavel[cluster]' for --scheduler"
        ) from None
    builds = {folder.name: folder for unit in units for folder in unit.builds}
    with _quiet(), _client(distributed, scheduler) as client:
        plugins = [Delivery(pack(folder)) for folder in builds.values()]
        for plugin in plugins:
            client.register_plugin(plugin)
        waiting = deque(units)
        suspects: deque[Unit] = deque()
        running: dict[Any, Unit] = {}
        stream = distributed.as_completed(loop=client.loop)
        try:
            while waiting or running or suspects:
                alone = not (waiting or running)
                queue, most = (suspects, 1) if alone else (waiting, MOST_UNDER_WAY)
                while queue and len(running) < most:
                    unit = queue.popleft()
                    future = client.submit(
                        perform_here, unit.function, dict(unit.parameters), source_digest(),
                        key=f"gavel-{unit.key}-{id(stream)}-{alone}", pure=False,
                    )
                    running[future] = unit
                    stream.add(future)
                future = next(stream)
                unit = running.pop(future)
                if _given_up(future) and not alone:
                    suspects.append(unit)
                else:
                    yield _outcome(unit, future, scheduler)
        finally:
            if client.status == "running":
                client.cancel(list(running), force=True)
                for plugin in plugins:
                    client.unregister_worker_plugin(plugin.name)


def _given_up(future: Any) -> bool:
    """Too many workers have died that held the unit."""
    return future.status == "error" and type(future.exception()).__name__ == "KilledWorker"


def _outcome(unit: Unit, future: Any, scheduler: str) -> Outcome:
    if future.status == "finished":
        answer = future.result()
        if "foreign" in answer:
            raise ClusterError(
                f"the worker {answer['foreign']} has other sources of gavel than this machine: "
                "install the same there"
            )
        return Outcome(unit, **answer)
    if future.status == "error":
        error = future.exception()
        if _given_up(future):
            last = getattr(error.last_worker, "address", "unknown")
            return Outcome(unit, worker=str(last),
                           error="as many workers died of it as the scheduler allows")
        return Outcome(unit, error=one_line(error))
    raise ClusterError(f"the scheduler {scheduler} was lost: start it and repeat the command, "
                       "what is finished stays finished")


def _client(distributed: Any, scheduler: str) -> Any:
    try:
        return distributed.Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {scheduler!r} within {CONNECT_SECONDS:.0f} s "
            f"({one_line(error)})"
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Dask's own messages: what they say is raised here."""
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
