# SPDX-License-Identifier: Apache-2.0
"""Runs one RTL block in Amaranth's simulator, for the benches of single blocks.

A bench is an ``async def bench(ctx)``: in each cycle it sets the block's inputs, reads its
outputs, which are those of the same cycle, and then awaits ``ctx.tick()``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from amaranth.sim import Simulator

from gavel_model.frame import split_words
from gavel_tb.stimulus import CheckError


def run_block(block: Any, bench: Callable[[Any], Awaitable[None]]) -> None:
    """Simulates ``block`` until ``bench`` ends.

    Raises
    ------
    CheckError
        From the bench.
    """
    simulator = Simulator(block)
    simulator.add_clock(1e-9)
    simulator.add_testbench(bench)
    simulator.run()


def drive(ctx: Any, interface: Any, members: Mapping[str, int]) -> None:
    """Sets members of an interface."""
    for name, value in members.items():
        ctx.set(getattr(interface, name), value)


def number(ctx: Any, value: Any) -> int:
    """Value of a signal as a number, enumerations included."""
    got = ctx.get(value)
    return int(got.value if hasattr(got, "value") else got)


def expect(what: str, got: object, wanted: object) -> None:
    """Raises `CheckError` unless the two are equal."""
    if got != wanted:
        raise CheckError(f"{what}: {got!r}, must be {wanted!r}")


def word_members(data: bytes, size: int) -> Sequence[dict[str, int]]:
    """valid, sop, eop, data of each word of a frame."""
    words = split_words(data, size)
    last = len(words) - 1
    return [
        {"valid": 1, "sop": int(n == 0), "eop": int(n == last), "data": word}
        for n, word in enumerate(words)
    ]


NO_WORD = {"valid": 0, "sop": 0, "eop": 0, "data": 0}
