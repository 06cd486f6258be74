# SPDX-License-Identifier: Apache-2.0
"""Kinds of work that the simulation process can be given, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_tb.lockstep import LockstepResult, Watch
from gavel_tb.stimulus import CheckError, Observer, Stimulus

NO_LIMIT = 1 << 62


@dataclass
class Session:
    """A job ready to run.

    Attributes
    ----------
    stimulus, observers
        Go to `run_lockstep`.
    max_cycles
        Limit of the run.
    watch
        Sees the model before each step of it; None: nobody does.
    finish
        Called at the end with the result; gives the job's own figures, and raises `CheckError`
        when a final check fails.
    """

    stimulus: Stimulus
    observers: Sequence[Observer]
    max_cycles: int
    finish: Callable[[LockstepResult], dict[str, Any]]
    watch: Watch | None = None


def open_session(config: SwitchConfig, kind: str, parameters: Mapping[str, Any]) -> Session:
    """Makes the stimulus and the checks of a job.

    Parameters
    ----------
    kind
        ``traffic`` (parameters of `TrafficJob`), ``latency`` (`LatencyJob`), ``workload``
        (`WorkloadJob`), ``llr`` (`LlrTrafficJob`), ``goodput`` (`GoodputJob`), ``credits``
        (`CreditLoopJob`), ``behaviour`` (`BehaviourJob`) or ``bench`` (`BenchJob`).

    Raises
    ------
    ValueError
        For an unknown kind, or parameters that the kind refuses.
    """
    # Each kind is imported when it is asked for: a simulation process starts faster.
    if kind == "traffic":
        from gavel_tb.traffic import TrafficJob

        return TrafficJob(**parameters).session(config)
    if kind == "latency":
        from gavel_tb.latency import LatencyJob

        return LatencyJob(**parameters).session(config)
    if kind == "goodput":
        from gavel_tb.goodput import GoodputJob

        return GoodputJob(**parameters).session(config)
    if kind == "credits":
        from gavel_tb.credit_loop import CreditLoopJob

        return CreditLoopJob(**parameters).session(config)
    if kind == "behaviour":
        from gavel_tb.behaviour.job import BehaviourJob

        return BehaviourJob(**parameters).session(config)
    if kind == "bench":
        from gavel_tb.bench import BenchJob

        return BenchJob(**parameters).session(config)
    if kind == "workload":
        from gavel_tb.workload.job import WorkloadJob
        from gavel_tb.workload.measure import measure_run
        from gavel_tb.workload.on_link import LinkedPlayer

        job = WorkloadJob(**parameters)
        stimulus = job.stimulus(job.player(config))
        account = job.stall_account(config)
        return Session(
            stimulus, (stimulus,) if isinstance(stimulus, LinkedPlayer) else (), NO_LIMIT,
            lambda result: measure_run(stimulus, job.clock_mhz, result.counters, account),
            None if account is None else account.watch,
        )
    if kind == "llr":
        from gavel_tb.llr_traffic import LlrTrafficJob

        return LlrTrafficJob(**parameters).session(config)
    raise ValueError(f"job kind {kind!r}: must be traffic, latency, workload, llr, "
                     "goodput, credits, behaviour or bench")


def finish_session(
    session: Session, result: LockstepResult, *, seed: int | None, repeat: str | None
) -> dict[str, Any]:
    """Figures of a session that came to its end; a final check that fails goes into ``result``,
    with the seed and the command that repeats the run."""
    try:
        return dict(session.finish(result))
    except CheckError as error:
        text = f"End-to-end check failed at the end: {error}"
        for value, label in ((seed, "Seed"), (repeat, "Repeat with waves")):
            if value is not None:
                text += f"\n{label}: {value}"
        result.check = result.report = text
        return {}
