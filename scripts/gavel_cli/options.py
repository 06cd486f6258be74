# SPDX-License-Identifier: Apache-2.0
"""Options that several verbs share, and how they become a configuration."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

from gavel_model.config import SwitchConfig
from gavel_model.loader import PRESETS, load_config

Command = TypeVar("Command", bound=Callable[..., Any])


def config_options(default: str) -> Callable[[Command], Command]:
    """Adds ``--config NAME|FILE`` and ``-P name=value``; the verb gets ``config``, a name or
    path, and ``overrides``, a tuple of strings, for `make_config`."""

    def add(command: Command) -> Command:
        command = click.option(
            "-P", "overrides", multiple=True, metavar="NAME=VALUE",
            help="Change one field of the configuration; may be repeated.",
        )(command)
        return click.option(
            "-c", "--config", "config", default=default, show_default=True, metavar="NAME|FILE",
            help=f"A preset ({', '.join(PRESETS)}) or a TOML file.",
        )(command)

    return add


def json_option(command: Command) -> Command:
    """Adds ``--json``; the verb gets ``as_json``."""
    return click.option("--json", "as_json", is_flag=True,
                        help="Print one JSON object, for programs.")(command)


def make_config(config: str, overrides: tuple[str, ...]) -> SwitchConfig:
    """The configuration that the options name; raises ConfigError."""
    return load_config(config, overrides)


def print_json(value: object) -> None:
    """Prints a JSON object on standard output, and nothing else may."""
    click.echo(json.dumps(value, indent=2))


def print_pairs(pairs: list[tuple[str, object, str]]) -> None:
    """Prints aligned lines of name, value and unit."""
    names = max(len(name) for name, _, _ in pairs)
    values = max(len(str(value)) for _, value, _ in pairs)
    for name, value, unit in pairs:
        click.echo(f"{name:{names}}  {value!s:>{values}} {unit}".rstrip())
