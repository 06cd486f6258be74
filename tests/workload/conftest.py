# SPDX-License-Identifier: Apache-2.0
"""Where the recorded Chakra traces are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "GAVEL_TRACES"


@pytest.fixture(scope="session")
def real_traces(pytestconfig: pytest.Config) -> Path:
    """Folder with one folder per recorded trace: that of the variable, or beside the checkout."""
    beside = pytestconfig.rootpath.parent / "shared" / "data" / "chakra"
    folder = Path(os.environ.get(VARIABLE) or beside)
    if not folder.is_dir():
        pytest.skip(f"no recorded Chakra traces in {folder}: name their folder in {VARIABLE}")
    return folder
