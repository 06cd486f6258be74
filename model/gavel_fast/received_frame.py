# SPDX-License-Identifier: Apache-2.0
"""What a port knows of words and frames between its pins and its buffer.

A pipeline of arrays: what was on the pins in cycle t stands in place t mod 8.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast.compiled import Ints
from gavel_fast.sizes import CELL_LANES, LANE_BYTES, STAGES
from gavel_model.config import SwitchConfig

LENGTH = 0
LLR = 1
SEQ = 2
ERROR = 3
FCS = 4
"""`GOOD`, `POISONED_FCS` or `BAD`."""

REASON = 5
"""Number of the counter of frames dropped or consumed that counts it; 0: nothing is wrong."""

POISONED = 6
"""It was accepted with a poisoned FCS."""

PROFILE = 7
VC = 8
OUTPUT = 9
REFUSAL = 10
"""The same as `REASON`, of `Parser` and `Lookup`; it counts if there is no other."""

_COUNT = 11

GOOD = 0
POISONED_FCS = 1
BAD = 2


class ReceivedFrames(NamedTuple):
    """Words and frames under way.

    ``word`` (P, 8, W/64), ``ctl`` (P, 8); of the frame whose last word was on the pins: ``info``
    (P, 8, fields) and ``head`` (P, 8, 8), its first 64 bytes.
    """

    word: Ints
    ctl: Ints
    info: Ints
    head: Ints


def received_frames(config: SwitchConfig) -> ReceivedFrames:
    """Reset values."""
    shape = config.ports, STAGES
    return ReceivedFrames(
        np.zeros((*shape, config.word_bytes // LANE_BYTES), np.int64), np.zeros(shape, np.int64),
        np.zeros((*shape, _COUNT), np.int64), np.zeros((*shape, CELL_LANES), np.int64),
    )
