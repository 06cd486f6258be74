# SPDX-License-Identifier: Apache-2.0
"""Flow control of a run, as a user says it."""

from __future__ import annotations

from dataclasses import dataclass

from gavel_model.config import TIMER_BITS
from gavel_model.register_map import LARGEST_CREDIT_SIZE, LEAST_OVERHEAD

CREDIT_SIZES = tuple(32 << n for n in range(LARGEST_CREDIT_SIZE + 1))
"""Bytes of a credit."""

_MOST_OVERHEAD = 127
DEFAULT_CC_PERIOD = 4000


def number_list(name: str, text: str, count: int) -> tuple[int, ...]:
    """The numbers of a comma-separated list, ``all`` for 0...``count`` - 1.

    Raises
    ------
    ValueError
        Names the option, its value, and what it may be.
    """
    if text == "all":
        return tuple(range(count))
    parts = [part.strip() for part in text.split(",")] if text else []
    if all(part.isdecimal() and int(part) < count for part in parts):
        return tuple(sorted({int(part) for part in parts}))
    raise ValueError(f"{name} = {text!r}: must be numbers in 0...{count - 1} with commas between "
                     "them, or all")


@dataclass(frozen=True, kw_only=True)
class FlowOptions:
    """Flow control of every link, in both directions.

    Attributes
    ----------
    credits
        VCs have credits, but for those in ``best_effort``.
    total_credits
        One limit for the VCs of a port together, instead of one for each.
    pfc
        The same VCs are paused by PFC. Where the buffer has no headroom for what is under way
        when a pause is asked for, or links have errors, frames are held back at their source, too.
    best_effort
        VCs without credits and pauses, comma-separated: what finds its VC full is dropped.
    credit_size, credit_overhead
        Bytes of a credit, and bytes that are added to each frame.
    cc_period
        Cycles between two CC_Updates; 0: none.
    slow_ports, slow_rate
        Ports whose receivers read so many words in a cycle: numbers with commas between them, or
        ``all``.
    stuck_ports, stuck_cycles
        Ports whose receivers read nothing for so many cycles, then at line rate for as many, and
        so on as long as frames begin.
    stuck_vcs
        VCs that are not read while a receiver is stuck; empty: all.

    Raises
    ------
    ValueError
        Names the option, its value, and what it may be.
    """

    credits: bool = False
    total_credits: bool = False
    pfc: bool = False
    best_effort: str = ""
    credit_size: int = 64
    credit_overhead: int = 0
    cc_period: int = DEFAULT_CC_PERIOD
    slow_ports: str = ""
    slow_rate: float = 0.1
    stuck_ports: str = ""
    stuck_cycles: int = 2000
    stuck_vcs: str = ""

    def __post_init__(self) -> None:
        if self.credit_size not in CREDIT_SIZES:
            raise ValueError(f"credit_size = {self.credit_size}: must be one of "
                             + ", ".join(map(str, CREDIT_SIZES)))
        for name, low, high in (
            ("credit_overhead", LEAST_OVERHEAD, _MOST_OVERHEAD),
            ("cc_period", 0, (1 << TIMER_BITS) - 1),
            ("stuck_cycles", 1, (1 << TIMER_BITS) - 1),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} = {getattr(self, name)}: must be in {low}...{high}")
        if not 0.0 < self.slow_rate <= 1.0:
            raise ValueError(f"slow_rate = {self.slow_rate}: must be above 0 and at most 1")
        if self.total_credits and not self.credits:
            raise ValueError("total_credits = True: needs credits")
        if not self.on:
            for name in ("best_effort", "slow_ports", "stuck_ports", "stuck_vcs"):
                if getattr(self, name):
                    raise ValueError(f"{name} = {getattr(self, name)!r}: needs credits or pfc")

    @property
    def on(self) -> bool:
        """Whether there is any flow control."""
        return self.credits or self.pfc
