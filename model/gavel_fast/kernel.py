# SPDX-License-Identifier: Apache-2.0
"""The compiled code: when it is compiled, and where it is kept (docs/fast_model.md)."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np

import gavel_model
from gavel_fast import cycle
from gavel_fast.pin_block import InputBlock, OutputBlock, PinBlock, input_block, output_block
from gavel_fast.state import SwitchState, switch_state
from gavel_model.loader import load_config

Kernel = Callable[[SwitchState, InputBlock, OutputBlock, int], int]

_STAMP_BYTES = 7
"""Fits a signed number."""


def source_stamp(folders: tuple[Path, ...]) -> int:
    """A number that changes with the text of the modules in some folders."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return int.from_bytes(digest.digest()[:_STAMP_BYTES], "little")


@cache
def kernel() -> Kernel:
    """The compiled code, compiled or loaded; once a process.

    It steps through the rows of a block from a first one on, and returns the number of rows done.
    A row with ``reset`` is the last: what it shows is written, and whoever calls gives the state
    its reset values.

    The blocks that it takes are those of `signed_inputs` and `signed_outputs`. Without a folder
    that can be written to it is compiled in every process.
    """
    stamp = source_stamp((Path(__file__).parent, Path(gavel_model.__file__).parent))

    def run(state: SwitchState, inputs: InputBlock, outputs: OutputBlock, first: int) -> int:
        # numba knows a function by its own file and the variables that it takes from around it,
        # not by the functions that it calls: hence the stamp.
        rows = len(inputs.reset) if stamp else 0
        for row in range(first, rows):
            cycle.show(state, outputs, row)
            if inputs.reset[row]:
                return row + 1
            cycle.step(state, inputs, row)
        cycle.look(state)
        return rows

    options: dict[str, Any] = {"error_model": "numpy", "_nrt": False}
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]  # made at import
        return _interpreted(run)
    try:
        compiled_run: Any = numba.njit(cache=True, **options)(run)
        folder = Path(compiled_run.stats.cache_path)
        folder.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(folder):
            _call(compiled_run)
    except (RuntimeError, OSError):  # numba finds no folder, or one that it cannot write to.
        compiled_run = numba.njit(**options)(run)
        _call(compiled_run)
    return compiled_run


def _call(run: Kernel) -> None:
    """Has the code made: no cycle of a small switch."""
    config = load_config("tiny")
    run(switch_state(config), signed_inputs(input_block(config, 0)),
        signed_outputs(output_block(config, 0)), 0)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Of processes that start together one compiles, and the others wait for what it keeps."""
    with (folder / "gavel_fast.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def signed_inputs(inputs: InputBlock) -> InputBlock:
    """The same inputs in the one type of numbers of compiled code, copied where they are not
    contiguous."""
    rx, *others = inputs
    ready, ctl_ready, register, reset = map(_contiguous, others)
    return InputBlock(_signed_pins(PinBlock(*map(_contiguous, rx))), ready.view(np.int64),
                      ctl_ready.view(np.int64), register.view(np.int64), reset)


def signed_outputs(outputs: OutputBlock) -> OutputBlock:
    """The same memory in the one type of numbers of compiled code."""
    return OutputBlock(_signed_pins(outputs.tx), outputs.rdata)


def _signed_pins(pins: PinBlock) -> PinBlock:
    return PinBlock(pins.flags, pins.seq, pins.ctl.view(np.int64), pins.data.view(np.int64))


def _contiguous(array: Any) -> Any:
    """The array, or a copy of the one kind that the compiled code takes."""
    return array if array.flags.carray else np.array(array, order="C")


def _interpreted(run: Kernel) -> Kernel:
    """The same in plain Python, where numpy tells of each product that does not fit 64 bits."""

    def run_quietly(
        state: SwitchState, inputs: InputBlock, outputs: OutputBlock, first: int
    ) -> int:
        with np.errstate(over="ignore"):
            return run(state, inputs, outputs, first)

    return run_quietly
