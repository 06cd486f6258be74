# SPDX-License-Identifier: Apache-2.0
"""Sums of three numbers in one carry chain, comparisons that are sums, and sums of which only
matters whether they are 0."""

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


def not_zero(one: ValueLike, other: ValueLike) -> Value:
    """Whether the sum of two numbers of the same width is 0, without a carry: modulo 2**n it is if
    the low n bits of what this gives are."""
    one, other = Value.cast(one), Value.cast(other)
    # In such a sum every bit behind the first 1 of either number is carried into.
    return (one ^ other ^ Cat(Const(0, 1), one | other))[:len(one)]
