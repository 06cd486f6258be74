# SPDX-License-Identifier: Apache-2.0
"""A vector of a probe point that is kept up to date element by element."""

from __future__ import annotations


class PackedElements:
    """Elements of equal width as one number, element 0 in the low bits.

    Attributes
    ----------
    value
        The number.
    """

    __slots__ = ("_bits", "_elements", "value")

    def __init__(self, elements: int, bits: int) -> None:
        self._bits = bits
        self._elements = [0] * elements
        self.value = 0

    def put(self, index: int, element: int) -> None:
        """Gives an element a new value."""
        self.value ^= (self._elements[index] ^ element) << index * self._bits
        self._elements[index] = element
