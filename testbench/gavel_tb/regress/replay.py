# SPDX-License-Identifier: Apache-2.0
"""How a run of a regression is repeated by itself."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gavel_tb.errors import SimulationError
from gavel_tb.farm.builds import announce
from gavel_tb.faults import FAULTS
from gavel_tb.regress.tests_of import Run
from gavel_tb.regress.work import make_build, parameters_of, run_test
from gavel_tb.repeat import config_arguments, repeat_command


def plan_of(run: Run, why: str) -> str:
    """A plan, TOML, with this run and nothing else.

    Parameters
    ----------
    why
        A line for its reader.
    """
    lines = ["# SPDX-License-Identifier: Apache-2.0", f"# {' '.join(why.split())}", ""]
    test: dict[str, Any] = {"kind": run.kind}
    if run.kind == "behaviour":
        test |= {"scenarios": [run.parameters["name"]], "widths": [run.config.data_width]}
    else:
        lines += ["[switches]", f"one = {_table(_switch(run))}", ""]
        parameters = dict(run.parameters)
        test |= {"switches": ["one"]}
        if run.kind == "block":
            test["blocks"] = [parameters.pop("block")]
        test["parameters"] = parameters
    if run.fault:
        test["fault"] = FAULTS[run.fault - 1].name
    lines += ["[[item]]", f"name = {_value(run.item)}", f"text = {_value(f'{run.label}, alone')}",
              'spec = "that of the item"', 'stage = "V1"', "[[item.test]]"]
    lines += [f"{key} = {_value(value)}" for key, value in test.items()]
    return "\n".join(lines) + "\n"


def _switch(run: Run) -> dict[str, Any]:
    _, base, *overrides = config_arguments(run.config)
    fields: dict[str, Any] = {"base": base}
    for name in (text.partition("=")[0] for text in overrides if text != "-P"):
        fields[name] = getattr(run.config, name)
    return fields


def _value(value: object) -> str:
    """A value in TOML."""
    if isinstance(value, Mapping):
        return _table(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    # Texts, numbers and truth values of JSON are those of TOML.
    return json.dumps(value, ensure_ascii=False)


def _table(values: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{key} = {_value(value)}" for key, value in values.items()) + " }"


def repeat_lines(
    run: Run, seed: int, plan: Path | None = None, engine: str = "lockstep"
) -> list[str]:
    """Commands that repeat a run: by itself with waves where there is one, and by the plan.

    Parameters
    ----------
    plan
        File of the plan, if it is not the one of the test kit.
    engine
        ``lockstep`` or ``model``.
    """
    lines: list[str] = []
    job = {"kind": run.kind, "parameters": run.job_parameters(seed)}
    alone = repeat_command(run.config, job)
    if alone is not None and not run.fault:
        lines.append(alone)
    command = ["gavel", "regress"]
    if plan is not None:
        command += ["--plan", str(plan)]
    command += ["--item", run.item, "--run", run.label, "--first-seed", str(seed), "--no-shrink",
                "-o", "build/repeat"]
    if engine != "lockstep":
        command += ["--engine", engine]
    return [*lines, shlex.join(command)]


def runner_for(failure: str, seed: int, engine: str, cache: Path) -> Callable[[Run], int | None]:
    """What `gavel_tb.regress.shrink.shrink` makes runs with, in this process.

    Parameters
    ----------
    failure
        Kind of the failure that counts.
    engine
        ``lockstep`` or ``model``.
    """

    def fails(run: Run) -> int | None:
        builds = None
        try:
            if engine == "lockstep":
                builds = make_build(asdict(run.config), bool(run.fault), False, str(cache))
                announce({Path(folder).name: folder for folder in builds.values()})
            result = run_test(**parameters_of(run, seed, builds, False))
        except SimulationError:
            # A smaller switch that cannot be built is no smaller failure.
            return None
        return result["cycles"] if result["failure"] == failure else None

    return fails
