# SPDX-License-Identifier: Apache-2.0
"""The Verilated switch as a shared library in this process: thousands of cycles in one call."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from gavel_fast import pin_block
from gavel_fast.pin_block import InputBlock, OutputBlock, input_block, output_block
from gavel_model.config import SwitchConfig
from gavel_tb.block_switch import Block, block_arrays
from gavel_tb.build_cache import DEFAULT_CACHE, BuildCache, Design
from gavel_tb.effort import LIBRARY_COMPILE, SHORT, Effort
from gavel_tb.errors import SimulationError
from gavel_tb.harness import harness_layout
from gavel_tb.lockstep import RESET_CYCLES
from gavel_tb.native_build import HANDLE, LIBRARY_LINK, Driver, build_native
from gavel_tb.process import orderly_termination

_SOURCE = Path(__file__).with_name("cpp") / "library.cpp"
_FLAGS = ("valid", "sop", "eop", "err", "llr", "ctl_valid", "up")


def _layout_header(config: SwitchConfig) -> str:
    """Text of ``layout.h``: constants of the wrapper's ports and of `gavel_fast.pin_block`."""
    layout = harness_layout(config)
    offsets = dict(zip(layout.pins.names, layout.pins.offsets, strict=True))
    widths = dict(zip(layout.pins.names, layout.pins.widths, strict=True))
    values = {
        "Ports": config.ports, "PortBytes": layout.port_bytes,
        "Lanes": config.data_width // pin_block.LANE_BITS, "EmptyShift": pin_block.EMPTY_SHIFT,
        **{f"{_camel(name)}At": offset for name, offset in offsets.items()},
        **{f"{_camel(name)}Bits": widths[name] for name in ("empty", "seq", "ctl")},
        **{f"{_camel(name)}Flag": getattr(pin_block, name.upper()).bit_length() - 1
           for name in _FLAGS},
    }
    lines = [f"constexpr int k{name} = {value};" for name, value in values.items()]
    return "\n".join(["// SPDX-License-Identifier: Apache-2.0", *lines, ""])


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def build_library(
    config: SwitchConfig, design: Design, cache: BuildCache, effort: Effort = SHORT
) -> Path:
    """The shared library of a design, built unless the cache has it.

    Raises
    ------
    SimulationError
        If the build fails.
    """
    driver = Driver("library", _SOURCE, "switch.so", LIBRARY_COMPILE, LIBRARY_LINK,
                    {**HANDLE, "layout.h": _layout_header(config)})
    return build_native(config, design, cache, driver, effort)


class NativeSimulation:
    """A simulation in a library, until it is closed; a context manager."""

    _library: Any
    _sim: int | None

    def close(self) -> None:
        """Frees the simulation, unless that has been done."""
        if self._sim is not None:
            self._library.sim_del(self._sim)
            self._sim = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class NativeSwitch(NativeSimulation):
    """The RTL behind `gavel_tb.block_switch.BlockSwitch`; a context manager.

    Parameters
    ----------
    config
        The switch.
    design
        Verilog to use instead of that of ``config``.
    arguments
        Plus-arguments of the simulation.
    effort
        What the build spends on speed.

    Raises
    ------
    SimulationError
        If a tool is missing or the build fails.
    """

    def __init__(
        self, config: SwitchConfig, *, cache: Path = DEFAULT_CACHE, design: Design | None = None,
        arguments: Sequence[str] = (), effort: Effort = SHORT,
    ) -> None:
        if sys.byteorder != "little":
            raise SimulationError("this machine is big-endian: the kit needs a little-endian one")
        store = BuildCache(cache)
        with orderly_termination():
            path = build_library(config, design or store.design(config), store, effort)
        library = ctypes.CDLL(str(path))
        library.sim_new.restype = ctypes.c_void_p
        library.sim_new.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
        library.sim_run.restype = None
        library.sim_run.argtypes = [ctypes.c_void_p, ctypes.c_uint64,
                                    ctypes.POINTER(ctypes.c_void_p),
                                    ctypes.POINTER(ctypes.c_void_p)]
        library.sim_del.restype = None
        library.sim_del.argtypes = [ctypes.c_void_p]
        self._library = library
        words = [b"switch", *(text.encode() for text in arguments)]
        # Verilator keeps no copy of its own of what a plus-argument is read from.
        self._arguments = (ctypes.c_char_p * len(words))(*words)
        self._like = input_block(config, 0), output_block(config, 0)
        self._reset_pins = input_block(config, RESET_CYCLES)
        self._reset_pins.reset[:] = 1
        self._ignored = output_block(config, RESET_CYCLES)
        self._sim: int | None = None
        self.reset()

    def run(self, inputs: InputBlock, outputs: OutputBlock) -> None:
        """See `BlockSwitch`. Other threads run meanwhile.

        Raises
        ------
        ValueError
            If an array has not the type or shape that `gavel_fast.pin_block` says for the switch
            and the number of cycles, or is not contiguous.
        """
        if self._sim is None:
            raise ValueError("the switch is closed")
        cycles = len(inputs.reset)
        like_inputs, like_outputs = self._like
        self._library.sim_run(self._sim, cycles, _addresses(inputs, like_inputs, cycles),
                              _addresses(outputs, like_outputs, cycles))

    def reset(self) -> None:
        """See `BlockSwitch`. It is a new simulation, memories included, so that nothing of a run
        can depend on the one before."""
        self.close()
        self._sim = self._library.sim_new(len(self._arguments), self._arguments)
        self.run(self._reset_pins, self._ignored)


def _addresses(block: Block, like: Block, cycles: int) -> Any:
    """Addresses of the arrays of a block, for C."""
    result = []
    for array, wanted in zip(block_arrays(block), block_arrays(like), strict=True):
        shape = cycles, *wanted.shape[1:]
        if (array.dtype != wanted.dtype or array.shape != shape
                or not array.flags.c_contiguous):
            raise ValueError(f"block: an array is {array.dtype} {array.shape}, must be contiguous "
                             f"{wanted.dtype} {shape}")
        result.append(array.ctypes.data)
    return (ctypes.c_void_p * len(result))(*result)
