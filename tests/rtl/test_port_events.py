# SPDX-License-Identifier: Apache-2.0
"""Events of a port and the health of its link: RTL against the models."""

from __future__ import annotations

from typing import Any

import pytest

from gavel_model import link_health as model_health
from gavel_model.loader import load_config
from gavel_model.register_map import Counter
from gavel_rtl import link_health as rtl_health
from gavel_rtl.port_events import PortEvents
from gavel_tb import link_health, port_events
from gavel_tb.stimulus import CheckError

CONFIG = load_config("tiny", ("ports=3", "vcs=3"))


def test_events_in_every_cycle(seed: int) -> None:
    port_events.check(CONFIG, seed)


def test_windows_and_alarms_in_every_cycle(seed: int) -> None:
    link_health.check(CONFIG, seed)


def test_counts_stay_at_their_largest_value(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Narrow ones come to it in a window."""
    bits = 4
    monkeypatch.setattr(rtl_health, "HEALTH_BITS", bits)
    monkeypatch.setattr(model_health, "LARGEST", (1 << bits) - 1)
    link_health.check(CONFIG, seed)


def test_an_event_that_a_counter_is_missing_of_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = PortEvents._counts

    def wrong(block: Any, *counters: Counter) -> Any:
        return right(block, *counters[:1])

    monkeypatch.setattr(PortEvents, "_counts", wrong)
    with pytest.raises(CheckError, match="events"):
        port_events.check(CONFIG, 1)


def test_an_error_of_the_wrong_kind_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtl_health, "UNCORRECTABLE", (*rtl_health.UNCORRECTABLE[:-1],
                                                      Counter.RX_FRAMES))
    with pytest.raises(CheckError, match="errors"):
        link_health.check(CONFIG, 1)
