# SPDX-License-Identifier: Apache-2.0
"""The switch as an object: blocks of cycles in and out, reset, counters, probe points."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gavel_fast.kernel import kernel, signed_inputs, signed_outputs
from gavel_fast.pin_block import InputBlock, OutputBlock, input_block, output_block
from gavel_fast.probes import probe_values
from gavel_fast.state import registers_of, switch_state
from gavel_model.config import SwitchConfig


class FastSwitch:
    """The golden model, compiled: every pin and probe point is that of `gavel_model.switch.Switch`
    in every cycle.

    The first one in a process loads the compiled code, or compiles it (`gavel_fast.kernel`).

    Attributes
    ----------
    config
        Its parameters.
    cycle
        Cycles stepped since construction.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self.config = config
        self.cycle = 0
        self._run = kernel()
        self._state = switch_state(config)
        self._registers = list(registers_of(self._state))
        self._reset_values = [array.copy() for array in self._registers]
        self._in_shapes = _shapes(input_block(config, 0))
        self._out_shapes = _shapes(output_block(config, 0))

    def reset(self) -> None:
        """Gives everything its reset value; ``cycle`` goes on."""
        for array, value in zip(self._registers, self._reset_values, strict=True):
            array[...] = value

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        """Steps as many cycles as ``inputs`` has rows and fills ``outputs``.

        Raises
        ------
        ValueError
            If an array has another shape or type than `pin_block.input_block` and
            `pin_block.output_block` give for this switch, or ``outputs`` is not contiguous.
        """
        cycles = len(inputs.reset)
        _check(inputs, self._in_shapes, cycles, "inputs")
        _check(outputs, self._out_shapes, cycles, "outputs")
        taken, given = signed_inputs(inputs), signed_outputs(outputs)
        row = 0
        while row < cycles:
            row = int(self._run(self._state, taken, given, row))
            if inputs.reset[row - 1]:
                self.reset()
        self.cycle += cycles

    def counters(self) -> npt.NDArray[np.uint32]:
        """A copy of all counters, (P, `gavel_model.register_map.COUNTERS`)."""
        return self._state.counters.copy()

    def probe_values(self) -> list[int]:
        """Values of `gavel_model.probes.probe_points` in the current cycle, in its order."""
        return probe_values(self.config, self._state)


def _arrays(block: Any) -> list[tuple[str, npt.NDArray[Any]]]:
    """The arrays of a block, by name."""
    found: list[tuple[str, npt.NDArray[Any]]] = []
    for name, item in zip(block._fields, block, strict=True):
        found += [(name, item)] if isinstance(item, np.ndarray) else _arrays(item)
    return found


def _shapes(block: Any) -> list[tuple[tuple[int, ...], np.dtype[Any]]]:
    """For each array the shape of a row, and its type."""
    return [(array.shape[1:], array.dtype) for _, array in _arrays(block)]


def _check(
    block: Any, shapes: list[tuple[tuple[int, ...], np.dtype[Any]]], cycles: int, what: str
) -> None:
    for (name, array), (row, dtype) in zip(_arrays(block), shapes, strict=True):
        if array.shape != (cycles, *row) or array.dtype != dtype:
            raise ValueError(f"{what}.{name}: {array.dtype} {array.shape}: must be {dtype} "
                             f"{(cycles, *row)}")
        if what == "outputs" and not array.flags.carray:
            raise ValueError(f"{what}.{name}: must be contiguous and writable")
