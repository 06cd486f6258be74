# SPDX-License-Identifier: Apache-2.0
"""Many exclusive-ors of the same bits, sharing parts: fewer LUTs for the matrix of a CRC."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from amaranth.hdl import Cat, Module, Signal, Value, ValueLike

_INPUTS = 4
"""Of a LUT: what a shared part has at most."""

_SLICE = 64
"""Inputs among which parts are looked for."""

_TRIED = 40
"""Best pairs of inputs that a part is tried from."""


@dataclass(frozen=True)
class XorNetwork:
    """Parts, and what each output is the exclusive-or of.

    Attributes
    ----------
    parts
        Of each part the terms that it is the exclusive-or of.
    outputs
        Of each output its terms: an input by its number, part n as the number of inputs + n.
    """

    parts: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]


@cache
def xor_network(rows: tuple[int, ...], inputs: int) -> XorNetwork:
    """A network for a matrix, found greedily: the part first that saves the most LUTs.

    Parameters
    ----------
    rows
        For each output the mask of the inputs that it is the exclusive-or of.
    inputs
        How many inputs there are.
    """
    # For each term the mask of the outputs that have it.
    users = [sum((row >> n & 1) << output for output, row in enumerate(rows))
             for n in range(inputs)]
    parts: list[tuple[int, ...]] = []
    for start in range(0, inputs, _SLICE):
        terms = list(range(start, min(start + _SLICE, inputs)))
        while (found := _best_part(users, terms)) is not None:
            part, outputs = found
            for term in part:
                users[term] &= ~outputs
            terms.append(len(users))
            users.append(outputs)
            parts.append(part)
    return XorNetwork(tuple(parts), tuple(
        tuple(term for term, mask in enumerate(users) if mask >> output & 1)
        for output in range(len(rows))))


def _best_part(users: list[int], terms: list[int]) -> tuple[tuple[int, ...], int] | None:
    """The part that saves most, and the mask of the outputs that have it; None if none saves."""
    pairs = sorted(((users[a] & users[b]).bit_count(), -a, -b)
                   for n, a in enumerate(terms) for b in terms[n + 1:])
    best, saved = None, 0
    for count, a, b in reversed(pairs[-_TRIED:]):
        if count < 2:
            break
        part, outputs = [-a, -b], users[-a] & users[-b]
        while True:
            # A LUT takes the place of a part in each output but costs itself one.
            gain = outputs.bit_count() * (len(part) - 1) - (_INPUTS - 1)
            if gain > saved:
                best, saved = (tuple(part), outputs), gain
            if len(part) == _INPUTS:
                break
            term = max(terms, key=lambda n: n not in part and (users[n] & outputs).bit_count())
            outputs &= users[term]
            if term in part or outputs.bit_count() < 2:
                break
            part.append(term)
    return best


def shared_xor(m: Module, value: ValueLike, rows: Iterable[int], name: str) -> Value:
    """Matrix times vector as `gavel_rtl.lib.crc.multiply`, by a network whose parts are signals.

    Parameters
    ----------
    m
        Where the parts stand.
    value
        Used often: pass a Signal.
    rows
        For each output bit the mask of the bits of ``value``.
    name
        Of the signal with the parts.
    """
    value = Value.cast(value)
    network = xor_network(tuple(rows), len(value))
    parts = Signal(len(network.parts), name=name)
    terms = [*value, *parts]
    m.d.comb += parts.eq(Cat(_xor(terms, part) for part in network.parts))
    return Cat(_xor(terms, output) for output in network.outputs)


def _xor(terms: list[Value], chosen: Iterable[int]) -> Value:
    return Cat(terms[n] for n in chosen).xor()
