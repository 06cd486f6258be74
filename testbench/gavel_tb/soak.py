# SPDX-License-Identifier: Apache-2.0
"""Long runs over links with errors: which, and what they add up to."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from gavel_model.config import MAX_VCS
from gavel_tb.llr_traffic import LlrTrafficJob

SHORT_FRAMES, MIXED_FRAMES = 100_000, 5_000
"""Frames of a run with the shortest frames, and of one with all lengths: about the same time."""

NO_END = 1 << 40

_TROUBLE: dict[str, dict[str, Any]] = {
    "bits": {"bit_errors": 2e-5},
    "words": {"word_errors": 2e-3, "size": "min"},
    "losses": {"word_drops": 1e-3, "set_drops": 0.05, "size": "min", "pattern": "permutation"},
    "bursts": {"bit_errors": 2e-7, "burst": 200.0, "delay": 60},
    "down": {"down_rate": 5e-5, "down_cycles": 200.0, "size": "min", "pattern": "bursty"},
    "stalls": {"bit_errors": 1e-5, "stalls": True, "load": 0.7},
    "incast": {"bit_errors": 1e-5, "pattern": "incast", "size": "min", "profile": "mixed"},
    "all": {"bit_errors": 5e-6, "word_errors": 5e-4, "word_drops": 2e-4, "set_drops": 0.01,
            "down_rate": 5e-6, "burst": 4.0, "stalls": True, "size": "min"},
}


def _with_credits(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same trouble with credits: with frames of all lengths VCs share them, so that the longest
    frame fits small buffers, too."""
    return {**options, "credits": True, "total_credits": options.get("size") != "min"}


MIXES: Mapping[str, Mapping[str, Any]] = {
    **{name: options for trouble, plain in _TROUBLE.items()
       for name, options in ((trouble, plain), (f"{trouble}, credits", _with_credits(plain)))},
    "slow": {"credits": True, "slow_ports": "0", "slow_rate": 0.2, "bit_errors": 1e-5,
             "size": "min", "frames": SHORT_FRAMES // 5},
    "stuck": {"credits": True, "total_credits": True, "stuck_ports": "0,1", "stuck_cycles": 700,
              "word_errors": 2e-4, "set_drops": 0.01},
    "one percent": {"credits": True, "slow_ports": "0", "slow_rate": 0.01, "word_errors": 2e-4,
                    "size": "min", "frames": SHORT_FRAMES // 50},
    "blocked class": {"credits": True, "stuck_ports": "all", "stuck_vcs": "1",
                      "stuck_cycles": 20_000, "word_errors": 2e-4, "size": "min"},
    "requests": {"credits": True, "requests": True, "size": "min", "bit_errors": 1e-5,
                 "slow_ports": "all", "slow_rate": 0.3, "frames": SHORT_FRAMES // 5},
    "full load": {"credits": True, "size": "min", "word_errors": 2e-4, "set_drops": 0.01},
    "full incast": {"credits": True, "pattern": "converge", "size": "min", "word_errors": 2e-4,
                    "frames": SHORT_FRAMES // 5},
    "paused": {"pfc": True, "slow_ports": "all", "slow_rate": 0.5, "bit_errors": 1e-5},
}
"""Kinds of trouble, each as options of `LlrTrafficJob`; runs take turns."""


_TWO_VCS = ("stuck_vcs", "requests")
"""Options that need a second VC."""


def mixes_for(vcs: int) -> list[str]:
    """Names of the mixes that a switch with so many VCs can run."""
    return [name for name, options in MIXES.items()
            if vcs > 1 or not any(option in options for option in _TWO_VCS)]


def soak_jobs(seed: int, vcs: int = MAX_VCS) -> Iterator[tuple[str, LlrTrafficJob]]:
    """Names of mixes and jobs without end, seeds counting up from ``seed``, for a switch with so
    many VCs."""
    names = mixes_for(vcs)
    for number in count():
        name = names[number % len(names)]
        options = dict(MIXES[name])
        usual = SHORT_FRAMES if options.get("size") == "min" else MIXED_FRAMES
        frames = options.pop("frames", usual)
        yield name, LlrTrafficJob(seed=seed + number, cycles=NO_END, frames=frames, **options)


@dataclass
class SoakTotals:
    """What runs add up to.

    Attributes
    ----------
    runs, cycles, frames
        Runs, simulated cycles, frames that arrived and were checked.
    errors
        Errors that the links made, by kind.
    replays
        Replays of both ends.
    """

    runs: int = 0
    cycles: int = 0
    frames: int = 0
    replays: int = 0
    errors: Tally[str] = field(default_factory=Tally)

    def add(self, result: Mapping[str, Any]) -> None:
        """Adds the result of a run that passed."""
        figures = result["figures"]
        self.runs += 1
        self.cycles += result["cycles"]
        self.frames += figures["frames"]
        self.replays += figures["partner_replays"] + figures["switch_replays"]
        self.errors.update(figures["errors_injected"])

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {"runs": self.runs, "cycles": self.cycles, "frames": self.frames,
                "replays": self.replays, "errors_injected": sum(self.errors.values()),
                "errors_by_kind": dict(sorted(self.errors.items()))}
