# SPDX-License-Identifier: Apache-2.0
"""Random numbers by count: draw n of a key is a function of both, the same on every machine.

The function is SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators,
OOPSLA 2014), whose state is a counter: only whole numbers of 64 bits, so no machine rounds
otherwise.
"""

from __future__ import annotations

import numpy as np

from gavel_fast.compiled import compiled
from gavel_tb.stimulus import derived_random

SHARE_BITS = 53
"""Bits of a draw that decide whether something with a given probability happens."""

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_DROPPED = np.uint64(64 - SHARE_BITS)


@compiled
def draw(key: np.uint64, count: np.uint64) -> np.uint64:
    """Draw ``count`` of a key: 64 random bits."""
    z = key + (count + np.uint64(1)) * _STEP
    z = (z ^ z >> _30) * _FIRST
    z = (z ^ z >> _27) * _SECOND
    return z ^ z >> _31


@compiled
def happens(bits: np.uint64, threshold: np.uint64) -> bool:
    """Whether a draw falls below `threshold_of` a probability."""
    return bool(bits >> _DROPPED < threshold)


@compiled
def below(bits: np.uint64, limit: int) -> int:
    """A number in 0...limit-1; its probability is off by less than limit / 2**32."""
    return int(np.int64((bits >> _32) * np.uint64(limit) >> _32))


def threshold_of(probability: float) -> np.uint64:
    """What `happens` compares with, for a probability of 0...1."""
    return np.uint64(round(probability * (1 << SHARE_BITS)))


def key_of(seed: int, name: str, index: int = 0) -> np.uint64:
    """Key of one part of the stimulus."""
    return np.uint64(derived_random(seed, name, index).getrandbits(64))
