# SPDX-License-Identifier: Apache-2.0
"""Register accesses at random while frames flow."""

from __future__ import annotations

import random
from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.pins import NO_ACCESS, RegisterPins
from gavel_model.profiles import PROFILES
from gavel_model.register_map import ENTRY_VALID, Counter, Global, Port, port_address
from gavel_tb.register_kinds import addresses

EXTRA_IDS = 4
"""IDs above the ports' own that table writes map and unmap."""

_OFF_CYCLES = 12


def profile_writes(numbers: list[int]) -> list[RegisterPins]:
    """Accesses that give each port a header profile."""
    return [
        RegisterPins(port_address(port, Port.PROFILE), number, 1)
        for port, number in enumerate(numbers)
    ]


def disabled_writes(config: SwitchConfig, port: int) -> list[RegisterPins]:
    """Accesses that disable a port, and enable it a little later."""
    address = port_address(port, Port.CONTROL)
    off, on = RegisterPins(address, 0, 1), RegisterPins(address, 1, 1)
    return [off, *[NO_ACCESS] * _OFF_CYCLES, on]


class RegisterTraffic:
    """Reads of everything, and writes of tables and settings.

    Parameters
    ----------
    config
        The switch.
    rng
        Own generator.
    rate
        Share of cycles in which an access begins.
    profiles
        Also change header profiles.
    """

    def __init__(
        self, config: SwitchConfig, rng: random.Random, *, rate: float, profiles: bool
    ) -> None:
        self._config = config
        self._rng = rng
        self._rate = rate
        self._pending: deque[RegisterPins] = deque()
        self._readable = tuple(addresses(config).values())
        self._kinds = [self._read, self._read, self._route, self._fdb, self._vc_map, self._ecn,
                       self._bypass, self._ethertype, self._unknown, self._disable, self._both]
        if profiles:
            self._kinds.append(self._profile)

    def step(self) -> RegisterPins:
        """Access of this cycle."""
        if not self._pending:
            if self._rng.random() >= self._rate:
                return NO_ACCESS
            self._pending.extend(self._rng.choice(self._kinds)())
        return self._pending.popleft()

    def _port(self, offset: int) -> int:
        return port_address(self._rng.randrange(self._config.ports), offset)

    def _entry(self) -> int:
        # Ports that do not exist are refused by the switch.
        port = self._rng.randrange(self._config.ports + 1)
        return port | (ENTRY_VALID if self._rng.random() < 0.8 else 0)

    def _read(self) -> list[RegisterPins]:
        some = self._rng.choice(self._readable)
        return [RegisterPins(self._rng.choice(some), 0, 0, 1)]

    def _route(self) -> list[RegisterPins]:
        config, rng = self._config, self._rng
        index = config.ports + rng.randrange(EXTRA_IDS)
        if rng.random() < 0.1:
            index = rng.choice((config.id_entries, config.id_entries - 1, 0xFFFF))
        return [RegisterPins(Global.ROUTE_INDEX, index, 1),
                RegisterPins(Global.ROUTE_DATA, self._entry(), 1),
                *[NO_ACCESS] * rng.randrange(3), RegisterPins(Global.ROUTE_DATA, 0, 0, 1)]

    def _fdb(self) -> list[RegisterPins]:
        config, rng = self._config, self._rng
        address = fdb_address(rng)
        index = rng.randrange(config.fdb_entries + 1)
        return [RegisterPins(Global.FDB_INDEX, index, 1),
                RegisterPins(Global.FDB_ADDR_HI, address >> 32, 1),
                RegisterPins(Global.FDB_ADDR_LO, address & 0xFFFF_FFFF, 1),
                RegisterPins(Global.FDB_DATA, self._entry(), 1),
                *[NO_ACCESS] * rng.randrange(3), RegisterPins(Global.FDB_DATA, 0, 0, 1)]

    def _vc_map(self) -> list[RegisterPins]:
        return [RegisterPins(self._port(Port.VC_MAP), self._rng.getrandbits(32), 1)]

    def _ecn(self) -> list[RegisterPins]:
        value = self._rng.choice((0, 1, 4, 16, 0xFFFF))
        return [RegisterPins(self._port(Port.ECN_THRESHOLD), value, 1)]

    def _bypass(self) -> list[RegisterPins]:
        return [RegisterPins(Global.BYPASS_LIMIT, self._rng.choice((0, 1, 2, 8, 255)), 1)]

    def _ethertype(self) -> list[RegisterPins]:
        # Not for long: every ESUN frame is refused meanwhile. The upper half has no register.
        right, rng = self._config.esun_ethertype, self._rng
        noise = rng.getrandbits(16) << 16
        return [RegisterPins(Global.ESUN_ETHERTYPE, noise | right ^ 1 << rng.randrange(16), 1),
                *[NO_ACCESS] * rng.randrange(_OFF_CYCLES),
                RegisterPins(Global.ESUN_ETHERTYPE, noise | right, 1, 1)]

    def _profile(self) -> list[RegisterPins]:
        number = self._rng.randrange(len(PROFILES) + 2)
        return [RegisterPins(self._port(Port.PROFILE), number, 1)]

    def _unknown(self) -> list[RegisterPins]:
        address = self._rng.choice((0x0007, 0x0010, 0x03FF, self._port(0x3F), 0xFFFF,
                                    self._port(Port.COUNTERS + Counter.TX_FRAMES)))
        return [RegisterPins(address, self._rng.getrandbits(32), 1, 1)]

    def _disable(self) -> list[RegisterPins]:
        return disabled_writes(self._config, self._rng.randrange(self._config.ports))

    def _both(self) -> list[RegisterPins]:
        return [RegisterPins(self._port(self._rng.randrange(2, 4)), self._rng.getrandbits(32), 1,
                             1)]


def fdb_address(rng: random.Random) -> int:
    """One of a few unicast addresses, so that traffic meets the table's entries."""
    return 0x0400_0000_0000 | rng.randrange(8) << 24 | rng.randrange(2)
