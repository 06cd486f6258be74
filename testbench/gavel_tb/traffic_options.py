# SPDX-License-Identifier: Apache-2.0
"""Checks of the options that all jobs of random traffic have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gavel_model.config import MIN_FRAME_BYTES, SwitchConfig
from gavel_model.profiles import PROFILE_NAMES
from gavel_tb.source import PATTERNS, SIZES


class TrafficOptions(Protocol):
    """The options; what they mean is said at `gavel_tb.traffic.TrafficJob`."""

    @property
    def pattern(self) -> str:
        """Where frames go."""
        ...

    @property
    def load(self) -> float:
        """Share of the cycles with a word."""
        ...

    @property
    def size(self) -> str | int:
        """Frame length."""
        ...

    @property
    def profile(self) -> str:
        """Header profile of the ports."""
        ...


def frame_size(size: str | int) -> str | int:
    """``size``, as a number where it is one."""
    return int(size) if isinstance(size, str) and size.isdecimal() else size


def check_choice(name: str, value: str, allowed: Sequence[str]) -> None:
    """Refuses a value that is not one of some words.

    Raises
    ------
    ValueError
        Names the option, its value, and what it may be.
    """
    if value not in allowed:
        raise ValueError(f"{name} = {value!r}: must be one of "
                         + ", ".join(word for word in allowed if word))


def check_options(options: TrafficOptions, config: SwitchConfig) -> None:
    """Refuses what cannot be run on a switch.

    Raises
    ------
    ValueError
        Names the option, its value, and what it may be.
    """
    check_choice("pattern", options.pattern, PATTERNS)
    check_choice("profile", options.profile, ("", "mixed", *PROFILE_NAMES))
    if not 0.0 < options.load <= 1.0:
        raise ValueError(f"load = {options.load}: must be above 0 and at most 1")
    size, limit = frame_size(options.size), config.max_frame_bytes
    if isinstance(size, int):
        if not MIN_FRAME_BYTES <= size <= limit:
            raise ValueError(f"size = {size}: must be in {MIN_FRAME_BYTES}...{limit} bytes")
    elif size not in SIZES:
        raise ValueError(f"size = {size!r}: must be a number of bytes or one of "
                         + ", ".join(SIZES))
