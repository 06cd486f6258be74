# SPDX-License-Identifier: Apache-2.0
"""A session on the golden model alone: no simulator, and nothing to compare with."""

from __future__ import annotations

import time

from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS
from gavel_model.switch import Switch
from gavel_tb.jobs import Session
from gavel_tb.lockstep import LockstepResult
from gavel_tb.stimulus import CheckError


def run_on_model(config: SwitchConfig, session: Session) -> LockstepResult:
    """Runs a session to its end, as `run_lockstep` does; an end-to-end check that fails ends it."""
    switch, stimulus = Switch(config), session.stimulus
    result = LockstepResult()
    began = time.perf_counter()
    cycle = 0
    try:
        while not stimulus.finished:
            if cycle >= session.max_cycles:
                result.timed_out = True
                result.report = f"not finished after {cycle} cycles"
                break
            tx = switch.tx
            inputs = stimulus.step(cycle, tx)
            for observer in session.observers:
                observer.observe(cycle, inputs, tx)
            if session.watch is not None:
                session.watch(switch)
            switch.step(inputs)
            cycle += 1
        result.counters = [[port.counters[n] for n in range(COUNTERS)] for port in switch.ports]
        if not result.timed_out:
            session.finish(result)
    except CheckError as error:
        result.check = result.report = f"End-to-end check failed in cycle {cycle}: {error}"
    result.cycles = cycle
    result.seconds = time.perf_counter() - began
    return result
