# SPDX-License-Identifier: Apache-2.0
"""Runs one RTL block in Amaranth's simulator, for the benches of single blocks.

A bench is an ``async def bench(ctx)``: in each cycle it sets the block's inputs, reads its
outputs, which are those of the same cycle, and then awaits ``ctx.tick()``. ``ctx`` is a
`SettleOnce`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from amaranth.hdl import Cat, Const, ShapeCastable, Value, ValueCastable
from amaranth.sim import Simulator

from gavel_model.frame import split_words
from gavel_tb.stimulus import CheckError

Bench = Callable[[Any], Awaitable[None]]


class SettleOnce:
    """A testbench's context in which all that is set between two looks settles at once.

    Amaranth itself settles after each of them: all logic that looks at any input of a block
    would run once for each input, in each cycle.

    Parameters
    ----------
    ctx
        A testbench's context. All but `set` is as there; whatever waits, reads or begins to wait
        sees all that was set before. A bench that loops over ``ctx.tick()`` must set nothing.
    """

    def __init__(self, ctx: Any) -> None:
        self._ctx = ctx
        self._targets: list[Value] = []
        self._value = self._width = 0

    def set(self, target: Any, value: Any) -> None:
        """Sets a signal, or a part of one; the last value counts."""
        if isinstance(target, ValueCastable):
            shape = target.shape()
            if isinstance(shape, ShapeCastable):
                value = shape.const(value)
            target = Value.cast(target)
        if not isinstance(value, int):
            value = Const.cast(value).value
        width = len(target)
        self._targets.append(target)
        self._value |= (value & (1 << width) - 1) << self._width
        self._width += width

    def get(self, value: Any) -> Any:
        """A value in this cycle, which follows from what was set."""
        if self._targets:
            self._settle()
        return self._ctx.get(value)

    def __getattr__(self, name: str) -> Any:
        if self._targets:
            self._settle()
        return getattr(self._ctx, name)

    def _settle(self) -> None:
        self._ctx.set(Cat(self._targets), self._value)
        self._targets = []
        self._value = self._width = 0


class Elaborated:
    """A component made ready to simulate, once for any number of benches.

    Making a whole switch ready takes as long as some hundred cycles of it.

    Parameters
    ----------
    component
        Not changed by the benches: each begins with all signals and memories as after power-up.
    """

    def __init__(self, component: Any) -> None:
        self.component = component
        self._bench: Bench | None = None
        self._simulator = Simulator(component)
        self._simulator.add_clock(1e-9)
        self._simulator.add_testbench(self._play)

    async def _play(self, ctx: Any) -> None:
        assert self._bench is not None
        await self._bench(SettleOnce(ctx))

    def run(self, bench: Bench) -> None:
        """Simulates until ``bench`` ends; raises what it raises."""
        if self._bench is not None:
            self._simulator.reset()
        self._bench = bench
        self._simulator.run()


def run_block(block: Any, bench: Bench) -> None:
    """Simulates ``block`` until ``bench`` ends.

    Raises
    ------
    CheckError
        From the bench.
    """
    Elaborated(block).run(bench)


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
