# SPDX-License-Identifier: Apache-2.0
"""Ports with clocks of their own: everything arrives, whatever the ratio and the phase."""

from __future__ import annotations

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_tb import link_crossing

RATIOS = (1.0001, 0.99, 1.5, 2.0)
"""Periods of the port's clock, in periods of the core's."""


def config(mac: str, width: int = 64) -> SwitchConfig:
    return load_config("tiny", (f"mac={mac}", f"data_width={width}"))


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("mac", ["preamble", "frames"])
def test_everything_arrives_in_order(mac: str, ratio: float, seed: int) -> None:
    link_crossing.check(config(mac), seed, ratio)


@pytest.mark.long
@pytest.mark.parametrize("ratio", (*RATIOS, 1.0, 1.37))
@pytest.mark.parametrize("width", [128, 512])
def test_wider_words(width: int, ratio: float, seed: int) -> None:
    link_crossing.check(config("frames", width), seed, ratio, frames=400)


@pytest.mark.parametrize("domain", ["port", "sync"])
@pytest.mark.parametrize("mac", ["preamble", "frames"])
def test_one_side_is_reset_in_traffic(mac: str, domain: str, seed: int) -> None:
    link_crossing.check_reset(config(mac), seed, domain)


@pytest.mark.parametrize("mac", ["preamble", "frames"])
def test_a_core_clock_that_is_too_slow_changes_no_frame_without_a_mark(mac: str,
                                                                      seed: int) -> None:
    link_crossing.check_overflow(config(mac), seed)
