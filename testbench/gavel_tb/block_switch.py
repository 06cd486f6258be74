# SPDX-License-Identifier: Apache-2.0
"""A switch that runs blocks of cycles, whatever is behind it."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from gavel_fast.pin_block import InputBlock, OutputBlock, get_inputs, put_outputs
from gavel_model.config import SwitchConfig
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

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class PlainSwitch:
    """The golden model in plain Python behind `BlockSwitch`, for what needs no speed."""

    def __init__(self, config: SwitchConfig) -> None:
        self._model = Switch(config)

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        """See `BlockSwitch`."""
        model = self._model
        for cycle in range(len(inputs.reset)):
            put_outputs(outputs, cycle, model.tx, model.rdata)
            model.step(get_inputs(inputs, cycle))

    def reset(self) -> None:
        """See `BlockSwitch`."""
        self._model.reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
