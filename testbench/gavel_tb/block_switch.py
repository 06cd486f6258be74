# SPDX-License-Identifier: Apache-2.0
"""A switch that runs blocks of cycles, whatever is behind it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gavel_fast.pin_block import InputBlock, OutputBlock


class BlockSwitch(Protocol):
    """RTL or model; the cycle after construction or `reset` is the first after the reset."""

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        """Consumes all rows of ``inputs`` and fills as many of ``outputs``. The next call goes on
        where this one ends."""
        ...

    def reset(self) -> None:
        """Back to the first cycle."""
        ...


Block = InputBlock | OutputBlock


def block_arrays(block: Block) -> list[npt.NDArray[Any]]:
    """The arrays of a block, those of the pins first."""
    return [*block[0], *block[1:]]


class ModelSwitch(BlockSwitch, Protocol):
    """A model."""

    def counters(self) -> npt.NDArray[np.uint32]:
        """All counters, (P, `gavel_model.register_map.COUNTERS`)."""
        ...
