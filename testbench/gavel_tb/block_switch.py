# SPDX-License-Identifier: Apache-2.0
"""A switch that runs blocks of cycles, whatever is behind it."""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from gavel_fast.pin_block import InputBlock, OutputBlock, get_inputs, put_outputs
from gavel_model.config import SwitchConfig
from gavel_model.register_map import COUNTERS
from gavel_model.switch import Switch


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


class PlainSwitch:
    """The golden model in plain Python behind `BlockSwitch`, for what needs no speed."""

    def __init__(self, config: SwitchConfig) -> None:
        self._config = config
        self.reset()

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        """See `BlockSwitch`."""
        model = self._model
        for cycle in range(len(inputs.reset)):
            put_outputs(outputs, cycle, model.tx, model.rdata)
            model.step(get_inputs(inputs, cycle))

    def reset(self) -> None:
        """See `BlockSwitch`."""
        self._model = Switch(self._config)

    def counters(self) -> npt.NDArray[np.uint32]:
        """See `ModelSwitch`."""
        return np.array([[port.counters[number] for number in range(COUNTERS)]
                         for port in self._model.ports], np.uint32)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
