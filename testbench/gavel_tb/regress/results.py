# SPDX-License-Identifier: Apache-2.0
"""What a regression leaves besides its journal: results as JSON, and code coverage as lcov."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gavel_rtl.source_map import source_map
from gavel_tb.coverage.bins import BINS, LEFT_OUT, holes
from gavel_tb.coverage.code import RULES, PointTable, add, apply_rules
from gavel_tb.coverage.lcov import FileCoverage, lcov, python_coverage, verilog_coverage
from gavel_tb.errors import SimulationError
from gavel_tb.regress.campaign import Campaign, Finding
from gavel_tb.regress.replay import repeat_lines
from gavel_tb.regress.work import POINTS


@dataclass
class CodeCoverage:
    """Code coverage of a campaign.

    Attributes
    ----------
    points
        For each switch and kind of point the points hit, and all.
    left_out
        For each switch the points that each rule left out.
    python
        Coverage of each Amaranth source.
    files
        Texts by name: tracefiles, and the Verilog that they speak of.
    """

    points: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    left_out: dict[str, dict[str, int]] = field(default_factory=dict)
    python: dict[str, FileCoverage] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def code_coverage(campaign: Campaign) -> CodeCoverage:
    """Adds up the code coverage of all runs on switches that were built with it.

    Raises
    ------
    SimulationError
        If the Verilog cannot be written once more with its sources.
    """
    result = CodeCoverage()
    for switch in campaign.options.code:
        builds = campaign.builds[switch]
        table = PointTable.from_json((Path(builds["binary"]) / POINTS).read_text("utf-8"))
        total = [0] * len(table.points)
        config = None
        for finding in campaign.findings:
            if finding.run.switch == switch and not finding.run.fault:
                config = finding.run.config
                if finding.error is None and finding.outcome.result["code"]:
                    add(total, table.unpack(finding.outcome.result["code"]))
        assert config is not None
        verilog = (Path(builds["design"]) / "gavel_switch.v").read_text("utf-8")
        covered = apply_rules(table, total, verilog)
        result.points[switch] = covered.totals()
        result.left_out[switch] = dict(covered.left_out)
        try:
            places = source_map(config, verilog)
        except RuntimeError as error:
            raise SimulationError(f"no sources of the Verilog: {error}") from None
        python_coverage(covered.counts, places, result.python)
        name = f"gavel_switch-{switch}.v"
        result.files[name] = verilog
        result.files[f"verilog-{switch}.info"] = lcov(
            [(name, verilog_coverage(covered.counts))], switch)
    if result.python:
        result.files["python.info"] = lcov(sorted(result.python.items()), "regress")
    return result


def repeat_of(campaign: Campaign, finding: Finding) -> list[str]:
    """Commands that repeat a run of a campaign."""
    options = campaign.options
    return repeat_lines(finding.run, finding.seed, options.plan, options.engine)


def results(campaign: Campaign, code: CodeCoverage, shrunk: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that a program may want to know; the journal has the runs that passed in full.

    Parameters
    ----------
    shrunk
        What the first failure was shrunk to, by name of the finding.
    """
    covered = campaign.coverage
    missing = holes(covered, BINS)
    options = campaign.options
    return {
        "passed": not (campaign.failed or campaign.errors),
        "engine": options.engine,
        "seeds": [options.first_seed, options.first_seed + options.seeds - 1],
        "runs": len(campaign.findings), "failed": len(campaign.failed),
        "errors": len(campaign.errors),
        "resumed": sum(finding.outcome.resumed for finding in campaign.findings),
        "items": [{
            "name": item.name, "text": item.text, "spec": item.spec, "stage": item.stage,
            "runs": len(campaign.of(item)),
            "passed": sum(finding.passed for finding in campaign.of(item)),
            "bins": len(item.cover), "holes": campaign.holes(item),
        } for item in campaign.plan.items],
        "failures": [{
            "name": finding.name, "seed": finding.seed, "verdict": finding.verdict,
            "report": finding.report, "repeat": repeat_of(campaign, finding),
            "shrunk": shrunk.get(finding.name),
        } for finding in (*campaign.failed, *campaign.errors)],
        "coverage": {"bins": len(BINS), "hit": len(BINS) - len(missing), "counts": covered,
                     "holes": missing, "left_out": dict(LEFT_OUT)},
        "code": {
            "points": code.points, "left_out": code.left_out,
            "rules": {rule.name: rule.reason for rule in RULES},
            "python": {path: {"lines": file.line_totals, "branches": file.branch_totals}
                       for path, file in sorted(code.python.items())},
        },
    }
