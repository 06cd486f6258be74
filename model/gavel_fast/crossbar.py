# SPDX-License-Identifier: Apache-2.0
"""Words on their way from inputs to outputs (docs/spec.md, Crossbar)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast.compiled import Ints
from gavel_fast.sizes import LANE_BYTES, STAGES
from gavel_model.config import SwitchConfig

FLAGS = 0
"""`gavel_fast.pin_block` flags VALID, SOP and EOP, and ``empty`` above them."""

LENGTH = 1
"""Of the frame, bytes with FCS; 0 of a control frame, which costs no crediting."""

WORDS = 2
VC = 3
MARKED = 4
POISONED = 5
_COUNT = 6


class Crossbar(NamedTuple):
    """The registers of each output, up to `LlrTransmitter`; a word read in cycle c stands in place
    c mod 8.

    ``arrived`` (8): outputs for which there is a word; ``word`` (P, 8, W/64), ``info``
    (P, 8, fields).
    """

    arrived: Ints
    word: Ints
    info: Ints


def crossbar(config: SwitchConfig) -> Crossbar:
    """Reset values."""
    shape = config.ports, STAGES
    return Crossbar(
        np.zeros(STAGES, np.int64),
        np.zeros((*shape, config.word_bytes // LANE_BYTES), np.int64),
        np.zeros((*shape, _COUNT), np.int64),
    )
