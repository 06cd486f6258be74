# SPDX-License-Identifier: Apache-2.0
"""`gavel doctor`: what this machine lacks, and the command that repairs it."""

from __future__ import annotations

import sys

import click

from gavel_cli import doctor as checks
from gavel_cli.errors import EXIT_CODES


@click.command(epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
@click.option("--bootstrap", is_flag=True,
              help="Only what is needed before the environment is made.")
def doctor(as_json: bool, bootstrap: bool) -> None:
    """Check this machine: tools, versions, and the known pitfalls of both.

    Each line is ok, warn (something works less well) or fail (exit code 3), with the one command
    that repairs it.
    """
    arguments = ["--json"] if as_json else []
    if bootstrap:
        arguments.append("--bootstrap")
    sys.exit(checks.main(arguments))
