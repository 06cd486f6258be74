# SPDX-License-Identifier: Apache-2.0
"""The wrapper's ports as bytes in the memory of the running model.

VPI moves a wide signal as text, one character per bit: tens of microseconds for the probe vector
of a small switch. The model lives in this very process, so its top-level signals are read and
written where they lie, as a C++ main would. Works inside a simulation only.
"""

from __future__ import annotations

import ctypes
import sys

from gavel_tb.errors import SimulationError
from gavel_tb.harness import HarnessLayout


class Signal:
    """One port of the wrapper.

    Parameters
    ----------
    name
        Its name there.
    size
        Bytes.

    Raises
    ------
    SimulationError
        If the running model has no such port.
    """

    def __init__(self, name: str, size: int) -> None:
        try:
            lookup = ctypes.CDLL(None).gavel_signal
        except AttributeError:
            raise SimulationError("the running program is not a simulation of the kit") from None
        lookup.restype = ctypes.c_void_p
        lookup.argtypes = [ctypes.c_char_p]
        address = lookup(name.encode())
        if not address:
            raise SimulationError(f"the simulated wrapper has no port {name}")
        self.size = size
        self._address = int(address)
        self._view = memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B")

    def read(self) -> bytes:
        """Value, least significant byte first."""
        return ctypes.string_at(self._address, self.size)

    def write(self, value: bytes) -> None:
        """Sets all bytes; ``value`` has the port's size."""
        self._view[:] = value

    def write_int(self, value: int) -> None:
        """Sets the port to a number."""
        self._view[:] = value.to_bytes(self.size, "little")


class Ports:
    """All ports of the wrapper but the clock."""

    def __init__(self, layout: HarnessLayout) -> None:
        if sys.byteorder != "little":
            raise SimulationError("this machine is big-endian: the kit needs a little-endian one")
        sizes = layout.sizes
        self.rst = Signal("rst", sizes["rst"])
        self.rx = Signal("rx", sizes["rx"])
        self.tx_ready = Signal("tx_ready", sizes["tx_ready"])
        self.tx_ctl_ready = Signal("tx_ctl_ready", sizes["tx_ctl_ready"])
        self.reg_in = Signal("reg_in", sizes["reg_in"])
        self.tx = Signal("tx", sizes["tx"])
        self.reg_rdata = Signal("reg_rdata", sizes["reg_rdata"])
        self.probe = Signal("probe", sizes["probe"])
