# SPDX-License-Identifier: Apache-2.0
"""The click group `gavel`: finds the verbs, and turns every user error into one line."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from gavel_cli.errors import (
    EXIT_CHECK,
    EXIT_CLOSED_PIPE,
    EXIT_CODES,
    EXIT_STOPPED,
    EXIT_TOOL,
    EXIT_USAGE,
)

VERBS = {
    "bench": "gavel_cli.bench:bench",
    "compare": "gavel_cli.compare:compare",
    "credits": "gavel_cli.credits:credits_command",
    "doctor": "gavel_cli.doctor_command:doctor",
    "fabric": "gavel_cli.fabric:fabric",
    "floor-plan": "gavel_cli.floor_plan:floor_plan",
    "formal": "gavel_cli.formal:formal",
    "fpga": "gavel_cli.fpga:fpga",
    "goodput": "gavel_cli.goodput:goodput",
    "info": "gavel_cli.info:info",
    "output-registers": "gavel_cli.output_registers:output_registers",
    "ppa": "gavel_cli.ppa:ppa",
    "registers": "gavel_cli.registers:registers",
    "regress": "gavel_cli.regress:regress",
    "run": "gavel_cli.run:run",
    "selftest": "gavel_cli.selftest:selftest",
    "soak": "gavel_cli.soak:soak",
    "sweep": "gavel_cli.sweep:sweep",
    "telemetry": "gavel_cli.telemetry:telemetry",
    "trace": "gavel_cli.trace:trace",
    "vectors": "gavel_cli.vectors:vectors",
    "verilog": "gavel_cli.verilog:verilog",
}
"""Where each verb lives; imported when it is used, so that `doctor` runs on a broken machine."""


EXIT_CODE_OF = {
    ("gavel_model.config", "ConfigError"): EXIT_USAGE,
    ("gavel_tb.workload.errors", "DeliveryError"): EXIT_CHECK,
    ("gavel_tb.workload.errors", "WorkloadError"): EXIT_USAGE,
    ("gavel_tb.errors", "SimulationError"): EXIT_TOOL,
    ("gavel_tb.farm.errors", "ClusterError"): EXIT_TOOL,
    ("gavel_tb.farm.errors", "FolderError"): EXIT_USAGE,
    ("gavel_tb.regress.errors", "PlanError"): EXIT_USAGE,
    ("gavel_tb.formal.errors", "SolverError"): EXIT_TOOL,
    ("gavel_tb.rdl.errors", "RegisterToolError"): EXIT_TOOL,
    ("gavel_tb.synthesis.errors", "SynthesisError"): EXIT_TOOL,
    ("gavel_tb.synthesis.errors", "NetlistError"): EXIT_USAGE,
}
"""Exit codes of the errors of the packages below, most special first; not imported for it."""


def message_of(error: Exception) -> str:
    """The one line that a user sees of an error."""
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "gavel"
        # click puts choices on lines of their own.
        return f"{' '.join(error.format_message().split())} (see `{where} --help`)"
    if isinstance(error, click.ClickException):
        text = error.format_message()
    elif isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    else:
        text = str(error)
    return text


def _fail(error: Exception) -> int:
    click.echo(f"gavel: error: {message_of(error)}", err=True)
    if isinstance(error, click.ClickException):
        return error.exit_code
    for (module, name), code in EXIT_CODE_OF.items():
        if module in sys.modules and isinstance(error, getattr(sys.modules[module], name)):
            return code
    return EXIT_USAGE


@contextmanager
def _orderly_end() -> Iterator[None]:
    """Comes before click, which prints an empty line at an interrupt, and answers a closed pipe
    by exit code 1: a failed check, here."""
    try:
        yield
    except KeyboardInterrupt:
        raise click.Abort from None
    except BrokenPipeError:
        # Python flushes standard output once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(EXIT_CLOSED_PIPE) from None


class Verbs(click.Group):
    """A group whose commands are imported on use, and whose user errors are single lines."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the verbs."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, or None if there is no such verb."""
        place = VERBS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """As click's, but errors become ``gavel: error: ...`` and an exit code."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, **extra)
        try:
            code = super().main(args, prog_name or "gavel", complete_var, False, **extra)
        except click.Abort:
            click.echo("gavel: stopped", err=True)
            sys.exit(EXIT_STOPPED)
        except (click.ClickException, OSError) as error:
            sys.exit(_fail(error))
        except (ValueError, RuntimeError) as error:
            if not isinstance(error, known_errors()):
                raise
            sys.exit(_fail(error))
        sys.exit(code if isinstance(code, int) else 0)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """As click's; a help text, too, may meet a closed pipe."""
        with _orderly_end():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's, but see `_orderly_end`."""
        with _orderly_end():
            return super().invoke(ctx)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's; `gavel` alone shows the help and is not an error."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with the known verbs in the refusal."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise click.UsageError(
                f"no verb {args[0]!r}: one of {', '.join(sorted(VERBS))}", ctx)
        return super().resolve_command(ctx, args)


def known_errors() -> tuple[type[Exception], ...]:
    """Errors that packages of this project raise for users; any other one is a bug: show it."""
    return tuple(getattr(sys.modules[module], name)
                 for module, name in EXIT_CODE_OF if module in sys.modules)


@click.group(cls=Verbs, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gavel", prog_name="gavel", message="%(prog)s %(version)s")
def cli() -> None:
    """Gavel: an open, cycle-accurate switch for AI scale-up networks."""


if __name__ == "__main__":
    cli()
