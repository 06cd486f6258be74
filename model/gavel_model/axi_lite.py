# SPDX-License-Identifier: Apache-2.0
"""AXI4-Lite in front of the register port (docs/axi_lite.md)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from gavel_model.address_map import AddressMap
from gavel_model.config import SwitchConfig
from gavel_model.pins import NO_ACCESS, RegisterPins
from gavel_model.register_map import SWITCH_MAP, config_values

WORD_BYTES = 4
ALL_STROBES = 0xF


class Response(IntEnum):
    """Values of ``bresp`` and ``rresp`` (AMBA AXI, IHI 0022)."""

    OKAY = 0
    SLVERR = 2


class AxiLitePins(NamedTuple):
    """What the manager drives in one cycle; ``awprot`` and ``arprot`` mean nothing here."""

    awaddr: int = 0
    awvalid: int = 0
    wdata: int = 0
    wstrb: int = 0
    wvalid: int = 0
    bready: int = 0
    araddr: int = 0
    arvalid: int = 0
    rready: int = 0


class AxiLiteAnswer(NamedTuple):
    """What the manager sees in one cycle."""

    awready: int
    wready: int
    bresp: int
    bvalid: int
    arready: int
    rdata: int
    rresp: int
    rvalid: int


class AxiLite:
    """A subordinate of AXI4-Lite; the register port stands behind it.

    In each cycle: `answer`, `access`, then `step`, which ends it.

    Parameters
    ----------
    config
        The switch.
    further
        Address maps beside that of the switch.
    """

    __slots__ = ("_address", "_answer_cycles", "_bresp", "_bvalid", "_data", "_kept", "_mapped",
                 "_read_address", "_rresp", "_since", "_writable")

    def __init__(self, config: SwitchConfig, further: Sequence[AddressMap] = ()) -> None:
        values = config_values(config)
        self._answer_cycles = config.answer_cycles
        self._mapped, self._writable = (
            frozenset().union(*(part.addresses(values, writable=writable)
                                for part in (SWITCH_MAP, *further)))
            for writable in (False, True))
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._address: int | None = None
        self._data: tuple[int, int] | None = None
        self._read_address: int | None = None
        self._bvalid = 0
        self._bresp = Response.OKAY
        # Cycles since the read that has not been taken yet was on the register port.
        self._since: int | None = None
        self._kept = 0
        self._rresp = Response.OKAY

    @property
    def _rvalid(self) -> bool:
        return self._since is not None and self._since >= self._answer_cycles

    def _rdata(self, rdata: int) -> int:
        return rdata if self._since == self._answer_cycles else self._kept

    def answer(self, rdata: int) -> AxiLiteAnswer:
        """What the manager sees, with this on ``reg_rdata``."""
        return AxiLiteAnswer(
            awready=int(self._address is None), wready=int(self._data is None),
            bresp=self._bresp, bvalid=self._bvalid, arready=int(self._read_address is None),
            rdata=self._rdata(rdata), rresp=self._rresp, rvalid=int(self._rvalid))

    def _begins_write(self) -> bool:
        return self._address is not None and self._data is not None and not self._bvalid

    def _begins_read(self, rready: int) -> bool:
        free = self._since is None or (self._rvalid and bool(rready))
        return self._read_address is not None and free and not self._begins_write()

    def access(self, pins: AxiLitePins) -> RegisterPins:
        """What is on the register port."""
        if self._begins_write():
            assert self._address is not None and self._data is not None
            address, (data, strobes) = self._address, self._data
            if strobes == ALL_STROBES and address % WORD_BYTES == 0:
                return RegisterPins(address // WORD_BYTES, data, we=1)
        elif self._begins_read(pins.rready):
            assert self._read_address is not None
            if self._read_address % WORD_BYTES == 0:
                return RegisterPins(self._read_address // WORD_BYTES, re=1)
        return NO_ACCESS

    def step(self, pins: AxiLitePins, rdata: int) -> None:
        """Ends a cycle with these pins, and with this on ``reg_rdata``."""
        begins_write, begins_read = self._begins_write(), self._begins_read(pins.rready)
        self._kept = self._rdata(rdata)
        if pins.bready:
            self._bvalid = 0
        if self._rvalid and pins.rready:
            self._since = None
        elif self._since is not None:
            self._since = min(self._since + 1, self._answer_cycles + 1)
        if begins_write:
            assert self._address is not None and self._data is not None
            self._bresp = self._write_response(self._address, self._data[1])
            self._bvalid = 1
            self._address = self._data = None
        else:
            self._take_write(pins)
        if begins_read:
            assert self._read_address is not None
            self._rresp = self._response(self._read_address)
            self._since = 1
            self._read_address = None
        elif pins.arvalid and self._read_address is None:
            self._read_address = pins.araddr

    def _take_write(self, pins: AxiLitePins) -> None:
        if pins.awvalid and self._address is None:
            self._address = pins.awaddr
        if pins.wvalid and self._data is None:
            self._data = (pins.wdata, pins.wstrb)

    def _response(self, address: int, *, writable: bool = False) -> Response:
        word, byte = divmod(address, WORD_BYTES)
        good = byte == 0 and word in (self._writable if writable else self._mapped)
        return Response.OKAY if good else Response.SLVERR

    def _write_response(self, address: int, strobes: int) -> Response:
        if strobes == 0:
            return Response.OKAY
        if strobes != ALL_STROBES:
            return Response.SLVERR
        return self._response(address, writable=True)
