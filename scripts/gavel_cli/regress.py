# SPDX-License-Identifier: Apache-2.0
"""`gavel regress`: a test plan over many seeds, with coverage, on any number of workers."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gavel_cli.errors import EXIT_CODES, CheckFailed, InputError, ToolError
from gavel_cli.options import json_option, print_json
from gavel_cli.regress_page import render_regress
from gavel_cli.run_progress import ProgressBar
from gavel_tb.build_cache import DEFAULT_CACHE
from gavel_tb.coverage.bins import BINS, holes
from gavel_tb.files import check_writable, write_together
from gavel_tb.regress.campaign import ENGINES, Campaign, Finding, Options, run_plan
from gavel_tb.regress.junit import junit
from gavel_tb.regress.plan import STAGES, load_plan
from gavel_tb.regress.replay import plan_of, repeat_lines, runner_for
from gavel_tb.regress.results import CodeCoverage, code_coverage, repeat_of, results
from gavel_tb.regress.shrink import MOST_RUNS, PLAIN, shrink

PAGE, RESULTS, JUNIT = "regress.html", "regress.json", "junit.xml"
SHRUNK = "shrunk.toml"
"""Plan with the first failure, shrunk."""

SHOWN = 10
"""Failures, and holes, that are printed; the page has all."""


@click.command(epilog=EXIT_CODES)
@click.option("--plan", "plan_file", type=click.Path(path_type=Path, dir_okay=False),
              metavar="FILE", help="Test plan.  [default: the one of the test kit]")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False),
              default=Path("build/regress"), show_default=True,
              help="Folder of the results. What is finished there does not run again.")
@click.option("--item", "items", multiple=True, metavar="NAME",
              help="Only this item; may be repeated.")
@click.option("--run", "labels", multiple=True, metavar="LABEL",
              help="Only runs with this label; may be repeated.")
@click.option("--stage", type=click.Choice(STAGES), help="Only items up to this stage.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True,
              help="Seeds of each run.")
@click.option("--first-seed", type=int, default=1, show_default=True, help="The first of them.")
@click.option("--engine", type=click.Choice(ENGINES), default=ENGINES[0], show_default=True,
              help="RTL and model in lockstep, or the golden model alone, without a simulator.")
@click.option("--workers", type=click.IntRange(min=1),
              help="Processes on this machine.  [default: the cores]")
@click.option("--scheduler", metavar="ADDRESS",
              help="Address of a Dask scheduler, whose workers are used instead.")
@click.option("--code", multiple=True, metavar="SWITCH",
              help="Build this switch with code coverage; may be repeated. Slow to build.")
@click.option("--strict-coverage", is_flag=True,
              help="A bin that an item must hit and does not is a failure, too.")
@click.option("--shrink/--no-shrink", "shrinks", default=True, show_default=True,
              help="Make the first failure of random traffic as small as it can be.")
@click.option("--shrink-runs", type=click.IntRange(min=1), default=MOST_RUNS, show_default=True,
              help="Runs that this may take.")
@click.option("--list", "listing", is_flag=True, help="List the items and run nothing.")
@json_option
def regress(
    *,
    plan_file: Path | None,
    output: Path,
    items: tuple[str, ...],
    labels: tuple[str, ...],
    stage: str | None,
    seeds: int,
    first_seed: int,
    engine: str,
    workers: int | None,
    scheduler: str | None,
    code: tuple[str, ...],
    strict_coverage: bool,
    shrinks: bool,
    shrink_runs: int,
    listing: bool,
    as_json: bool,
) -> None:
    """Run a test plan over seeds, and report what was verified, what was met, and what failed.

    The folder gets one page (regress.html), results for programs (regress.json, junit.xml, lcov
    files), and the journal of all runs, from which an interrupted regression goes on. The first
    failure is shrunk to the shortest and plainest run that still fails, with the command that
    repeats it.
    """
    plan = load_plan(plan_file).select(items, stage)
    if labels:
        plan = plan.with_runs(labels)
    if listing:
        for item in plan.items:
            click.echo(f"{item.stage}  {item.name:20} {len(item.runs):3} runs  {item.text}")
        return
    if code and engine != "lockstep":
        raise InputError("--code: the golden model has no RTL to cover; use --engine lockstep")
    check_writable(output, RESULTS)
    options = Options(first_seed=first_seed, seeds=seeds, engine=engine,
                      code=tuple(dict.fromkeys(code)), workers=workers, scheduler=scheduler,
                      cache=DEFAULT_CACHE, plan=plan_file)
    with ProgressBar("gavel regress", "building") as bar:
        campaign = run_plan(plan, options, output, bar,
                            lambda finding: _tell(finding, as_json=as_json))
        bar(1.0, "adding up coverage")
        covered = code_coverage(campaign)
    shrunk: dict[str, Any] = {}
    files: dict[str, str] = {}
    small = [finding for finding in campaign.failed if finding.run.kind in PLAIN]
    if shrinks and small:
        finding = small[0]
        with ProgressBar("gavel regress", "shrinking the first failure"):
            found, text = _shrink(finding, options, output, shrink_runs)
        shrunk[finding.name] = found
        files[SHRUNK] = text
    data = results(campaign, covered, shrunk)
    command = "gavel " + shlex.join(sys.argv[1:])
    write_together(output, {
        **covered.files, **files, RESULTS: json.dumps(data, indent=1) + "\n",
        JUNIT: junit(campaign), PAGE: render_regress(campaign, covered, shrunk, command),
    })
    if as_json:
        print_json(data)
    else:
        _summary(campaign, covered, shrunk, output)
    _judge(campaign, strict_coverage)


def _tell(finding: Finding, *, as_json: bool) -> None:
    """A failure is known when it comes, and not only hours later."""
    if not (finding.passed or as_json):
        click.echo(f"failed: {finding.name}")


def _shrink(
    finding: Finding, options: Options, output: Path, most_runs: int
) -> tuple[dict[str, Any], str]:
    result = finding.outcome.result
    run = finding.run
    made = shrink(run, finding.seed,
                  runner_for(result["failure"], finding.seed, options.engine, options.cache),
                  result["cycles"], most_runs)
    small = replace(made.run, label=run.label)
    why = f"{finding.name}, shrunk in {made.tried} runs"
    # In this plan the run has the label that the reader of a plan gives it.
    label = run.label if run.kind in ("behaviour", "block") else f"{run.kind} one"
    repeat = repeat_lines(replace(small, label=label), finding.seed, output / SHRUNK,
                          options.engine)
    return {"cycles": made.cycles, "runs": made.tried, "complete": made.complete,
            "parameters": dict(small.parameters), "ports": small.config.ports,
            "repeat": repeat}, plan_of(small, why)


def _summary(
    campaign: Campaign, covered: CodeCoverage, shrunk: dict[str, Any], output: Path
) -> None:
    bad = [*campaign.failed, *campaign.errors]
    for finding in bad[:SHOWN]:
        click.echo(f"FAILED {finding.name}: {finding.verdict}")
        for line in repeat_of(campaign, finding):
            click.echo(f"  {line}")
        found = shrunk.get(finding.name)
        if found is not None:
            rest = "" if found["complete"] else ", more would be possible"
            click.echo(f"  shrunk to {found['cycles']:,} cycles in {found['runs']} runs{rest}:")
            for line in found["repeat"]:
                click.echo(f"  {line}")
    if len(bad) > SHOWN:
        click.echo(f"and {len(bad) - SHOWN} more")
    for item in campaign.plan.items:
        findings, missing = campaign.of(item), campaign.holes(item)
        passed = sum(finding.passed for finding in findings)
        text = f"{item.stage}  {item.name:20} {passed:4} of {len(findings):4} passed"
        if item.cover:
            text += f"  {len(item.cover) - len(missing):4} of {len(item.cover):4} bins"
        if missing:
            text += "  holes: " + ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        click.echo(text)
    for switch, points in covered.points.items():
        click.echo(f"code of {switch}: " + ", ".join(
            f"{kind} {hit:,} of {all_:,}" for kind, (hit, all_) in points.items()))
    resumed = sum(finding.outcome.resumed for finding in campaign.findings)
    hit = len(BINS) - len(holes(campaign.coverage, BINS))
    click.echo(f"{len(campaign.findings):,} runs ({resumed:,} of them earlier), "
               f"{len(campaign.failed)} failed, {len(campaign.errors)} without a result, "
               f"{hit} of {len(BINS)} bins")
    click.echo(f"Report: {output / PAGE}")


def _judge(campaign: Campaign, strict_coverage: bool) -> None:
    if campaign.failed:
        first = campaign.failed[0]
        raise CheckFailed(f"{len(campaign.failed)} of {len(campaign.findings)} runs failed, the "
                          f"first {first.name}: {first.verdict}")
    if campaign.errors:
        first = campaign.errors[0]
        raise ToolError(f"{len(campaign.errors)} runs have no result, the first {first.name}: "
                        f"{first.verdict}")
    if strict_coverage:
        missing = [name for item in campaign.plan.items for name in campaign.holes(item)]
        if missing:
            raise CheckFailed(f"{len(missing)} bins that must be hit were not, the first "
                              f"{missing[0]}")
