# SPDX-License-Identifier: Apache-2.0
"""Sums of three numbers in one carry chain, and comparisons that are sums."""

from amaranth.hdl import Cat, Const, Value, ValueLike


def add_three(one: ValueLike, two: ValueLike, three: ValueLike, *more: ValueLike) -> Value:
    """The sum of three numbers of the same width and up to two bits, ``more``, modulo that width.

    A carry-save adder makes two numbers of the three. Pass Signals.
    """
    a, b, c = (Value.cast(number) for number in (one, two, three))
    bits = len(a)
    total, carry = a ^ b ^ c, a & b | a & c | b & c
    # Two places are free: below both numbers, and the lowest of the carries.
    below, lowest, *_ = (*(Value.cast(bit) for bit in more), Const(0, 1), Const(0, 1))
    return (Cat(below, total) + Cat(below, lowest, carry[:bits - 1]))[1:bits + 1]


def less_both(number: ValueLike, one: ValueLike, other: ValueLike) -> Value:
    """``number`` - ``one`` - ``other``, modulo the width of ``number``, the widest."""
    number = Value.cast(number)
    wide = (Cat(value, Const(0, len(number) - len(Value.cast(value)))) for value in (one, other))
    return add_three(number, *(~value for value in wide), Const(1, 1), Const(1, 1))


def is_less(one: ValueLike, other: ValueLike) -> Value:
    """Whether one number is less than another, both unsigned: the highest bit of their difference.
    Of a carry chain that is an output; its last carry is made by a look-up table behind it."""
    one, other = Value.cast(one), Value.cast(other)
    bits = max(len(one), len(other))
    return (one - other)[:bits + 1][bits]
