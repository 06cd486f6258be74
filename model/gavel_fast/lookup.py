# SPDX-License-Identifier: Apache-2.0
"""Destination to output port (docs/spec.md, Lookup)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gavel_fast import crc32
from gavel_fast.compiled import Ints, compiled
from gavel_fast.sizes import FDB_SETS, FDB_WAYS, ID_ENTRIES
from gavel_model.config import SwitchConfig
from gavel_model.lookup import NO_ROUTE
from gavel_model.profiles import FABRIC_PREFIX

VALID = 0
PORT = 1
ADDRESS = 2
"""Fields of an entry; the address only in the hash table."""

_ID_BITS = 16
_ADDRESS_BITS = 48
_ADDRESS_BYTES = 6


class Lookup(NamedTuple):
    """``direct`` (IDs, 2) by ID; ``hashed`` (entries, 3) by set * ways + way."""

    direct: Ints
    hashed: Ints


def lookup(config: SwitchConfig) -> Lookup:
    """Reset values: ID n goes to port n, all other destinations miss."""
    direct = np.zeros((config.id_entries, 2), np.int64)
    direct[:config.ports, VALID] = 1
    direct[:config.ports, PORT] = np.arange(config.ports)
    return Lookup(direct, np.zeros((config.fdb_entries, 3), np.int64))


@compiled
def route(tables: Lookup, sizes: Ints, destination: int, width: int) -> int:
    """Output port of a destination of ``width`` bits, or `NO_ROUTE`."""
    if width == _ADDRESS_BITS:
        crc = crc32.FIRST
        for n in range(_ADDRESS_BYTES):
            crc = crc32.add_bytes(crc, destination >> _ADDRESS_BITS - 8 - 8 * n & 0xFF, 1)
        first = ((crc ^ crc32.FIRST) & (sizes[FDB_SETS] - 1)) * sizes[FDB_WAYS]
        hashed = tables.hashed
        for n in range(first, first + sizes[FDB_WAYS]):
            if hashed[n, VALID] and hashed[n, ADDRESS] == destination:
                return hashed[n, PORT]
        if destination >> _ID_BITS != FABRIC_PREFIX:
            return NO_ROUTE
        destination &= (1 << _ID_BITS) - 1
    if destination >= sizes[ID_ENTRIES] or not tables.direct[destination, VALID]:
        return NO_ROUTE
    return tables.direct[destination, PORT]
