# SPDX-License-Identifier: Apache-2.0
"""Functional coverage beside what else watches a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gavel_model.config import SwitchConfig
from gavel_model.switch import Switch
from gavel_tb.coverage.collector import Collector
from gavel_tb.jobs import Session

_WITH_PATTERN = ("traffic", "llr")
"""Kinds of jobs whose parameters have a pattern; those of the others are scenarios."""


def with_coverage(
    session: Session, config: SwitchConfig, kind: str, parameters: Mapping[str, Any]
) -> tuple[Session, Collector]:
    """The session of a job with a collector that sees what its observers and its watch see."""
    pattern = parameters.get("pattern", "uniform") if kind in _WITH_PATTERN else "scenario"
    collector = Collector(config, pattern)
    others = session.watch

    def watch(switch: Switch) -> None:
        if others is not None:
            others(switch)
        collector.watch(switch)

    observers = (*session.observers, collector)
    return replace(session, observers=observers, watch=watch), collector
