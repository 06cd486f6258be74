# SPDX-License-Identifier: Apache-2.0
"""What scripts of scenarios are made of."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import ClassVar

from gavel_tb.stimulus import CheckError

Script = Generator[None, None, None]
"""Runs once per cycle, after everything of the cycle was seen; what it asks for happens in the
next one."""

LIMIT = 60_000
"""Cycles within which everything that is waited for must happen."""


class Steps:
    """Waiting, and insisting.

    Attributes
    ----------
    MOST_CYCLES
        Within which a scenario ends.
    now
        The current cycle.
    """

    MOST_CYCLES: ClassVar[int] = LIMIT

    now: int

    def must(self, condition: bool, text: str) -> None:
        """Raises `CheckError` if the condition does not hold."""
        if not condition:
            raise CheckError(text)

    def cycles(self, count: int) -> Script:
        """Waits for so many cycles."""
        for _ in range(count):
            yield

    def until(self, condition: Callable[[], object], what: str, limit: int = LIMIT) -> Script:
        """Waits until a condition holds at the end of a cycle."""
        last = self.now + limit
        while not condition():
            self.must(self.now < last, f"{what}: not within {limit} cycles")
            yield
