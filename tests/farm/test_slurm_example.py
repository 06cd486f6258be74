# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import warnings
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "farm.md"


def test_the_documented_example_generates_its_job_script(capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    example = next(block for block in blocks if "SLURMCluster" in block)
    names: dict = {}
    with warnings.catch_warnings():
        # Of the libraries about themselves.
        warnings.simplefilter("ignore")
        exec(example, names)
        names["cluster"].close()
    script = capsys.readouterr().out
    for line in ("#!/usr/bin/env bash", "#SBATCH -p batch", "#SBATCH -A verification",
                 "#SBATCH --cpus-per-task=8", "#SBATCH -t 04:00:00",
                 "source /shared/gavel/.venv/bin/activate"):
        assert line in script.splitlines()
    command = script.strip().splitlines()[-1]
    assert "distributed.cli.dask_worker tcp://" in command
    assert "--nworkers 8" in command
    assert "--nthreads 1" in command
    assert "--local-directory /tmp" in command
