# SPDX-License-Identifier: Apache-2.0
"""What can step a switch through blocks of cycles, by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from gavel_fast.difference import first_difference
from gavel_fast.pin_block import InputBlock, OutputBlock, output_block
from gavel_fast.switch import FastSwitch
from gavel_model.config import SwitchConfig
from gavel_tb.build_cache import DEFAULT_CACHE
from gavel_tb.plain_switch import PlainSwitch
from gavel_tb.stimulus import CheckError
from gavel_tb.traffic_options import check_choice

ENGINES = ("fast", "model", "rtl", "both")
"""The golden model compiled; in plain Python; the Verilated switch; the first and the third,
compared at every pin."""


class Engine(Protocol):
    """A switch."""

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        """As `gavel_tb.block_switch.BlockSwitch.run`."""
        ...


@contextmanager
def open_engine(name: str, config: SwitchConfig, cache: Path = DEFAULT_CACHE) -> Iterator[Engine]:
    """A switch after reset.

    Raises
    ------
    ValueError
        For an unknown name.
    SimulationError
        If the RTL cannot be built.
    """
    check_choice("engine", name, ENGINES)
    if name == "model":
        yield PlainSwitch(config)
    elif name == "fast":
        yield FastSwitch(config)
    else:
        # Imported here, so that the model alone runs where no simulator is installed.
        from gavel_tb.effort import SHORT
        from gavel_tb.native_library import NativeSwitch

        with NativeSwitch(config, cache=cache, effort=SHORT) as rtl:
            yield rtl if name == "rtl" else Compared(config, FastSwitch(config), rtl)


class Compared:
    """Two switches that must show the same.

    Parameters
    ----------
    config
        Of both.
    model, rtl
        What comes out of `run` is what the model shows.
    """

    def __init__(self, config: SwitchConfig, model: Engine, rtl: Engine) -> None:
        self._config = config
        self._model = model
        self._rtl = rtl
        self._cycle = 0

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        """See `Engine`.

        Raises
        ------
        CheckError
            Names the first cycle, port and pin in which the two differ.
        """
        shown = output_block(self._config, len(inputs.reset))
        self._model.run(inputs, outputs)
        self._rtl.run(inputs, shown)
        difference = first_difference(outputs, shown)
        if difference is not None:
            where = difference._replace(cycle=self._cycle + difference.cycle)
            raise CheckError(f"RTL and model differ: {where}")
        self._cycle += len(inputs.reset)
