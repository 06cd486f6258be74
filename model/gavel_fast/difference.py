# SPDX-License-Identifier: Apache-2.0
"""Where two recordings of outputs differ first."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gavel_fast.pin_block import OutputBlock, get_pins

RDATA = "rdata"
"""Instead of the name of a port's pin: `reg_rdata`."""


class Difference(NamedTuple):
    """A pin that is not as expected.

    Attributes
    ----------
    cycle
        Row of the block.
    port
        Number of the port; None if the pin belongs to none.
    pin
        Name as in `gavel_model.pins.TxPins`, or `RDATA`.
    expected, got
        The two values.
    """

    cycle: int
    port: int | None
    pin: str
    expected: int
    got: int

    def __str__(self) -> str:
        where = "" if self.port is None else f", port {self.port}"
        return (f"cycle {self.cycle}{where}: {self.pin} is 0x{self.got:x}, "
                f"expected 0x{self.expected:x}")


def first_difference(expected: OutputBlock, got: OutputBlock) -> Difference | None:
    """The first difference in time, of one cycle that of the lowest port and its first pin, with
    `RDATA` last; None if there is none.

    Raises
    ------
    ValueError
        If the blocks have not the same shape.
    """
    for name, one, other in _arrays(expected, got):
        if one.shape != other.shape:
            raise ValueError(f"{name}: shape {other.shape} is compared with {one.shape}")
    rows = [_first_row(one, other) for _, one, other in _arrays(expected, got)]
    cycle = min((row for row in rows if row is not None), default=None)
    if cycle is None:
        return None
    for port in range(expected.tx.flags.shape[1]):
        right, wrong = get_pins(expected.tx, cycle, port), get_pins(got.tx, cycle, port)
        for pin, value in right.items():
            if wrong[pin] != value:
                return Difference(cycle, port, pin, value, wrong[pin])
    return Difference(cycle, None, RDATA, int(expected.rdata[cycle]), int(got.rdata[cycle]))


def _arrays(expected: OutputBlock, got: OutputBlock) -> list[tuple[str, Any, Any]]:
    pairs = zip(expected.tx._fields, expected.tx, got.tx, strict=True)
    return [*pairs, (RDATA, expected.rdata, got.rdata)]


def _first_row(one: Any, other: Any) -> int | None:
    if np.array_equal(one, other):
        return None
    differ = (one != other).reshape(len(one), -1).any(axis=1)
    return int(np.argmax(differ))
