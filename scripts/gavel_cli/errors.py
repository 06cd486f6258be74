# SPDX-License-Identifier: Apache-2.0
"""Exit codes, and the errors that carry them: one line each, for the user."""

from __future__ import annotations

import click

EXIT_OK = 0
"""Everything was done, and what was checked is right."""

EXIT_CHECK = 1
"""The work was done, and a check failed: a mismatch, a lost frame."""

EXIT_USAGE = 2
"""Input or usage is wrong: nothing was done, no file was written."""

EXIT_TOOL = 3
"""A tool is missing, or the simulator failed."""

EXIT_STOPPED = 130
"""Interrupted from the keyboard: 128 and the number of the signal, as shells count."""

EXIT_CLOSED_PIPE = 141
"""Whoever read standard output has closed it, as `head` does: 128 and the number of SIGPIPE."""

EXIT_CODES = """\b
Exit codes:
  0  done, and every check passed
  1  a check failed: a mismatch between model and RTL, a frame lost or wrong
  2  bad input or usage; nothing was written
  3  a tool is missing (see `gavel doctor`), or the simulator failed
  130  interrupted (Ctrl-C); 141: the reader of standard output left early"""


class CheckFailed(click.ClickException):
    """The run ended and a check failed (exit code 1)."""

    exit_code = EXIT_CHECK


def check_failed(verdict: str, report: str | None, *, as_json: bool) -> CheckFailed:
    """The error of a failed check, one line; ``report``, all that is known of the failure, goes
    to standard output unless it is in the JSON object there."""
    if report and not as_json:
        click.echo(report)
    return CheckFailed(verdict.partition("\n")[0])


class InputError(click.ClickException):
    """Bad input (exit code 2); the message names the thing and the fix."""

    exit_code = EXIT_USAGE


class ToolError(click.ClickException):
    """A missing tool or a simulator that failed (exit code 3)."""

    exit_code = EXIT_TOOL
