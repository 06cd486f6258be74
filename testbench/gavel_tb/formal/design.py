# SPDX-License-Identifier: Apache-2.0
"""A block elaborated once, with its inside in reach of assertions and of planted faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Const, Elaboratable, Fragment, Signal, Value
from amaranth.hdl._mem import MemoryInstance
from amaranth.lib import wiring


class Part:
    """One module of an elaborated block.

    Parameters
    ----------
    fragment
        What Amaranth made of it.
    where
        Names from the block down, for messages.
    """

    def __init__(self, fragment: Fragment, where: str) -> None:
        self._fragment = fragment
        self._where = where

    def part(self, *names: str) -> Part:
        """The submodule at the end of a way down.

        Raises
        ------
        NameError
            If there is none.
        """
        fragment = self._fragment
        for name in names:
            fragment = fragment.find_subfragment(name)
        return Part(fragment, ".".join((self._where, *names)))

    def signal(self, name: str) -> Any:
        """The signal that is called ``name`` and assigned in this module, a register if there are
        both; for a member of the block's signature use `member`.

        Raises
        ------
        NameError
            If there is none, or more than one.
        """
        found: dict[int, Any] = {}
        for domain, statements in self._fragment.statements.items():
            signals = {id(signal): signal for statement in statements
                       for signal in statement._lhs_signals() if signal.name == name}
            found = signals if signals and domain != "comb" else found or signals
        if len(found) != 1:
            raise NameError(f"{self._where}: {len(found)} signals are called {name!r}")
        return next(iter(found.values()))

    def member(self, name: str) -> Any:
        """A member of the block's signature."""
        component = next(origin for origin in self._fragment.origins or ()
                         if isinstance(origin, wiring.Component))
        return getattr(component, name)

    def word(self, memory: str, address: Any) -> Value:
        """What memory ``memory`` holds at ``address`` in the cycle, by a read port of our own."""
        instance = self._fragment.find_subfragment(memory)
        assert isinstance(instance, MemoryInstance)
        store = instance._data
        width = Value.cast(Signal(store.shape)).shape().width
        bits = (store.depth - 1).bit_length()
        place, found = Signal(bits, name=f"{memory}_place"), Signal(width, name=f"{memory}_word")
        self._fragment.add_statements("comb", place.eq(address))
        instance.read_port(domain="comb", addr=place, data=found, en=Const(1), transparent_for=())
        return found

    def read_data(self, memory: str) -> Value:
        """What the block's own first read port of memory ``memory`` shows."""
        instance = self._fragment.find_subfragment(memory)
        assert isinstance(instance, MemoryInstance)
        return instance._read_ports[0]._data

    def begin(self, name: str, value: int) -> None:
        """Gives a register another value to begin with, at reset, too."""
        signal = self.signal(name)
        assert 0 <= value < 1 << len(signal)
        Value.cast(signal)._init = value

    def break_it(self, domain: str, *statements: Any) -> None:
        """Adds statements behind the module's own: where both assign, these count."""
        self._fragment.add_statements(domain, *statements)


Fault = Callable[["Design"], None]
"""Makes a block wrong."""


class Design(Part):
    """An elaborated block; goes into a harness as a submodule (`fragment`)."""

    def __init__(self, component: Elaboratable, fault: Fault | None = None) -> None:
        self.fragment = Fragment.get(component, None)
        super().__init__(self.fragment, type(component).__name__)
        if fault is not None:
            fault(self)
