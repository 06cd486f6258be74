# SPDX-License-Identifier: Apache-2.0
"""Runs the command line in this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from gavel_cli.main import cli

Gavel = Callable[..., Result]


@pytest.fixture
def gavel() -> Gavel:
    """Runs `gavel` with the given words; the result has exit_code, stdout and stderr."""

    def run(*words: object) -> Result:
        return CliRunner().invoke(cli, [str(word) for word in words], prog_name="gavel")

    return run
