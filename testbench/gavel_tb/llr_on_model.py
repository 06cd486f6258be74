# SPDX-License-Identifier: Apache-2.0
"""Traffic between link partners through the golden model alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS
from gavel_model.switch import Switch
from gavel_tb.llr_traffic import LlrTraffic, LlrTrafficJob
from gavel_tb.lockstep import LockstepResult
from gavel_tb.stimulus import CheckError

MOST_CYCLES = 300_000


def traffic_on_model(
    config: SwitchConfig, job: LlrTrafficJob, *,
    prepare: Callable[[LlrTraffic], None] | None = None, most_cycles: int = MOST_CYCLES,
) -> dict[str, Any]:
    """Figures of a job on the golden model.

    Parameters
    ----------
    prepare
        Called with the stimulus before the first cycle.

    Raises
    ------
    ValueError
        As `LlrTrafficJob.check`.
    CheckError
        If something is lost or wrong, a rule is broken, or there is no end after ``most_cycles``.
    """
    session = job.session(config)
    switch, stimulus = Switch(config), session.stimulus
    assert isinstance(stimulus, LlrTraffic)
    if prepare is not None:
        prepare(stimulus)
    cycle = 0
    while not stimulus.finished:
        if cycle >= most_cycles:
            raise CheckError(f"no end after {cycle} cycles; {stimulus.around.state()}")
        tx = switch.tx
        inputs = stimulus.step(cycle, tx)
        stimulus.observe(cycle, inputs, tx)
        switch.step(inputs)
        cycle += 1
    result = LockstepResult(cycles=cycle)
    result.counters = [[port.counters[n] for n in range(COUNTERS)] for port in switch.ports]
    return session.finish(result)
