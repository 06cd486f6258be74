# SPDX-License-Identifier: Apache-2.0
"""A Verilated switch with its self-test, as a board is: it runs, and software reads and writes its
registers through AXI4-Lite. Every port is looped back."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gavel_model.axi_lite import Response
from gavel_model.config import SwitchConfig
from gavel_model.top_options import TopOptions
from gavel_tb.build_cache import DEFAULT_CACHE, BuildCache, Design
from gavel_tb.effort import LIBRARY_COMPILE, SHORT, Effort
from gavel_tb.errors import SimulationError
from gavel_tb.loopback_harness import loopback_harness
from gavel_tb.native_build import HANDLE, LIBRARY_LINK, Driver, build_native
from gavel_tb.native_library import NativeSimulation
from gavel_tb.process import orderly_termination

_SOURCE = Path(__file__).with_name("cpp") / "selftest.cpp"
_DRIVER = Driver("selftest", _SOURCE, "selftest.so", LIBRARY_COMPILE, LIBRARY_LINK, HANDLE)
OPTIONS = TopOptions(registers="axi_lite", self_test=True)
"""Top level of the board."""


class NativeSelfTest(NativeSimulation):
    """A board of one's own; a context manager.

    Parameters
    ----------
    config
        The switch.
    design
        Verilog to use instead of that of ``config``; a top level with `TopOptions` ``self_test``
        and ``registers`` = ``axi_lite``.
    arguments
        Plus-arguments of the simulation.
    options
        Top level of the board; with ``self_test`` and ``axi_lite``.

    Raises
    ------
    SimulationError
        If a tool is missing or the build fails.
    """

    def __init__(
        self, config: SwitchConfig, *, cache: Path = DEFAULT_CACHE, design: Design | None = None,
        arguments: Sequence[str] = (), effort: Effort = SHORT, options: TopOptions = OPTIONS,
    ) -> None:
        store = BuildCache(cache)
        with orderly_termination():
            design = design or store.design(config, options)
            path = build_native(config, design, store, _DRIVER, effort,
                                loopback_harness(config, design, options))
        library = ctypes.CDLL(str(path))
        handle, number = ctypes.c_void_p, ctypes.c_uint32
        for name, result, types in (
            ("new", handle, [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]),
            ("run", ctypes.c_uint64, [handle, ctypes.c_uint64]),
            ("write", ctypes.c_int, [handle, number, number]),
            ("read", ctypes.c_int, [handle, number, ctypes.POINTER(number)]),
            ("record", None, [handle, ctypes.c_void_p]),
            ("shown_bytes", ctypes.c_int, []),
            ("del", None, [handle]),
        ):
            function = getattr(library, f"sim_{name}")
            function.restype, function.argtypes = result, types
        self._library = library
        words = [b"selftest", *(text.encode() for text in arguments)]
        # Verilator keeps no copy of its own of what a plus-argument is read from.
        self._arguments = (ctypes.c_char_p * len(words))(*words)
        self._sim = library.sim_new(len(words), self._arguments)
        self.run(config.table_init_cycles)

    def run(self, cycles: int) -> int:
        """Lets so many cycles go by; cycles since the reset. Other threads run meanwhile."""
        return int(self._library.sim_run(self._sim, cycles))

    def record(self, cycles: int) -> npt.NDArray[np.uint8]:
        """Rows that are filled from now on, one in each of the next cycles, of which there must be
        no more: what the ports show, groups as in `gavel_tb.harness`."""
        rows = np.zeros((cycles, self._library.sim_shown_bytes()), np.uint8)
        self._rows = rows
        self._library.sim_record(self._sim, rows.ctypes.data)
        return rows

    def write(self, address: int, value: int) -> None:
        """Writes a register at a byte address.

        Raises
        ------
        SimulationError
            The answer is an error, or there is none.
        """
        self._answered(self._library.sim_write(self._sim, address, value), "write", address)

    def read(self, address: int) -> int:
        """Reads the register at a byte address.

        Raises
        ------
        SimulationError
            The answer is an error, or there is none.
        """
        value = ctypes.c_uint32()
        self._answered(self._library.sim_read(self._sim, address, ctypes.byref(value)), "read",
                       address)
        return value.value

    @staticmethod
    def _answered(response: int, what: str, address: int) -> None:
        if response != Response.OKAY:
            said = "no answer" if response < 0 else Response(response).name
            raise SimulationError(f"AXI4-Lite {what} of 0x{address:05X}: {said}")
