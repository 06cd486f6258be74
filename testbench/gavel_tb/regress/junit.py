# SPDX-License-Identifier: Apache-2.0
"""A regression as JUnit XML: an item is a test suite, a run with a seed is a test case."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

from gavel_tb.regress.campaign import Campaign, Finding
from gavel_tb.regress.results import repeat_of

_NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD]")


def junit(campaign: Campaign) -> str:
    """The XML. Attributes are those that the schema of Jenkins' JUnit plug-in knows."""
    root = Xml.Element("testsuites", _totals(campaign.findings) | {"name": "gavel regress"})
    for item in campaign.plan.items:
        findings = campaign.of(item)
        suite = Xml.SubElement(root, "testsuite", _totals(findings) | {"name": item.name})
        properties = Xml.SubElement(suite, "properties")
        for name, value in (("text", item.text), ("spec", item.spec), ("stage", item.stage),
                            ("bins", str(len(item.cover))),
                            ("holes", ", ".join(campaign.holes(item)))):
            Xml.SubElement(properties, "property", {"name": name, "value": value})
        for finding in findings:
            _case(suite, finding, repeat_of(campaign, finding))
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, "unicode") + "\n"


def _totals(findings: list[Finding]) -> dict[str, str]:
    return {
        "tests": str(len(findings)),
        "failures": str(sum(item.error is None and not item.passed for item in findings)),
        "errors": str(sum(item.error is not None for item in findings)),
        "time": f"{sum(item.outcome.seconds for item in findings):.3f}",
    }


def _case(suite: Xml.Element, finding: Finding, repeat: list[str]) -> None:
    case = Xml.SubElement(suite, "testcase", {
        "classname": finding.run.item, "name": f"{finding.run.label}, seed {finding.seed}",
        "time": f"{finding.outcome.seconds:.3f}",
    })
    if finding.passed:
        return
    kind = "failure" if finding.error is None else "error"
    element = Xml.SubElement(case, kind, {"message": _clean(finding.verdict)})
    commands = "\n".join(repeat)
    element.text = _clean(f"{finding.report}\nRepeat:\n{commands}")


def _clean(text: str) -> str:
    """Without what no XML may hold."""
    return _NOT_XML.sub("?", text)
