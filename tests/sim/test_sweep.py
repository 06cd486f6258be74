# SPDX-License-Identifier: Apache-2.0
"""`gavel sweep` on the RTL."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_model.loader import load_config
from gavel_tb.sweep.engines import open_engine
from gavel_tb.sweep.open_loop import OpenLoop, OpenLoopJob, measure_open_loop


@pytest.mark.long
def test_model_and_rtl_give_the_same_figures(sim_cache: Path) -> None:
    config = load_config("tiny")
    job = OpenLoopJob(load=0.7, size="imix", cycles=1000)
    rows = []
    for name in ("both", "rtl"):
        with open_engine(name, config, sim_cache) as engine:
            rows.append(OpenLoop(config, job, engine).run())
    assert rows[0] == rows[1] == measure_open_loop(config, job, "model")
