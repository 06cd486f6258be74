# SPDX-License-Identifier: Apache-2.0
"""Tables 0 and 1 of telemetry in the RTL against the model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gavel_model.loader import load_config
from gavel_tb.vc_statistics import check


@pytest.mark.parametrize(("ports", "vcs", "width"), [(2, 1, 64), (3, 3, 512), (5, 8, 128)])
def test_against_the_model(seed: int, ports: int, vcs: int, width: int) -> None:
    check(replace(load_config("tiny"), ports=ports, vcs=vcs, data_width=width), seed)
