# SPDX-License-Identifier: Apache-2.0
"""Registers between the register pins and who answers to them (docs/spec.md, Registers)."""

from collections.abc import Mapping

from amaranth.hdl import Module, Value
from amaranth.lib import wiring

from gavel_rtl.lib.delay import delayed


def attach(m: Module, bus: wiring.PureInterface, pins: Mapping[str, Value], name: str,
           stages: int) -> Value:
    """Connects a `RegisterPort` of a block that knows nothing of ``register_stages``.

    Parameters
    ----------
    m
        Where the registers stand.
    bus
        The port, as driven by its user.
    pins
        ``addr``, ``wdata``, ``we`` and ``re``.
    name
        Goes before the names of the registers.
    stages
        How many cycles what is on the pins is late, and so is what is read.

    Returns
    -------
    What the block adds to ``rdata``.
    """
    m.d.comb += [getattr(bus, pin).eq(delayed(m, value, f"{name}_{pin}", stages))
                 for pin, value in pins.items()]
    return delayed(m, bus.rdata, f"{name}_rdata", stages)
