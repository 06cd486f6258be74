# SPDX-License-Identifier: Apache-2.0
"""Runs a test plan over seeds on the farm, and adds up what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gavel_model.config import SwitchConfig
from gavel_tb.build_cache import DEFAULT_CACHE
from gavel_tb.coverage.bins import holes, merge
from gavel_tb.errors import SimulationError
from gavel_tb.farm.dispatch import run
from gavel_tb.farm.local_pool import run_locally
from gavel_tb.farm.sources import source_digest
from gavel_tb.farm.unit import Outcome, Unit
from gavel_tb.regress.errors import PlanError
from gavel_tb.regress.plan import Item, Plan
from gavel_tb.regress.tests_of import Run
from gavel_tb.regress.work import WORK, parameters_of

ENGINES = ("lockstep", "model")
"""RTL and golden model in lockstep, or the golden model alone, which needs no simulator."""

BUILD_ATTEMPTS = 2

Progress = Callable[[float, str], None]
"""Called with the share of the work done, 0...1, and a short text."""

Told = Callable[["Finding"], None]
"""Called with each finding of a run that is not one of an earlier call, as it comes."""


@dataclass(frozen=True)
class Options:
    """How a plan is run.

    Attributes
    ----------
    first_seed, seeds
        Seeds are ``first_seed``, ``first_seed + 1``, ...
    engine
        One of `ENGINES`.
    code
        Names of switches that are built with code coverage.
    workers, scheduler
        As for `gavel_tb.farm.dispatch.run`.
    cache
        Build cache.
    plan
        File of the plan; None: the one of the test kit.
    """

    first_seed: int = 1
    seeds: int = 1
    engine: str = "lockstep"
    code: tuple[str, ...] = ()
    workers: int | None = None
    scheduler: str | None = None
    cache: Path = DEFAULT_CACHE
    plan: Path | None = None


@dataclass(frozen=True)
class Finding:
    """What came of a run with a seed."""

    run: Run
    seed: int
    outcome: Outcome

    @property
    def name(self) -> str:
        """Name that no other has."""
        return f"{self.run.item}/{self.run.label}/{self.seed}"

    @property
    def error(self) -> str | None:
        """What kept the run from having a result: one line."""
        return self.outcome.error

    @property
    def passed(self) -> bool:
        """The run has a result, and it is right."""
        return self.error is None and bool(self.outcome.result["passed"])

    @property
    def report(self) -> str:
        """All that is known of a failure."""
        if self.error is not None:
            return f"{self.error}\n{self.outcome.detail or ''}".strip()
        return str(self.outcome.result["report"] or "")

    @property
    def verdict(self) -> str:
        """One line: what failed."""
        if self.error is not None:
            return self.error
        failure = self.outcome.result["failure"]
        first = self.report.partition("\n")[0]
        return f"{failure}: {first}" if failure else "passed"

    @property
    def coverage(self) -> dict[str, int]:
        """Hits by bin."""
        return {} if self.error is not None else dict(self.outcome.result["coverage"])


@dataclass
class Campaign:
    """A plan that was run.

    Attributes
    ----------
    plan, options
        What was asked for.
    findings
        In the order of the plan and of the seeds.
    builds
        Cache entries of each switch that was built (`gavel_tb.regress.work.make_build`).
    """

    plan: Plan
    options: Options
    findings: list[Finding] = field(default_factory=list)
    builds: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, item: Item) -> list[Finding]:
        """Findings of an item."""
        return [finding for finding in self.findings if finding.run.item == item.name]

    def holes(self, item: Item) -> list[str]:
        """Bins that the item must hit and that none of its runs has hit."""
        return holes(merge(finding.coverage for finding in self.of(item)), item.cover)

    @property
    def coverage(self) -> dict[str, int]:
        """Hits by bin of all runs."""
        return merge(finding.coverage for finding in self.findings)

    @property
    def failed(self) -> list[Finding]:
        """Runs with a wrong result."""
        return [item for item in self.findings if item.error is None and not item.passed]

    @property
    def errors(self) -> list[Finding]:
        """Runs without a result."""
        return [item for item in self.findings if item.error is not None]


def run_plan(
    plan: Plan, options: Options, folder: Path, progress: Progress = lambda *_: None,
    told: Told = lambda _: None,
) -> Campaign:
    """Runs a plan; what is finished in ``folder`` by the same sources does not run again.

    Raises
    ------
    PlanError
        If a switch for code coverage is not in the plan.
    SimulationError
        If a build fails; nothing has run then.
    FolderError, ClusterError
        As `gavel_tb.farm.dispatch.run`.
    """
    campaign = Campaign(plan, options)
    runs = [run for item in plan.items for run in item.runs]
    switches = {run.switch: run.config for run in runs if run.kind != "block"}
    right = dict.fromkeys(run.switch for run in runs if run.kind != "block" and not run.fault)
    for name in options.code:
        if name not in right:
            raise PlanError(f"--code {name}: must be one of {', '.join(right)}")
    if options.engine == "lockstep":
        campaign.builds = _build(switches, runs, options, progress)
    findings = [(run, seed) for run in runs
                for seed in range(options.first_seed, options.first_seed + options.seeds)]
    units = [unit_of(run, seed, campaign) for run, seed in findings]
    by_key = dict(zip((unit.key for unit in units), findings, strict=True))
    done = left = failed = 0

    def begin(number: int) -> None:
        nonlocal left
        left = number

    def came(outcome: Outcome) -> None:
        nonlocal done, failed
        finding = Finding(*by_key[outcome.unit.key], outcome)
        done += 1
        failed += not finding.passed
        progress(done / left, f"{done:,} of {left:,} runs, {failed} failed")
        told(finding)

    outcomes = run(units, folder=folder, workers=options.workers, scheduler=options.scheduler,
                   on_begin=begin, on_result=came, stamp=source_digest())
    campaign.findings = [Finding(run, seed, outcome)
                         for (run, seed), outcome in zip(findings, outcomes, strict=True)]
    return campaign


def build_name(run: Run) -> str:
    """Name of the build of a run: that of its switch, and whether it has planted faults."""
    return f"{run.switch} with faults" if run.fault else run.switch


def unit_of(run: Run, seed: int, campaign: Campaign) -> Unit:
    """The unit of a run with a seed."""
    builds = None if run.kind == "block" else campaign.builds.get(build_name(run))
    code = run.switch in campaign.options.code and builds is not None
    paths = () if builds is None else tuple(Path(folder) for folder in builds.values())
    return Unit(f"{WORK}:run_test", parameters_of(run, seed, builds, code), builds=paths)


def _build(
    switches: dict[str, SwitchConfig], runs: Sequence[Run], options: Options, progress: Progress
) -> dict[str, dict[str, str]]:
    """All builds, on this machine, some at a time: where workers run, there may be no compiler."""
    wanted: dict[str, Unit] = {}
    for one in runs:
        if one.kind != "block":
            wanted[build_name(one)] = Unit(f"{WORK}:make_build", {
                "config": asdict(switches[one.switch]), "fault": bool(one.fault),
                "coverage": one.switch in options.code, "cache": str(options.cache.absolute()),
            })
    distinct = {unit.key: unit for unit in wanted.values()}
    built: dict[str, dict[str, str]] = {}
    stream = run_locally(list(distinct.values()), workers=options.workers or 2,
                         attempts=BUILD_ATTEMPTS)
    for outcome in stream:
        if outcome.error is not None:
            stream.close()
            raise SimulationError(outcome.error.removeprefix("SimulationError: "))
        built[outcome.unit.key] = outcome.result
        progress(0.0, f"{len(built)} of {len(distinct)} switches built")
    return {name: built[unit.key] for name, unit in wanted.items()}
