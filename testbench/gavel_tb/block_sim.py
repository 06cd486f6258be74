# SPDX-License-Identifier: Apache-2.0
"""Runs one RTL block in Amaranth's simulator, for the benches of single blocks.

A bench is an ``async def bench(ctx)``: in each cycle it sets the block's inputs, reads its
outputs, which are those of the same cycle, and then awaits ``ctx.tick()``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from amaranth.hdl import Cat, Signal
from amaranth.sim import Simulator

from gavel_model.frame import split_words
from gavel_tb.stimulus import CheckError

Bench = Callable[[Any], Awaitable[None]]


class BenchContext:
    """A simulator's context, for a bench that sets all inputs in every cycle.

    To settle the design takes longer than all else that most benches do, and the simulator does so
    each time that a signal is set. Here the signals that change wait for each other until something
    is read or time goes on.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self._members: dict[Any, dict[str, Any]] = {}
        self._waiting: dict[int, tuple[Signal, int]] = {}

    def __getattr__(self, name: str) -> Any:
        self._settle()
        return getattr(self._context, name)

    def get(self, target: Any) -> Any:
        """Reads a value."""
        if self._waiting:
            self._settle()
        return self._context.get(target)

    def set(self, target: Any, value: Any) -> None:
        """Sets a signal, or what else the simulator can set."""
        if type(target) is not Signal or not isinstance(value, int):
            self._settle()
            self._context.set(target, value)
            return
        if id(target) in self._waiting:
            # It may be a clock.
            self._settle()
        if self._context.get(target) != value:
            self._waiting[id(target)] = target, value

    def member(self, interface: Any, name: str) -> Any:
        """A member of an interface, looked up once: Amaranth turns it round each time."""
        found = self._members.setdefault(interface, {})
        if name not in found:
            found[name] = getattr(interface, name)
        return found[name]

    def _settle(self) -> None:
        if not self._waiting:
            return
        together = position = 0
        for signal, value in self._waiting.values():
            together |= (value & (1 << len(signal)) - 1) << position
            position += len(signal)
        signals = [signal for signal, _ in self._waiting.values()]
        self._waiting.clear()
        self._context.set(Cat(signals), together)


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
        await self._bench(BenchContext(ctx))

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
    # Benches with several clocks run in a simulator of their own.
    member = ctx.member if isinstance(ctx, BenchContext) else getattr
    for name, value in members.items():
        ctx.set(member(interface, name), value)


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
