# SPDX-License-Identifier: Apache-2.0
"""The one command that repeats a run with waves."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.loader import PRESETS, load_config
from gavel_tb.llr_traffic import LlrTrafficJob


def config_arguments(config: SwitchConfig) -> list[str]:
    """Command-line arguments that give a configuration: the closest preset and what differs."""
    wanted = asdict(config)
    best: list[str] = []
    for index, preset in enumerate(PRESETS):
        base = asdict(load_config(preset))
        arguments = ["--config", preset]
        for name, value in wanted.items():
            if base[name] != value:
                arguments += ["-P", f"{name}={value}"]
        if index == 0 or len(arguments) < len(best):
            best = arguments
    return best


_LINK_NAMES = {"bit_errors": "ber", "delay": "link-delay", "slow_ports": "slow"}
"""Options of `gavel compare` that have another name than the parameter of `LlrTrafficJob`."""

_LINK_OPTIONS = ("seed", "cycles", "pattern", "load", "size", "profile", "stalls", "bit_errors",
                 "delay", "credits", "pfc", "slow_ports", "slow_rate")
"""Parameters of `LlrTrafficJob` that are options of `gavel compare`."""


def repeat_command(
    config: SwitchConfig, job: Mapping[str, Any], *, at: int | None = None
) -> str | None:
    """The command for a job of `gavel compare`; None for what the command line does not repeat by
    itself.

    Parameters
    ----------
    at
        Cycle around which there are waves; None: waves of the whole run.
    """
    given = dict(job.get("parameters", {}))
    if job["kind"] == "llr":
        plain = LlrTrafficJob().parameters()
        if any(plain[name] != value for name, value in given.items()
               if name not in _LINK_OPTIONS):
            return None
        # What says that there are links.
        given = {"bit_errors": plain["bit_errors"],
                 **{name: value for name, value in given.items() if name in _LINK_OPTIONS}}
    elif job["kind"] != "traffic":
        return None
    arguments = ["gavel", "compare", *config_arguments(config)]
    for name, value in given.items():
        option = f"--{(_LINK_NAMES.get(name) or name).replace('_', '-')}"
        if value == "":
            continue
        if isinstance(value, bool):
            if value:
                arguments.append(option)
        else:
            arguments += [option, str(value)]
    return shlex.join([*arguments, *(["--waves"] if at is None else ["--at", str(at)])])
