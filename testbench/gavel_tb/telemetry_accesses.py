# SPDX-License-Identifier: Apache-2.0
"""Accesses to the registers of telemetry, at random, that make much happen soon."""

from __future__ import annotations

import random
from collections import deque

from gavel_model.config import SwitchConfig
from gavel_model.pins import NO_ACCESS, RegisterPins
from gavel_model.register_map import COUNTERS, Counter, config_values
from gavel_model.telemetry_map import (
    GLOBAL_BASE,
    SNAPSHOT_REST,
    TELEMETRY_MAP,
    TelemetryGlobal,
    TelemetryIndex,
    TelemetryPortEvents,
    TelemetryRegister,
    TelemetryTable,
    least_period,
)

_R = TelemetryRegister
_EVENTS = (1 << len(TelemetryPortEvents)) - 1
_COUNTS = (_R.COUNT, _R.COUNT_HI)
_OFTEN = (Counter.RX_BYTES, Counter.TX_BYTES, Counter.RX_CTL_OS, Counter.RX_FRAMES)
"""What counts much."""


class TelemetryAccesses:
    """Register pins of a switch with telemetry.

    Parameters
    ----------
    config
        The switch.
    rng
        Decides everything.
    rate
        Share of the cycles in which something begins.
    """

    def __init__(self, config: SwitchConfig, rng: random.Random, rate: float) -> None:
        self._config, self._rng, self._rate = config, rng, rate
        self._pending: deque[RegisterPins] = deque()
        values = config_values(config)
        self._addresses = sorted(TELEMETRY_MAP.addresses(values))
        self._kinds = (
            (self._read, 20), (self._walk, 12), (self._snapshot, 3), (self._events, 10),
            (self._setting, 10), (self._stream, 10), (self._both, 5))
        self._short = [address for address in self._addresses
                       if not any(address in self._words(port, _COUNTS)
                                  for port in range(config.ports))]

    def _words(self, port: int, registers: tuple[TelemetryRegister, ...]) -> set[int]:
        return {TELEMETRY_MAP.port_address(port, at) for register in TELEMETRY_MAP.port
                if register.name in {item.name for item in registers}
                for at in register.addresses(config_values(self._config))}

    def step(self) -> RegisterPins:
        """Access of this cycle."""
        if not self._pending:
            if self._rng.random() >= self._rate:
                return NO_ACCESS
            kinds, weights = zip(*self._kinds, strict=True)
            self._pending.extend(self._rng.choices(kinds, weights)[0]())
        return self._pending.popleft()

    def _read(self) -> list[RegisterPins]:
        addresses = self._rng.choice((self._addresses, self._short))
        return [RegisterPins(self._rng.choice(addresses), 0, 0, 1)]

    def _both(self) -> list[RegisterPins]:
        """A write and a read of no matter what."""
        return [RegisterPins(self._rng.choice(self._short), self._rng.getrandbits(32) & 0x1003,
                             1, 1)]

    def _port(self, register: TelemetryRegister, value: int | None = None) -> RegisterPins:
        address = TELEMETRY_MAP.port_address(self._rng.randrange(self._config.ports), register)
        return RegisterPins(address, value or 0, int(value is not None), int(value is None))

    @staticmethod
    def _once(register: TelemetryGlobal, value: int) -> RegisterPins:
        return RegisterPins(GLOBAL_BASE + register, value, 1)

    def _walk(self) -> list[RegisterPins]:
        """Goes through a part of a table; half of the times it takes a snapshot before."""
        snapshot = [self._once(TelemetryGlobal.SNAPSHOT, 1), *[NO_ACCESS] * SNAPSHOT_REST]
        reads = [access for _ in range(self._rng.randrange(1, 12)) for access in self._entry()]
        return reads if self._rng.random() < 0.5 else [*snapshot, *reads]

    def _entry(self) -> list[RegisterPins]:
        """Names an entry, and reads it here and there."""
        rng, config = self._rng, self._config
        table = rng.choice((*TelemetryTable, *TelemetryTable, rng.randrange(16)))
        entries = {TelemetryTable.VOQ: 2 * config.voqs, TelemetryTable.INGRESS: 4 * config.vcs,
                   TelemetryTable.EGRESS: 4 * config.vcs}.get(table, 16 * config.vcs)
        entry = rng.getrandbits(16) if rng.random() < 0.1 else rng.randrange(entries)
        if rng.random() < 0.7 and table in (TelemetryTable.LATENCY, TelemetryTable.STALLS):
            # Where something is.
            entry = entry & ~0xF | rng.randrange(6)
        return [self._once(TelemetryGlobal.INDEX, table << TelemetryIndex.TABLE | entry),
                *(self._port(rng.choice((_R.DATA, _R.DATA, _R.DATA, _R.DATA_HI)))
                  for _ in range(rng.randrange(1, 4)))]

    def _snapshot(self) -> list[RegisterPins]:
        """Takes one, or clears watermarks; often looks at once, or after a while."""
        rng = self._rng
        taken = self._once(TelemetryGlobal.SNAPSHOT, rng.choice((1, 1, 1, 2, 3)))
        number = rng.choice((*_OFTEN, rng.randrange(COUNTERS)))
        count = rng.choice((*[_R.COUNT] * 3, _R.COUNT_HI)) + 2 * number
        read = RegisterPins(TELEMETRY_MAP.port_address(rng.randrange(self._config.ports), count),
                            0, 0, 1)
        after = [read] * rng.choice((0, 1, SNAPSHOT_REST + 2))
        return [taken, *after, *([taken] if rng.random() < 0.3 else [])]

    def _events(self) -> list[RegisterPins]:
        rng = self._rng
        value = rng.choice((_EVENTS, rng.getrandbits(32)))
        if rng.random() < 0.2:
            return [self._once(rng.choice((TelemetryGlobal.EVENTS, TelemetryGlobal.EVENT_ENABLE)),
                               rng.getrandbits(2))]
        return [self._port(rng.choice((_R.EVENTS, _R.EVENTS, _R.EVENT_ENABLE)), value)]

    def _setting(self) -> list[RegisterPins]:
        rng = self._rng
        register, value = rng.choice((
            (_R.HEALTH_WINDOW, rng.choice((0, 1, rng.randrange(2, 200), rng.randrange(2, 200)))),
            (_R.CORRECTED_LIMIT, rng.choice((0, 1, 2, 5))),
            (_R.UNCORRECTABLE_LIMIT, rng.choice((0, 1, 3, 9))),
            (_R.CELLS_LIMIT, rng.randrange(self._config.buffer_cells + 2)),
        ))
        return [self._port(register, value | rng.getrandbits(1) << 31
                           if register != _R.HEALTH_WINDOW else value)]

    def _stream(self) -> list[RegisterPins]:
        """A period, not often, so that records come to their ends."""
        rng = self._rng
        if rng.random() < 0.7:
            return [RegisterPins(GLOBAL_BASE + TelemetryGlobal.STREAM_LOST, 0, 0, 1)]
        least = least_period(self._config.ports)
        return [self._once(TelemetryGlobal.STREAM_PERIOD, rng.choice(
            (0, 1, least, rng.randrange(least, 3 * least), rng.randrange(least, 10 * least))))]
