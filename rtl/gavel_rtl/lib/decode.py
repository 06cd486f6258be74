# SPDX-License-Identifier: Apache-2.0
"""Decoding of an address: is it one of many?"""

from collections.abc import Collection

from amaranth.hdl import Const, Value


def is_one_of(value: Value, numbers: Collection[int]) -> Value:
    """1 if ``value`` is one of ``numbers``, compared in aligned blocks of them.

    Numbers that differ in one bit only are compared together, without that bit, again and again:
    so 0...0x5F of 8 bits are two comparisons, of three and of one bit.
    """
    patterns = _patterns(numbers, len(value))
    return value.matches(*patterns) if patterns else Const(0, 1)


def _patterns(numbers: Collection[int], width: int) -> list[str]:
    """Disjoint patterns of ``0``, ``1`` and ``-`` that match the numbers and nothing else."""
    patterns = {f"{number:0{width}b}" for number in numbers}
    for place in reversed(range(width)):
        for pattern in sorted(patterns):
            head, tail = pattern[:place], pattern[place + 1:]
            pair = {f"{head}0{tail}", f"{head}1{tail}"}
            if pair <= patterns:
                patterns = patterns - pair | {f"{head}-{tail}"}
    return sorted(patterns)
