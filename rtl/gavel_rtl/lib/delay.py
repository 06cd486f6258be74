# SPDX-License-Identifier: Apache-2.0
"""Values some cycles later."""

from amaranth.hdl import Module, Signal, Value


def delayed(m: Module, value: Value, name: str, cycles: int) -> Value:
    """``value`` as it was ``cycles`` cycles before; registers ``<name>_after_<n>``, reset to 0.
    With 0 cycles it is ``value``."""
    for cycle in range(1, cycles + 1):
        later = Signal(len(value), name=f"{name}_after_{cycle}")
        m.d.sync += later.eq(value)
        value = later
    return value
