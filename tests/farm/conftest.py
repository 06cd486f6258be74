# SPDX-License-Identifier: Apache-2.0
"""Units whose functions stand beside the tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def functions_can_be_imported(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(HERE), *sys.path])
    # For workers that are started by others.
    monkeypatch.setenv("PYTHONPATH", str(HERE))
