# SPDX-License-Identifier: Apache-2.0
"""One-hot vectors: encoding, and AND-OR selection."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Value, ValueLike


def encode(one_hot: ValueLike, width: int) -> Value:
    """The number of the set bit, ``width`` bits; 0 for 0. Pass a Signal."""
    one_hot = Value.cast(one_hot)
    return Cat(
        (one_hot & Const(sum(1 << n for n in range(len(one_hot)) if n >> bit & 1),
                         len(one_hot))).any()
        for bit in range(width)
    )


def select(choices: Sequence[tuple[ValueLike, ValueLike]]) -> Value:
    """AND-OR multiplexer: the value whose 1-bit condition is set; 0 if none is.

    Parameters
    ----------
    choices
        Pairs (condition, value) with at most one condition set at a time.
    """
    masked = []
    for condition, value in choices:
        value = Value.cast(value)
        masked.append(Value.cast(condition).replicate(len(value)) & value)
    return reduce(or_, masked)
