# SPDX-License-Identifier: Apache-2.0
"""The progress bar shows itself, on a terminal, when work is long."""

from __future__ import annotations

import io
import sys
import time

import click

from gavel_cli import run_progress
from gavel_cli.run_progress import ProgressBar


class Terminal(io.StringIO):
    """Standard error that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch):
    """Called in the test itself: pytest sets the streams anew after the fixtures."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(run_progress, "SHOW_AFTER_SECONDS", 0.05)
    monkeypatch.setattr(sys, "stderr", Terminal())
    return sys.stderr


def wait_for(terminal, text):
    end = time.monotonic() + 10
    while text not in terminal.getvalue():
        assert time.monotonic() < end, terminal.getvalue()
        time.sleep(0.02)


def test_it_shows_itself_while_nobody_calls(monkeypatch):
    terminal = on_terminal(monkeypatch)
    with ProgressBar("gavel run", "generating Verilog") as bar:
        wait_for(terminal, "generating Verilog")
        bar(None, "building")
        wait_for(terminal, "building")
        bar(0.25, "simulating, cycle 7")
        wait_for(terminal, "25%")


def test_short_work_shows_nothing(monkeypatch):
    terminal = on_terminal(monkeypatch)
    with ProgressBar("gavel run") as bar:
        bar(0.5, "half")
    time.sleep(0.1)
    assert terminal.getvalue() == ""


def test_without_a_terminal_it_shows_nothing(monkeypatch):
    monkeypatch.setattr(run_progress, "SHOW_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with ProgressBar("gavel run") as bar:
        time.sleep(0.05)
        bar(0.5, "half")
    assert sys.stderr.getvalue() == ""


def test_standard_output_is_not_touched(monkeypatch, capsys):
    terminal = on_terminal(monkeypatch)
    with ProgressBar("gavel run", "building"):
        wait_for(terminal, "building")
        click.echo("a result")
    assert capsys.readouterr().out == "a result\n"
