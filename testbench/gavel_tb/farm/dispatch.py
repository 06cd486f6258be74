# SPDX-License-Identifier: Apache-2.0
"""Runs units on processes of this machine or on a cluster, and keeps what comes of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path

from gavel_tb.farm.dask_pool import run_on_cluster
from gavel_tb.farm.journal import Journal
from gavel_tb.farm.local_pool import run_locally
from gavel_tb.farm.unit import Outcome, Unit
from gavel_tb.process import orderly_termination

ATTEMPTS = 3
"""Workers of this machine that may die of a unit before it has failed."""


def run(
    units: Sequence[Unit],
    *,
    folder: Path,
    workers: int | None = None,
    scheduler: str | None = None,
    on_result: Callable[[Outcome], None] | None = None,
    on_begin: Callable[[int], None] | None = None,
    stamp: str = "",
    attempts: int = ATTEMPTS,
) -> list[Outcome]:
    """Runs units, each key once, and gives an outcome for each, in the order of ``units``.

    Units with a result in ``folder`` do not run again; those that failed do. An exception of a
    unit is its outcome and stops nothing. Whatever ends this function (Ctrl-C, SIGTERM) leaves
    in ``folder`` what came until then, and the same call goes on from there.

    Parameters
    ----------
    folder
        Of the journal; made when it does not exist.
    workers
        Processes on this machine; None: the cores that this process may use. Without meaning for
        a cluster, which has as many as were started.
    scheduler
        Address of a Dask scheduler; None: this machine.
    on_result
        Called for each outcome that is not one of an earlier run, as it comes.
    on_begin
        Called with the number of units that are left, before the first of them runs.
    stamp
        What results depend on besides their units, for instance `sources.source_digest`: earlier
        results with another stamp do not count.
    attempts
        Deaths of workers after which a unit has failed, on this machine.

    Raises
    ------
    FolderError
        If the folder is in use, or holds something else.
    ClusterError
        If the cluster cannot be used, or was lost.
    ValueError
        If a parameter is no plain data, or ``workers`` is below 1.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers = {workers}: must be at least 1")
    distinct = {unit.key: unit for unit in units}
    outcomes: dict[str, Outcome] = {}
    with orderly_termination(), Journal(folder, stamp) as journal:
        for key, unit in distinct.items():
            earlier = journal.recall(unit)
            if earlier is not None:
                outcomes[key] = earlier
        left = [unit for key, unit in distinct.items() if key not in outcomes]
        if on_begin is not None:
            on_begin(len(left))
        if left:
            with closing(_place(left, workers, scheduler, attempts)) as stream:
                for outcome in stream:
                    journal.append(outcome)
                    outcomes[outcome.unit.key] = outcome
                    if on_result is not None:
                        on_result(outcome)
    return [outcomes[unit.key] for unit in units]


def _place(
    units: Sequence[Unit], workers: int | None, scheduler: str | None, attempts: int
) -> Generator[Outcome, None, None]:
    if scheduler is not None:
        return run_on_cluster(units, scheduler=scheduler)
    return run_locally(units, workers=workers or len(os.sched_getaffinity(0)), attempts=attempts)
