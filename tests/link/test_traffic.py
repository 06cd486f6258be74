# SPDX-License-Identifier: Apache-2.0
"""Random traffic on the model alone, on switches at the edge of what is allowed."""

from __future__ import annotations

import pytest

from gavel_model.config import MIN_FRAME_BYTES
from gavel_model.loader import load_config
from gavel_model.register_map import Counter
from gavel_tb.jobs import open_session
from gavel_tb.regress.on_model import run_on_model


@pytest.mark.parametrize("longest", [MIN_FRAME_BYTES, MIN_FRAME_BYTES + 3])
@pytest.mark.parametrize("width", [64, 512])
def test_the_longest_frame_may_be_the_shortest(longest: int, width: int) -> None:
    config = load_config("tiny", [f"max_frame_bytes={longest}", f"data_width={width}"])
    for faults in (0.0, 0.5):
        session = open_session(config, "traffic", {"cycles": 1500, "load": 0.9, "faults": faults})
        result = run_on_model(config, session)
        assert result.passed, result.report
        oversize = sum(counted[Counter.RX_OVERSIZE] for counted in result.counters)
        assert bool(oversize) == bool(faults)
