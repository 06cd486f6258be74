# SPDX-License-Identifier: Apache-2.0
"""Round-robin choice on one-hot vectors.

A pointer p is kept as a mask of the bits >= p (0 for pointer 0), so that choosing needs no
comparison. ``pointer_after`` makes the mask for "one behind the winner". What lies below a bit is
found in log2(n) steps, each for all bits at once, and not by a carry through all of them.
"""

from collections.abc import Iterable
from functools import reduce
from itertools import combinations
from operator import or_

from amaranth.hdl import Cat, Const, Mux, Value, ValueLike

FEW = 4
"""Most bits of which each is compared with each other."""


def above(request: ValueLike) -> Value:
    """Bit n is set if a bit of ``request`` below n is set; same width. Pass a Signal."""
    width = len(Value.cast(request))
    found = _shifted(request, 1)
    distance = 1
    while distance < width - 1:
        found = found | _shifted(found, distance)
        distance *= 2
    return found


def _shifted(bits: ValueLike, distance: int) -> Value:
    bits = Value.cast(bits)
    return Cat(Const(0, distance), bits)[:len(bits)]


def first(request: ValueLike) -> Value:
    """The lowest set bit of ``request`` as a one-hot value of the same width; 0 if none. Pass a
    Signal."""
    return Value.cast(request) & ~above(request)


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
    request, mask = Value.cast(request), Value.cast(mask)
    if len(request) <= FEW:
        return pick_of_few(request, _pairs(mask, Const(0, len(request))))
    masked = request & mask
    others = request & ~(above(request) | masked.any().replicate(len(request)))
    return (masked & ~above(masked)) | (others & ~mask)


def pick_preferred(request: ValueLike, mask: ValueLike, preferred: ValueLike) -> Value:
    """As `pick`, of those bits of ``request`` that are in ``preferred`` if there are any. With few
    bits the path from ``request`` is short, whatever the others take."""
    request, mask, preferred = (Value.cast(value) for value in (request, mask, preferred))
    if len(request) <= FEW:
        return pick_of_few(request, _pairs(mask, preferred))
    first_choice = request & preferred
    return pick(Mux(first_choice.any(), first_choice, request), mask)


def order_of_few(mask: ValueLike, preferred: ValueLike) -> Value:
    """For each pair of bits, (0, 1), (0, 2) ... (n-2, n-1), 1 if the lower one goes before the
    other. ``mask`` and ``preferred`` as for `pick_preferred`; n up to `FEW`."""
    return Cat(_pairs(Value.cast(mask), Value.cast(preferred)))


def _pairs(mask: Value, preferred: Value) -> list[Value]:
    """The bits of `order_of_few`."""
    return [Mux(preferred[low] ^ preferred[high], preferred[low], mask[low] | ~mask[high])
            for low, high in combinations(range(len(mask)), 2)]


def pick_of_few(request: ValueLike, order: Iterable[Value]) -> Value:
    """Each bit of ``request`` is chosen if none requests that goes before it by ``order``: a
    register that holds what `order_of_few` makes, or single bits. A bit of a larger expression
    would be written with all of it, each time that it is used."""
    request = Value.cast(request)
    width = len(request)
    beats: dict[tuple[int, int], Value] = {}
    for (low, high), low_first in zip(combinations(range(width), 2), order, strict=True):
        beats[low, high], beats[high, low] = low_first, ~low_first

    def beaten(n: int) -> Value:
        return reduce(or_, (request[k] & beats[k, n] for k in range(width) if k != n), Const(0, 1))

    return Cat(request[n] & ~beaten(n) for n in range(width))


def pointer_after(winner: ValueLike) -> Value:
    """Mask for the pointer behind a one-hot ``winner``: the bits above it; 0 after the last.
    Pass a Signal."""
    return above(winner)
