# SPDX-License-Identifier: Apache-2.0
"""The stream of records with a sink that is not ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from gavel_tb.component_sim import components_design, run_cocotb
from gavel_tb.record_clients import CONFIG, SEED_VARIABLE
from gavel_tb.record_harness import KnownRecords, record_harness


@pytest.mark.long
def test_a_sink_gets_all_records(seed: int, sim_cache: Path, tmp_path: Path) -> None:
    run_cocotb(components_design(KnownRecords(CONFIG)), record_harness(),
               "gavel_tb.record_clients", tmp_path, cache=sim_cache,
               environment={SEED_VARIABLE: str(seed)})
