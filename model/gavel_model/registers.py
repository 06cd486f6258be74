# SPDX-License-Identifier: Apache-2.0
"""The register port (docs/spec.md, Registers)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gavel_model.config import SwitchConfig
from gavel_model.lookup import Entry, Lookup
from gavel_model.pins import RegisterPins
from gavel_model.port import Port
from gavel_model.register_entry import Register
from gavel_model.register_map import (
    ENTRY_PORT_MASK,
    ENTRY_VALID,
    GLOBAL_OF,
    PORT_BASE,
    PORT_STRIDE,
    Global,
    config_values,
)
from gavel_model.register_stage import RegisterStage
from gavel_model.scheduler import Scheduler

_STORED: dict[int, Register] = {
    address: register for address, register in GLOBAL_OF.items()
    if register.writable and address not in (Global.ROUTE_DATA, Global.FDB_DATA)}
"""Registers that keep what is written."""

_LOW_BITS = 32


class Registers:
    """Reads and writes everything that software may reach.

    An access on the pins in cycle c is carried out in c+1, with ``register_stages`` later: `read`
    at the beginning of that cycle's step, with the values visible in it, and `write` at its end.

    Attributes
    ----------
    rdata
        Pin ``reg_rdata`` from the next cycle on.
    writing
        Port that a register is written of at the end of the cycle.
    """

    __slots__ = (
        "_access", "_age", "_config", "_constants", "_fdb_shown", "_known", "_lookup", "_ports",
        "_route_shown", "_scheduler", "_stage", "_stale", "_values", "rdata", "writing",
    )

    def __init__(
        self, config: SwitchConfig, ports: Sequence[Port], lookup: Lookup, scheduler: Scheduler
    ) -> None:
        self._config = config
        self._ports = ports
        self._lookup = lookup
        self._scheduler = scheduler
        self._known = config_values(config)
        self._stage = RegisterStage(config)
        self._constants: dict[int, int] = {
            address: register.reset(self._known) for address, register in GLOBAL_OF.items()
            if not register.writable and address != Global.STATUS}
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        self._values: dict[int, int] = {
            address: register.reset(self._known) for address, register in _STORED.items()}
        self._scheduler.bypass_limit = self._config.bypass_limit
        self._access: RegisterPins | None = None
        self._stage.reset()
        self.writing: Port | None = None
        self._age = 0
        self._route_shown = 0
        self._fdb_shown = 0
        self._stale = True
        self.rdata = 0

    @property
    def table_ready(self) -> bool:
        """``STATUS.table_ready`` as visible in the cycle."""
        return self._age >= self._config.table_init_cycles

    @property
    def resting(self) -> bool:
        """No access is under way, and all that is shown is up to date."""
        return (self._access is None and self.writing is None and self._stage.empty
                and not (self._stale or self.rdata))

    def skip(self, cycles: int) -> None:
        """As many cycles without an access go by, at rest."""
        self._age += cycles

    def load_routes(self, routes: Mapping[int, int]) -> None:
        """Writes entries of the direct table, ID to port, in no time: what writes of
        ``ROUTE_INDEX`` and ``ROUTE_DATA`` do, but for the former's value at the end.

        Raises
        ------
        ValueError
            The table is not ready.
        """
        if not self.table_ready:
            raise ValueError("the direct table is not ready: let table_init_cycles go by")
        direct = self._lookup.direct
        entries = [Entry(1, port) for port in range(self._config.ports)]
        for number, port in routes.items():
            direct[number] = entries[port]
        self._stale = True

    def read(self) -> None:
        """First part of a cycle: the read to carry out in it; also tells a port that is to be
        written at the end."""
        access = self._access
        self.rdata = self._stage.answer(
            self._value(access.addr) if access is not None and access.re else 0)
        self.writing = None
        if access is not None and access.we and access.addr >= PORT_BASE:
            number = (access.addr - PORT_BASE) // PORT_STRIDE
            if number < len(self._ports):
                self.writing = self._ports[number]
                self.writing.before_write()

    def write(self, pins: RegisterPins) -> bool:
        """Last part of a cycle: the write to carry out in it, and the pins of this cycle. Returns
        whether something was written."""
        if self._stale:
            # ROUTE_DATA and FDB_DATA show what their entry held one cycle earlier.
            self._stale = False
            self._route_shown = self._shown(self._lookup.direct, Global.ROUTE_INDEX)
            self._fdb_shown = self._shown(self._lookup.hashed, Global.FDB_INDEX)
        access = self._access
        written = access is not None and bool(access.we)
        if access is not None and access.we:
            self._store(access.addr, access.wdata)
            self._stale = True
        self._age += 1
        self._access = self._stage.take(pins)
        return written

    def _shown(self, table: list[Entry], index: int) -> int:
        number = self._values[index]
        if number >= len(table):
            return 0
        entry = table[number]
        return (ENTRY_VALID if entry.valid else 0) | entry.port

    def _value(self, address: int) -> int:
        if address in self._values:
            return self._values[address]
        if address in self._constants:
            return self._constants[address]
        if address == Global.STATUS:
            return int(self.table_ready)
        if address == Global.ROUTE_DATA:
            return self._route_shown if self.table_ready else 0
        if address == Global.FDB_DATA:
            return self._fdb_shown if self.table_ready else 0
        number, offset = divmod(address - PORT_BASE, PORT_STRIDE)
        if not 0 <= number < len(self._ports):
            return 0
        return self._ports[number].read(offset)

    def _store(self, address: int, value: int) -> None:
        if address in self._values:
            self._values[address] = _STORED[address].stored(value, self._known)
            if address == Global.BYPASS_LIMIT:
                self._scheduler.limit_bypass(self._values[address])
            elif address == Global.ESUN_ETHERTYPE:
                for port in self._ports:
                    port.expect_esun(self._values[address])
        elif address in (Global.ROUTE_DATA, Global.FDB_DATA):
            if self.table_ready:
                self._store_entry(address, value)
        elif address >= PORT_BASE:
            number, offset = divmod(address - PORT_BASE, PORT_STRIDE)
            if number < len(self._ports):
                self._ports[number].write(offset, value)

    def _store_entry(self, address: int, value: int) -> None:
        port = value & ENTRY_PORT_MASK
        valid = int(bool(value & ENTRY_VALID) and port < self._config.ports)
        port &= (1 << self._config.port_bits) - 1
        if address == Global.ROUTE_DATA:
            table = self._lookup.direct
            index = self._values[Global.ROUTE_INDEX]
            mac = 0
        else:
            table = self._lookup.hashed
            index = self._values[Global.FDB_INDEX]
            mac = self._values[Global.FDB_ADDR_HI] << _LOW_BITS | self._values[Global.FDB_ADDR_LO]
        if index < len(table):
            table[index] = Entry(valid, port, mac)
