# SPDX-License-Identifier: Apache-2.0
"""The one command that repeats a run with waves."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.loader import PRESETS, load_config


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


def repeat_command(config: SwitchConfig, job: Mapping[str, Any]) -> str | None:
    """The command for a traffic job; None for a kind that the command line does not repeat by
    itself."""
    if job["kind"] != "traffic":
        return None
    arguments = ["gavel", "compare", *config_arguments(config)]
    for name, value in job.get("parameters", {}).items():
        option = f"--{name.replace('_', '-')}"
        if value == "":
            continue
        if isinstance(value, bool):
            if value:
                arguments.append(option)
        else:
            arguments += [option, str(value)]
    return shlex.join([*arguments, "--waves"])
