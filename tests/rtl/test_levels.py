# SPDX-License-Identifier: Apache-2.0
"""Levels and watermarks of telemetry in the RTL against the model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gavel_model.config import SwitchConfig
from gavel_model.loader import load_config
from gavel_tb import voq_levels, watermarks

SHAPES = [(2, 1, 30), (2, 2, 64), (3, 3, 100), (5, 8, 65)]


def config(ports: int, vcs: int, cells: int) -> SwitchConfig:
    return replace(load_config("tiny"), ports=ports, vcs=vcs, buffer_cells=cells)


@pytest.mark.parametrize("shape", SHAPES)
def test_levels_of_voqs(seed: int, shape: tuple[int, int, int]) -> None:
    voq_levels.check(config(*shape), seed)


@pytest.mark.parametrize("shape", SHAPES)
def test_watermarks(seed: int, shape: tuple[int, int, int]) -> None:
    watermarks.check(config(*shape), seed)
