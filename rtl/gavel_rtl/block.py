# SPDX-License-Identifier: Apache-2.0
"""How a component is placed as a submodule that stands once in the Verilog, and connected."""

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar, runtime_checkable

from amaranth.hdl import DomainRenamer, Elaboratable, Module, Value
from amaranth.lib import wiring

_Component = TypeVar("_Component", bound=wiring.Component)


@runtime_checkable
class ModuleLibrary(Protocol):
    """An elaboration target that keeps each component class as one named module."""

    def instance(self, component: wiring.Component, name: str | None) -> Elaboratable:
        """An instance of the module of ``component``'s class, connected to its signals."""


class Block(Elaboratable):
    """A submodule: ``component`` itself for simulation, an instance when Verilog is made.

    All components of one class that are placed in one design have the same parameters. ``name``
    goes before the names of its signals in the parent's Verilog; without it the class name does.
    """

    def __init__(self, component: wiring.Component, name: str | None = None):
        self._component = component
        self._name = name

    def elaborate(self, platform: object) -> Elaboratable:
        if isinstance(platform, ModuleLibrary):
            return platform.instance(self._component, self._name)
        return self._component


def place(m: Module, name: str, component: _Component,
          domains: Mapping[str, str] | None = None) -> _Component:
    """Makes ``component`` a submodule of ``m``, as a `Block`, and returns it.

    ``domains`` says which clock domain of ``m`` each domain of the component is; the others have
    the same name.
    """
    block = Block(component, name)
    m.submodules[name] = DomainRenamer(dict(domains))(block) if domains else block
    return component


def connect(m: Module, target: wiring.PureInterface, source: wiring.PureInterface,
            names: Iterable[str] | None = None) -> None:
    """Makes ``source`` drive the members of the same name of ``target``: all, or ``names``."""
    for name in names or target.signature.members:
        member = target.signature.members[name]
        pairs = [(getattr(target, name), getattr(source, name))]
        for _ in member.dimensions:
            pairs = [pair for arrays in pairs for pair in zip(*arrays, strict=True)]
        for driven, driver in pairs:
            if member.is_signature:
                connect(m, driven, driver)
            else:
                m.d.comb += Value.cast(driven).eq(Value.cast(driver))
