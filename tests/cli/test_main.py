# SPDX-License-Identifier: Apache-2.0
"""Conventions of every verb: help, version, one-line errors, exit codes."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest

from gavel_cli import main as main_module
from gavel_cli.errors import EXIT_CLOSED_PIPE, CheckFailed, InputError, ToolError
from gavel_cli.main import VERBS, Verbs, message_of
from gavel_model.config import ConfigError


def test_help_lists_the_verbs_and_the_exit_codes(gavel):
    result = gavel("--help")
    assert result.exit_code == 0
    for verb in VERBS:
        assert f"  {verb} " in result.stdout
    assert "Exit codes:" in result.stdout


def test_alone_it_shows_the_help(gavel):
    result = gavel()
    assert result.exit_code == 0
    assert "Usage: gavel" in result.stdout


def test_version(gavel):
    result = gavel("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("gavel 0.")


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help_with_the_exit_codes(gavel, verb):
    result = gavel(verb, "--help")
    assert result.exit_code == 0, result.output
    assert f"Usage: gavel {verb}" in result.stdout
    assert "Exit codes:" in result.stdout


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_refuses_an_unknown_option_in_one_line(gavel, verb):
    result = gavel(verb, "--no-such-option")
    assert result.exit_code == 2
    assert result.stderr.startswith("gavel: error: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_unknown_verb(gavel):
    result = gavel("simulate")
    assert result.exit_code == 2
    assert result.stderr.startswith("gavel: error: no verb 'simulate': one of bench, ")


class _Raising(Verbs):
    """A group whose only command raises what it is told."""

    error: BaseException

    def get_command(self, ctx, cmd_name):
        def run():
            raise self.error

        return click.Command("fail", callback=run)


@pytest.mark.parametrize(("error", "code", "line"), [
    (CheckFailed("3 mismatches"), 1, "gavel: error: 3 mismatches\n"),
    (InputError("x.et: empty"), 2, "gavel: error: x.et: empty\n"),
    (ToolError("no g++"), 3, "gavel: error: no g++\n"),
    (ConfigError("ports", 1, "in 2...64"), 2, "gavel: error: ports = 1: must be in 2...64\n"),
    (PermissionError(13, "Permission denied", "/x"), 2, "gavel: error: /x: Permission denied\n"),
    (click.UsageError("no"), 2, "gavel: error: no (see `gavel fail --help`)\n"),
    (click.Abort(), 130, "gavel: stopped\n"),
    (KeyboardInterrupt(), 130, "gavel: stopped\n"),
])
def test_errors_are_one_line_and_an_exit_code(capsys, monkeypatch, error, code, line):
    monkeypatch.setitem(VERBS, "fail", "")
    group = _Raising("gavel")
    group.error = error
    with pytest.raises(SystemExit) as stop:
        group.main(["fail"], prog_name="gavel")
    assert stop.value.code == code
    assert capsys.readouterr().err == line


def test_a_bug_is_not_hidden(monkeypatch):
    monkeypatch.setitem(VERBS, "fail", "")
    group = _Raising("gavel")
    group.error = ValueError("a bug")
    with pytest.raises(ValueError, match="a bug"):
        group.main(["fail"], prog_name="gavel")


@pytest.mark.parametrize(("module", "name", "code"), [
    ("gavel_tb.workload.errors", "WorkloadError", 2),
    ("gavel_tb.workload.errors", "DeliveryError", 1),
    ("gavel_tb.errors", "SimulationError", 3),
])
def test_errors_of_the_packages_below_have_their_exit_codes(monkeypatch, module, name, code):
    monkeypatch.setitem(VERBS, "fail", "")
    group = _Raising("gavel")
    group.error = getattr(importlib.import_module(module), name)("what is wrong")
    with pytest.raises(SystemExit) as stop:
        group.main(["fail"], prog_name="gavel")
    assert stop.value.code == code


def test_workload_errors_are_user_errors():
    errors = importlib.import_module("gavel_tb.workload.errors")
    assert errors.WorkloadError in main_module.known_errors()
    assert message_of(errors.TraceError("a.0.et", "ends early", 7)) == "a.0.et, byte 7: ends early"


def test_an_early_closed_pipe_is_quiet():
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -m gavel_cli.main info -c scale "
                       "--registers | head -1"],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == EXIT_CLOSED_PIPE
    assert done.stdout == "Configuration scale\n"
    assert done.stderr == ""
