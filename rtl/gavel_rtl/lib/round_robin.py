# SPDX-License-Identifier: Apache-2.0
"""Round-robin choice on one-hot vectors.

A pointer p is kept as a mask of the bits >= p (0 for pointer 0), so that choosing is two
carry chains and no comparison. ``pointer_after`` makes the mask for "one behind the winner".
"""

from amaranth.hdl import Cat, Const, Mux, Value, ValueLike


def first(request: ValueLike) -> Value:
    """The lowest set bit of ``request`` as a one-hot value of the same width; 0 if none."""
    request = Value.cast(request)
    return (request & (~request + 1))[:len(request)]


def pick(request: ValueLike, mask: ValueLike) -> Value:
    """The first set bit of ``request`` at or after a pointer, or, if there is none, the first.

    Parameters
    ----------
    request
        Candidates, n bits. Used several times: pass a Signal, not a large expression.
    mask
        n bits, ones at and above the pointer. 0 counts as pointer 0.

    Returns
    -------
    One-hot value of n bits, 0 if nothing requests.
    """
    request = Value.cast(request)
    masked = request & mask
    return Mux(masked.any(), first(masked), first(request))


def pointer_after(winner: ValueLike) -> Value:
    """Mask for the pointer behind a one-hot ``winner``: the bits above it; 0 after the last."""
    winner = Value.cast(winner)
    width = len(winner)
    # For a one-hot x, -2x has ones exactly above x.
    return (~Cat(Const(0, 1), winner)[:width] + 1)[:width]
