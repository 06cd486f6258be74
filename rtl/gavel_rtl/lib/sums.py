# SPDX-License-Identifier: Apache-2.0
"""Sums of three numbers in one carry chain."""

from amaranth.hdl import Cat, Const, Value, ValueLike


def add_three(one: ValueLike, two: ValueLike, three: ValueLike, more: int = 0) -> Value:
    """``one`` + ``two`` + ``three`` + ``more``, modulo the width, which is the same for all.

    A carry-save adder makes two numbers of the three. ``more`` is 0, 1 or 2.
    """
    a, b, c = (Value.cast(number) for number in (one, two, three))
    bits = len(a)
    total, carry = a ^ b ^ c, a & b | a & c | b & c
    # Two places are free: below both numbers, and the lowest of the carries.
    below, lowest = (more > n for n in (0, 1))
    return (Cat(Const(below, 1), total)
            + Cat(Const(below, 1), Const(lowest, 1), carry[:bits - 1]))[1:bits + 1]


def less_both(number: ValueLike, one: ValueLike, other: ValueLike) -> Value:
    """``number`` - ``one`` - ``other``, modulo the width of ``number``, the widest."""
    number = Value.cast(number)
    wide = (Cat(value, Const(0, len(number) - len(Value.cast(value)))) for value in (one, other))
    return add_three(number, *(~value for value in wide), 2)
