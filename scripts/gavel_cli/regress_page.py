# SPDX-License-Identifier: Apache-2.0
"""The page of a regression: failures first, the plan with its results, coverage, slowest runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from gavel_cli.report_style import STYLE
from gavel_tb.coverage.bins import BINS, LEFT_OUT, holes
from gavel_tb.coverage.code import RULES
from gavel_tb.regress.campaign import Campaign, Finding
from gavel_tb.regress.plan import Item
from gavel_tb.regress.results import CodeCoverage, repeat_of

SLOWEST = 15
MOST_FAILURES = 50
"""Failures that are shown in full; regress.json and junit.xml have all."""

_OWN_STYLE = """
td.text{text-align:left}th.text{text-align:left}td:not(.text){white-space:nowrap}
summary{cursor:pointer;color:var(--soft);white-space:normal}
td .bad{color:var(--bad)}td .good{color:var(--good)}
.names{font-size:12.5px;color:var(--soft);white-space:normal}
main>section{margin-bottom:18px}
"""


def render_regress(
    campaign: Campaign, code: CodeCoverage, shrunk: Mapping[str, Any], command: str
) -> str:
    """The page, as HTML that needs nothing else.

    Parameters
    ----------
    shrunk
        What failures were shrunk to, by name of the finding.
    command
        The command line.
    """
    options = campaign.options
    seeds = (f"seed {options.first_seed}" if options.seeds == 1 else
             f"seeds {options.first_seed}...{options.first_seed + options.seeds - 1}")
    engine = ("RTL and golden model in lockstep" if options.engine == "lockstep"
              else "the golden model alone")
    lead = f"{len(campaign.plan.items)} items of the test plan, {seeds}, {engine}."
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gavel: regression</title><style>{STYLE}{_OWN_STYLE}</style></head>
<body><header><p class="kicker">Gavel regression</p><h1>{_verdict(campaign)}</h1>
<p class="lead">{escape(lead)}</p></header>
<main>{_cards(campaign, code)}{_failures(campaign, shrunk)}{_items(campaign)}{_bins(campaign)}
{_code(code)}{_slowest(campaign)}
<section><h2>Command</h2><pre>{escape(command)}</pre></section></main></body></html>
"""


def _verdict(campaign: Campaign) -> str:
    bad = len(campaign.failed) + len(campaign.errors)
    return f"{bad:,} of {len(campaign.findings):,} runs failed" if bad else "All runs passed"


def _cards(campaign: Campaign, code: CodeCoverage) -> str:
    missing = len(holes(campaign.coverage, BINS))
    bad = len(campaign.failed) + len(campaign.errors)
    cycles = sum(item.outcome.result["cycles"] for item in campaign.findings
                 if item.error is None)
    wanted = {name for item in campaign.plan.items for name in item.cover}
    unmet = {name for item in campaign.plan.items for name in campaign.holes(item)}
    cards = [
        ("Runs", f"{len(campaign.findings):,}", f"{cycles:,} cycles", ""),
        ("Failed", f"{bad:,}", f"{len(campaign.errors)} of them without a result",
         "bad" if bad else "good"),
        ("Bins of the plan", _share(len(wanted) - len(unmet), len(wanted)),
         f"{len(unmet)} holes", ""),
        ("All bins", _share(len(BINS) - missing, len(BINS)), f"{missing} holes", ""),
    ]
    if code.python:
        lines = [file.line_totals for file in code.python.values()]
        cards.append(("Amaranth lines", _share(sum(hit for hit, _ in lines),
                                               sum(found for _, found in lines)),
                      "that became statements", ""))
    return '<dl class="cards">' + "".join(
        f'<div class="card {kind}"><dt>{escape(name)}</dt><dd>{escape(value)}</dd>'
        f"<p>{escape(text)}</p></div>" for name, value, text, kind in cards) + "</dl>"


def _share(hit: int, total: int) -> str:
    return f"{hit:,} / {total:,}"


def _failures(campaign: Campaign, shrunk: Mapping[str, Any]) -> str:
    bad = [*campaign.failed, *campaign.errors]
    if not bad:
        return ""
    parts = [_failure(campaign, finding, shrunk.get(finding.name))
             for finding in bad[:MOST_FAILURES]]
    if len(bad) > MOST_FAILURES:
        parts.append(f"<p>and {len(bad) - MOST_FAILURES:,} more in regress.json</p>")
    return "".join(parts)


