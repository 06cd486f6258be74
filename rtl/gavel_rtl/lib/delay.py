# SPDX-License-Identifier: Apache-2.0
"""Values some cycles later."""

from amaranth.hdl import Module, Signal, Value


def delayed(m: Module, value: Value, name: str, cycles: int, *, reset_less: bool = False) -> Value:
    """``value`` as it was ``cycles`` cycles before, with 0 itself; registers ``<name>_after_<n>``,
    reset to 0, unless ``reset_less``."""
    for cycle in range(1, cycles + 1):
        later = Signal(len(value), name=f"{name}_after_{cycle}", reset_less=reset_less)
        m.d.sync += later.eq(value)
        value = later
    return value
