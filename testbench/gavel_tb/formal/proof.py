# SPDX-License-Identifier: Apache-2.0
"""A property, how it is proved, and the faults that its claims must notice."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gavel_model.config import SwitchConfig
from gavel_tb.formal.design import Fault
from gavel_tb.formal.harness import Harness
from gavel_tb.formal.tools import ask, write_problem

Method = Literal["induction", "bounded"]
Outcome = Literal["proved", "fails", "no answer"]


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One property of one block.

    Attributes
    ----------
    name
        Short, for the command line.
    claim
        What is proved, in one sentence.
    harness
        Makes the harness of a configuration, with a fault or without.
    config
        Parameters of the block.
    method
        By induction: for every time. Bounded: for the first ``depth`` cycles.
    depth
        Cycles: of the induction, or of the bounded search.
    short_depth
        The same for continuous integration; 0 leaves the proof out there.
    faults
        Faults of the block, by name; each must make a claim fail ...
    fault_depth
        ... within so many cycles after reset.
    seconds
        Time that is given to each question to the solver.
    """

    name: str
    claim: str
    harness: Callable[[SwitchConfig, Fault | None], Harness]
    config: SwitchConfig
    method: Method
    depth: int
    short_depth: int
    faults: Mapping[str, Fault] = field(default_factory=dict)
    fault_depth: int = 20
    seconds: float = 1800.0


@dataclass(frozen=True)
class Result:
    """What came out.

    Attributes
    ----------
    outcome
        The property is proved, or fails, or there was no answer in the time.
    depth
        That was asked for.
    seconds
        Of all of it.
    failed
        The claim that fails, and where it stands; or "".
    """

    outcome: Outcome
    depth: int
    seconds: float
    failed: str


def run_proof(proof: Proof, *, short: bool = False, fault: str | None = None,
              folder: Path | None = None) -> Result:
    """Proves a property, or searches a fault of the block.

    Parameters
    ----------
    proof
        The property.
    short
        With the depth of continuous integration.
    fault
        Of the proof's faults the one that is planted; then the search is bounded.
    folder
        Where the problem and a counterexample stay; by default nowhere.

    Raises
    ------
    SolverError
        If a tool is missing or fails.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            return run_proof(proof, short=short, fault=fault, folder=Path(temporary))
    began = time.monotonic()
    depth = proof.fault_depth if fault else proof.short_depth if short else proof.depth
    harness = proof.harness(proof.config, proof.faults[fault] if fault else None)
    write_problem(harness, folder)
    has_reach = harness.reaches and not short
    # An induction of n cycles begins behind n cycles from the initial state.
    answer = ask(folder, "bmc", depth, proof.seconds)
    if answer.holds and proof.method == "induction" and not fault:
        answer = ask(folder, "step", depth, proof.seconds)
    if answer.holds and proof.method == "bounded" and not fault and has_reach:
        answer = ask(folder, "cover", depth, proof.seconds)
    outcome: Outcome = ("no answer" if answer.holds is None
                        else "proved" if answer.holds else "fails")
    return Result(outcome, depth, time.monotonic() - began, answer.failed)
