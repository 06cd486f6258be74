# SPDX-License-Identifier: Apache-2.0
"""Shared exclusive-ors are those of the matrix, and fewer."""

from __future__ import annotations

import random

import pytest

from gavel_rtl.lib import crc
from gavel_rtl.lib.xor_network import xor_network

INPUTS_OF_A_LUT = 4


def luts(terms: int) -> int:
    """LUTs of an exclusive-or of so many bits."""
    return -(-(terms - 1) // (INPUTS_OF_A_LUT - 1))


@pytest.mark.parametrize("width", [64, 100])
def test_crc_of_a_word(width: int, seed: int) -> None:
    rows = crc.rows(crc.data_columns(width))
    network = xor_network(rows, width)
    rng = random.Random(seed)
    for _ in range(50):
        value = rng.getrandbits(width)
        terms = [value >> n & 1 for n in range(width)]
        for part in network.parts:
            terms.append(sum(terms[n] for n in part) & 1)
        assert [sum(terms[n] for n in output) & 1 for output in network.outputs] == [
            (value & row).bit_count() & 1 for row in rows]
    assert all(len(part) <= INPUTS_OF_A_LUT for part in network.parts)
    shared = len(network.parts) + sum(luts(len(output)) for output in network.outputs)
    assert shared < 0.65 * sum(luts(row.bit_count()) for row in rows)
