# SPDX-License-Identifier: Apache-2.0
"""What can step a switch through blocks of cycles, by name."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np

from gavel_fast.pin_block import InputBlock, OutputBlock, get_pins, output_block
from gavel_model.config import SwitchConfig
from gavel_tb.block_switch import BlockSwitch
from gavel_tb.build_cache import DEFAULT_CACHE
from gavel_tb.plain_switch import PlainSwitch
from gavel_tb.stimulus import CheckError
from gavel_tb.traffic_options import check_choice

ENGINES = ("model", "rtl", "both")
"""The golden model in plain Python; the Verilated switch; both, compared at every pin."""


def open_engine(name: str, config: SwitchConfig, cache: Path = DEFAULT_CACHE) -> BlockSwitch:
    """A switch after reset, to be used as a context manager.

    Raises
    ------
    ValueError
        For an unknown name.
    SimulationError
        If the RTL cannot be built.
    """
    check_choice("engine", name, ENGINES)
    if name == "model":
        return PlainSwitch(config)
    # Imported here, so that the model alone runs where no simulator is installed.
    from gavel_tb.native_library import NativeSwitch

    rtl = NativeSwitch(config, cache=cache)
    return rtl if name == "rtl" else Compared(config, PlainSwitch(config), rtl)


class Compared:
    """Two switches that must show the same.

    Parameters
    ----------
    config
        Of both.
    model, rtl
        What comes out of `run` is what the first shows.
    """

    def __init__(self, config: SwitchConfig, model: BlockSwitch, rtl: BlockSwitch) -> None:
        self._config = config
        self._switches = model, rtl
        self._stack = ExitStack()
        self._cycle = 0

    def __enter__(self) -> Self:
        for switch in self._switches:
            self._stack.enter_context(switch)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def reset(self) -> None:
        """See `BlockSwitch`."""
        for switch in self._switches:
            switch.reset()
        self._cycle = 0

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        """See `BlockSwitch`.

        Raises
        ------
        CheckError
            Names the first cycle, port and pin in which the two differ.
        """
        model, rtl = self._switches
        other = output_block(self._config, len(inputs.reset))
        model.run(inputs, outputs)
        rtl.run(inputs, other)
        raise_difference(outputs, other, self._cycle)
        self._cycle += len(inputs.reset)


def raise_difference(model: OutputBlock, rtl: OutputBlock, first: int = 0) -> None:
    """Compares two blocks, whose first cycle is ``first``.

    Raises
    ------
    CheckError
        Names the first cycle, port and pin in which they differ.
    """
    if (np.array_equal(model.tx.flags, rtl.tx.flags) and np.array_equal(model.tx.seq, rtl.tx.seq)
            and np.array_equal(model.tx.ctl, rtl.tx.ctl)
            and np.array_equal(model.tx.data, rtl.tx.data)
            and np.array_equal(model.rdata, rtl.rdata)):
        return
    for cycle in range(len(model.rdata)):
        for port in range(model.tx.flags.shape[1]):
            shown, other = get_pins(model.tx, cycle, port), get_pins(rtl.tx, cycle, port)
            for name, value in shown.items():
                if other[name] != value:
                    raise CheckError(f"cycle {first + cycle}: p{port}_tx_{name} is "
                                     f"0x{value:X} in the model, 0x{other[name]:X} in the RTL")
        if model.rdata[cycle] != rtl.rdata[cycle]:
            raise CheckError(f"cycle {first + cycle}: reg_rdata is 0x{model.rdata[cycle]:X} in the "
                             f"model, 0x{rtl.rdata[cycle]:X} in the RTL")
