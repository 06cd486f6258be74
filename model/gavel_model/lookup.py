# SPDX-License-Identifier: Apache-2.0
"""Destination to output port (docs/spec.md, Lookup)."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from gavel_model.config import SwitchConfig
from gavel_model.profiles import FABRIC_PREFIX

NO_ROUTE = -1
"""Instead of a port: dropped, counted, never flooded."""

_ADDRESS_BYTES = 6
_ID_BITS = 16


class Entry(NamedTuple):
    """An entry of a table; ``address`` only in the hash table."""

    valid: int = 0
    port: int = 0
    address: int = 0


_EMPTY = Entry()


class Lookup:
    """Direct table of IDs and hash table of 48-bit addresses, the same for all ports.

    Attributes
    ----------
    direct
        Entries by ID.
    hashed
        Entries by set * ways + way.
    """

    __slots__ = ("_ports", "_sets", "_ways", "direct", "hashed")

    def __init__(self, config: SwitchConfig) -> None:
        self._ports = config.ports
        self._sets = config.fdb_sets
        self._ways = config.fdb_ways
        self.direct = [_EMPTY] * config.id_entries
        self.hashed = [_EMPTY] * config.fdb_entries
        self.reset()

    def reset(self) -> None:
        """Reset values: ID n goes to port n, all other destinations miss."""
        ports = self._ports
        self.direct[:] = [
            Entry(1, number) if number < ports else _EMPTY for number in range(len(self.direct))
        ]
        self.hashed[:] = [_EMPTY] * len(self.hashed)

    def route(self, destination: int, is_address: bool) -> int:
        """Output port of a destination, or `NO_ROUTE`."""
        if is_address:
            first = self.hash_set(destination) * self._ways
            for entry in self.hashed[first : first + self._ways]:
                if entry.valid and entry.address == destination:
                    return entry.port
            if destination >> _ID_BITS != FABRIC_PREFIX:
                return NO_ROUTE
            destination &= (1 << _ID_BITS) - 1
        if destination >= len(self.direct):
            return NO_ROUTE
        entry = self.direct[destination]
        return entry.port if entry.valid else NO_ROUTE

    def hash_set(self, address: int) -> int:
        """Set of a 48-bit address: CRC-32 of its six bytes mod number of sets."""
        return zlib.crc32(address.to_bytes(_ADDRESS_BYTES, "big")) % self._sets
