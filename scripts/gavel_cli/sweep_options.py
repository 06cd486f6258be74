# SPDX-License-Identifier: Apache-2.0
"""Options of `gavel sweep` that say what is measured, and the plan that they make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gavel_cli.errors import InputError
from gavel_cli.options import Command
from gavel_model.loader import PRESETS
from gavel_tb.sweep.engines import ENGINES
from gavel_tb.sweep.options import ARRIVALS, PATTERNS, SIZES
from gavel_tb.sweep.plan import AXES, SweepPlan, load_plan, values_of
from gavel_tb.sweep.studies import STUDIES, Scale, Study

_HELP = {
    "load": "Share of the line rate that each input offers.",
    "pattern": f"Where frames go: {', '.join(PATTERNS)}; with link partners uniform, permutation, "
               "incast, converge or bursty.",
    "arrivals": f"{' or '.join(ARRIVALS)}.",
    "burst": "Mean frames of a burst, for bursty.",
    "hot": "Share of the frames that hotspot sends to one output.",
    "size": f"Bytes of a frame with FCS, or {', '.join(SIZES)}; with link partners min, max, mixed "
            "or a number.",
    "word_errors": "Probability that a link hits a word.",
    "bit_errors": "Bit error rate of the links.",
    "delay": "Cycles of each link, each way.",
    "credits": "on, off: links have credits.",
}
_AS_STUDY = ("seeds", "seed", "cycles", "engine")
"""Options that a study takes, too."""


def plan_options(command: Command) -> Command:
    """Adds the options; the verb gets them by the names of `SweepPlan` and of `AXES`, each None or
    empty if it is not given."""
    options = [
        click.option("-c", "--config", "config", metavar="NAME|FILE",
                     help=f"A preset ({', '.join(PRESETS)}) or a TOML file.  [default: pod]"),
        click.option("-P", "fields", multiple=True, metavar="NAME=V1,V2...",
                     help="Values of one field of the configuration; may be repeated."),
        *(click.option(f"--{name.replace('_', '-')}", name, metavar="V1,V2...", help=_HELP[name])
          for name in AXES),
        click.option("--seeds", type=click.IntRange(min=1),
                     help="Seeds of each point.  [default: 1]"),
        click.option("--seed", type=int, help="The first seed.  [default: 1]"),
        click.option("--cycles", type=click.IntRange(min=1),
                     help="Measured cycles of each point.  [default: 10000]"),
        click.option("--warmup", type=click.IntRange(min=0),
                     help="Cycles before them.  [default: a quarter of them]"),
        click.option("--engine", type=click.Choice(ENGINES),
                     help="Golden model compiled, or in plain Python; Verilated RTL; or model and "
                     "RTL compared at every pin. With link partners model.  [default: fast]"),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def plan_of(file: Path | None, options: Mapping[str, Any]) -> SweepPlan:
    """The plan of a file, changed by what options say.

    Raises
    ------
    ValueError
        If the file or an option cannot be understood; `ConfigError` of the file.
    """
    plan = load_plan(file) if file is not None else {}
    for name in ("config", *_AS_STUDY, "warmup"):
        if options[name] is not None:
            plan[name] = options[name]
    plan["fields"] = dict(plan.get("fields", {}))
    for text in options["fields"]:
        name, equals, values = text.partition("=")
        if not equals:
            raise InputError(f"-P {text}: must be NAME=V1,V2...")
        plan["fields"][name.strip()] = [value.strip() for value in values.split(",")]
    plan["axes"] = dict(plan.get("axes", {}))
    for name in AXES:
        if options[name] is not None:
            plan["axes"][name] = values_of(name, options[name])
    return SweepPlan(**plan)


def study_of(name: str, file: Path | None, options: Mapping[str, Any]) -> tuple[Study, Scale]:
    """A study, and the scale that options say.

    Raises
    ------
    InputError
        If an option is given that a study decides itself.
    """
    given = [option for option, value in options.items()
             if value not in (None, ()) and option not in _AS_STUDY]
    if file is not None or given:
        what = str(file) if file is not None else f"--{given[0].replace('_', '-')}"
        raise InputError(f"{what}: not with --study, which decides it itself")
    return STUDIES[name], Scale(
        seeds=options["seeds"] or 1, seed=1 if options["seed"] is None else options["seed"],
        cycles=options["cycles"] or 0, engine=options["engine"] or "fast")