def _failure(campaign: Campaign, finding: Finding, shrunk: Mapping[str, Any] | None) -> str:
    text = (f'<div class="failure"><h2>{escape(finding.name)}</h2>'
            f"<p>{escape(finding.verdict)}</p>"
            f"<pre>{escape(chr(10).join(repeat_of(campaign, finding)))}</pre>")
    if shrunk is not None:
        text += (f"<p>Shrunk to {shrunk['cycles']:,} cycles in {shrunk['runs']} runs:</p>"
                 f"<pre>{escape(chr(10).join(shrunk['repeat']))}</pre>")
    return (f"{text}<details><summary>Report</summary><pre>{escape(finding.report)}</pre>"
            "</details></div>")


def _items(campaign: Campaign) -> str:
    rows = [_item(campaign, item) for item in sorted(
        campaign.plan.items,
        key=lambda item: all(finding.passed for finding in campaign.of(item)))]
    return _table("Plan", ("Stage", "Item", "Runs passed", "Bins", "Time"), rows, text=1)


def _item(campaign: Campaign, item: Item) -> Sequence[str]:
    findings, missing = campaign.of(item), campaign.holes(item)
    passed = sum(finding.passed for finding in findings)
    kind = "good" if passed == len(findings) else "bad"
    what = f"<b>{escape(item.name)}</b><br>{escape(item.text)} " \
           f'<span class="names">{escape(item.spec)}</span>{_names("holes", missing)}'
    bins = _share(len(item.cover) - len(missing), len(item.cover)) if item.cover else ""
    seconds = sum(finding.outcome.seconds for finding in findings)
    return (item.stage, what, f'<span class="{kind}">{_share(passed, len(findings))}</span>',
            bins, f"{seconds:,.1f} s")


def _names(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    if what == "holes" and len(names) == 1:
        what = "hole"
    return (f"<details><summary>{len(names)} {escape(what)}</summary>"
            f'<span class="names">{escape(", ".join(names))}</span></details>')


def _bins(campaign: Campaign) -> str:
    counts = campaign.coverage
    groups: dict[str, list[str]] = {}
    for name in BINS:
        groups.setdefault(name.partition(".")[0], []).append(name)
    rows = []
    for group, names in groups.items():
        missing = holes(counts, names)
        short = [name.partition(".")[2] for name in missing]
        rows.append((f"<b>{escape(group)}</b><br>{escape(BINS[names[0]])}{_names('holes', short)}"
                     f"{_left_out(group)}",
                     _share(len(names) - len(missing), len(names)),
                     f"{sum(counts.get(name, 0) for name in names):,}"))
    return _table("Functional coverage", ("Bins", "Hit", "Hits"), rows, text=0)


def _left_out(group: str) -> str:
    """Combinations of a cross that are no bins, by reason."""
    names: dict[str, list[str]] = {}
    for name, reason in LEFT_OUT.items():
        if name.partition(".")[0] == group:
            names.setdefault(reason, []).append(name.partition(".")[2])
    return "".join(_names(f"left out: {reason}", some) for reason, some in names.items())


def _code(code: CodeCoverage) -> str:
    if not code.points:
        return ""
    rows = [(escape(switch), *(_share(*pair) for pair in points.values()))
            for switch, points in code.points.items()]
    kinds = next(iter(code.points.values()))
    text = _table("Code coverage of the Verilog", ("Switch", *kinds), rows, text=0)
    rules = [(f"<b>{escape(rule.name)}</b>: {escape(rule.reason)}",
              f"{sum(left[rule.name] for left in code.left_out.values()):,}") for rule in RULES]
    text += _table("Left out by rule", ("Rule", "Points"), rules, text=0)
    rows = []
    for path, file in sorted(code.python.items()):
        missing = [str(line) for line, count in sorted(file.lines.items()) if not count]
        rows.append((escape(path) + _names("lines that never ran", missing),
                     _share(*file.line_totals), _share(*file.branch_totals)))
    return text + _table("Code coverage of the Amaranth sources",
                         ("File", "Lines", "Branches and terms"), rows, text=0)


def _slowest(campaign: Campaign) -> str:
    findings = sorted(campaign.findings, key=lambda item: -item.outcome.seconds)[:SLOWEST]
    rows = [(escape(item.name), f"{item.outcome.seconds:,.1f} s", escape(item.outcome.worker))
            for item in findings]
    return _table("Slowest runs", ("Run", "Time", "Worker"), rows, text=0)


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], *, text: int) -> str:
    """A table of cells that are HTML; column ``text`` is set as text, the others as numbers."""

    def line(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(
            f'<{tag} class="text">{cell}</{tag}>' if n == text else f"<{tag}>{cell}</{tag}>"
            for n, cell in enumerate(cells)) + "</tr>"

    body = "".join(line("td", row) for row in rows)
    return (f'<section><h2>{escape(title)}</h2><table class="wide">'
            f"{line('th', [escape(heading) for heading in headings])}{body}</table></section>")
