# SPDX-License-Identifier: Apache-2.0
"""Pointers into a ring of any depth.

A pointer is an index and, above it, a bit that changes with every lap: it tells a full ring from
an empty one. The depth need not be a power of two.
"""

from amaranth.hdl import Cat, Const, Mux, Value, ValueLike


def index_bits(depth: int) -> int:
    """Width of an index, 0...depth-1."""
    return (depth - 1).bit_length()


def pointer_bits(depth: int) -> int:
    """Width of a pointer: index and lap bit."""
    return index_bits(depth) + 1


def index(pointer: ValueLike) -> Value:
    """The index in a pointer."""
    return Value.cast(pointer)[:-1]


def after(place: int, depth: int) -> int:
    """The pointer to the place after ``place`` of the first lap."""
    return place + 1 if place + 1 < depth else 1 << index_bits(depth)


def before(place: int, depth: int) -> int:
    """The pointer to the place before ``place`` of the first lap; of 0 it is of another lap."""
    return place - 1 if place else depth - 1 | 1 << index_bits(depth)


def following(pointer: ValueLike, depth: int) -> Value:
    """The pointer to the next place. Pass a Signal."""
    pointer = Value.cast(pointer)
    plus_one = (pointer + 1)[:len(pointer)]
    if depth & (depth - 1) == 0:
        return plus_one
    around = Cat(Const(0, len(pointer) - 1), ~pointer[-1])
    return Mux(index(pointer) == depth - 1, around, plus_one)


def distance(later: ValueLike, earlier: ValueLike, depth: int) -> Value:
    """Places from ``earlier`` to ``later``, 0...depth. Pass Signals."""
    later, earlier = Value.cast(later), Value.cast(earlier)
    if depth & (depth - 1) == 0:
        return (later - earlier)[:len(later)]
    lap = Mux(later[-1] ^ earlier[-1], depth, 0)
    return (index(later) - index(earlier) + lap)[:len(later)]
