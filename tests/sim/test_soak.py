# SPDX-License-Identifier: Apache-2.0
"""The whole switch with errors on all links at once, in lockstep and checked end to end: the short
form of `gavel soak`. Each mix runs on one switch, most run on a second one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gavel_tb.soak import MIXES, SoakTotals, mixes_for, soak_jobs

FRAMES = 300
SWITCHES = ("tiny", "odd5", "rack4", "odd3", "pod")
"""`pod` comes where frames are short: over links with many errors its longest ones hardly pass."""
ONE_VC = "odd3"
"""Built for the long run alone."""


def pairs() -> list[Any]:
    """Switches and mixes; what a mix has already run on one switch is long on a second one."""
    found: list[Any] = []
    for number, mix in enumerate(MIXES):
        places = (number, number + 1 + number // len(SWITCHES) % 2)[:1 + (number % 3 < 2)]
        can_run = [name for name in SWITCHES if name != ONE_VC or mix in mixes_for(1)]
        names = [can_run[place % len(can_run)] for place in places]
        if names[0] == ONE_VC:
            names = list(dict.fromkeys(("tiny", *names)))
        found += [pytest.param(name, mix, marks=[pytest.mark.long] if more else [])
                  for more, name in enumerate(names)]
    return found


@pytest.mark.parametrize(("name", "mix"), pairs())
def test_nothing_is_lost(
    simulate: Callable[..., dict[str, Any]], name: str, mix: str, seed: int
) -> None:
    job = next(job for found, job in soak_jobs(seed) if found == mix)
    job = replace(job, frames=FRAMES)
    result = simulate(name, "llr", **job.parameters())
    assert result["passed"], result["report"]
    totals = SoakTotals()
    totals.add(result)
    assert totals.frames >= FRAMES
    assert not result["mismatches"]


def test_runs_take_turns_with_seeds_of_their_own() -> None:
    jobs = soak_jobs(5)
    first = [next(jobs) for _ in range(2 * len(MIXES))]
    assert [name for name, _ in first] == 2 * list(MIXES)
    assert [job.seed for _, job in first] == list(range(5, 5 + 2 * len(MIXES)))
