# SPDX-License-Identifier: Apache-2.0
"""Telemetry (docs/telemetry.md): all that watches a switch, and a switch with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gavel_model.config import SwitchConfig
from gavel_model.observation import Observation
from gavel_model.observer import Observer
from gavel_model.pins import Inputs, RegisterPins
from gavel_model.register_stage import RegisterStage
from gavel_model.switch import Switch
from gavel_model.telemetry_map import (
    GLOBAL_BASE,
    GLOBAL_OF,
    PORT_BASE,
    PORT_STRIDE,
    SNAPSHOT_REST,
    TELEMETRY_VALUE,
    TelemetryGlobal,
    TelemetryIndex,
    TelemetrySnapshot,
    least_period,
)
from gavel_model.telemetry_port import Index, TelemetryPort
from gavel_model.telemetry_stream import TelemetryStream

_G = TelemetryGlobal
_WORD = 32
_WORD_MASK = (1 << _WORD) - 1
_TIME_MASK = (1 << 2 * _WORD) - 1
_RECORD_LOST = 1
_ENTRY_MASK = (1 << TelemetryIndex.TABLE) - 1


class TelemetryPins(NamedTuple):
    """Outputs in a cycle: the interrupt, and ``m_axis_telemetry_*``."""

    irq: int
    tvalid: int
    tdata: int
    tlast: int


class Telemetry:
    """What is kept of a stream of observations, read and written by software.

    Attributes
    ----------
    rdata
        What the register pins show of it in the cycle.
    irq
        Pin in the cycle.

    *Cycle behaviour*: `step` consumes the observations and pins of a cycle; afterwards what is
    shown is that of the next.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._config = config
        # In the first cycle after reset nothing has been observed.
        self._nothing = Observation(up=0, vc_cells=(0,) * config.vcs,
                                    credits_used=(0,) * config.vcs)
        self._ports = [TelemetryPort(config) for _ in range(config.ports)]
        self._stream = TelemetryStream(config)
        self._stage = RegisterStage(config)
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        for port in self._ports:
            port.reset()
        self._stream.reset()
        self.rdata = self.irq = 0
        self._seen = [self._nothing] * self._config.ports
        self._access: RegisterPins | None = None
        self._stage.reset()
        self._events = self._enable = 0
        self._index = Index()
        self._period = 0
        self._period_written = False
        self._cycle = 0
        # Cycles for which no snapshot is taken, and what is frozen reads 0.
        self._rest = 0
        self._freeze = self._clear = False
        self._snapshots = self._snapshot_time = 0

    @property
    def pins(self) -> TelemetryPins:
        """Outputs in the cycle, beside ``rdata``."""
        stream = self._stream
        return TelemetryPins(self.irq, stream.tvalid, stream.tdata, stream.tlast)

    def step(self, observed: Sequence[Observation], pins: RegisterPins, ready: int) -> None:
        """One cycle.

        Parameters
        ----------
        observed
            What is observed of each port.
        pins
            Register pins.
        ready
            Pin ``m_axis_telemetry_tready``.
        """
        access = self._access
        self.rdata = self._stage.answer(
            self._value(access.addr) if access is not None and access.re else 0)
        self.irq = int(bool(self._events & self._enable)
                       or any(port.wants for port in self._ports))
        address = access.addr if access is not None and access.we else -1
        value = access.wdata if access is not None else 0
        page, offset = divmod(address - PORT_BASE, PORT_STRIDE)
        events = [port.events for port in self._ports]
        samples = [
            port.step(seen, freeze=self._freeze, clear=self._clear,
                      write=(offset, value) if page == number else None)
            for number, (port, seen) in enumerate(zip(self._ports, self._seen, strict=True))]
        lost = self._stream.step(
            samples, events, self._cycle - 1 & _TIME_MASK, period=self._period,
            period_written=self._period_written, tready=ready)
        self._write(address - GLOBAL_BASE, value)
        if lost:
            self._events |= _RECORD_LOST
        self._cycle = self._cycle + 1 & _TIME_MASK
        self._seen = list(observed)
        self._access = self._stage.take(pins)

    def _value(self, address: int) -> int:
        page, offset = divmod(address - PORT_BASE, PORT_STRIDE)
        if 0 <= page < len(self._ports):
            return self._ports[page].read(
                offset, self._seen[page], self._index,
                settled=not self._rest)
        wanting = sum(1 << number for number, port in enumerate(self._ports) if port.wants)
        values: dict[int, int] = {
            _G.TELEMETRY: TELEMETRY_VALUE,
            _G.EVENTS: self._events,
            _G.EVENT_ENABLE: self._enable,
            _G.EVENT_PORTS: wanting & _WORD_MASK,
            _G.EVENT_PORTS_HI: wanting >> _WORD,
            _G.SNAPSHOTS: self._snapshots,
            _G.SNAPSHOT_TIME: self._snapshot_time & _WORD_MASK,
            _G.SNAPSHOT_TIME_HI: self._snapshot_time >> _WORD,
            _G.INDEX: self._index.entry | self._index.table << TelemetryIndex.TABLE,
            _G.STREAM_PERIOD: self._period,
            _G.STREAM_LOST: self._stream.lost_count,
        }
        return values.get(address - GLOBAL_BASE, 0)

    def _write(self, offset: int, value: int) -> None:
        """Last part of a cycle: what a write at this offset of the global page does, and what ends
        by itself."""
        self._freeze = self._clear = self._period_written = False
        resting, self._rest = self._rest, max(0, self._rest - 1)
        if offset == _G.EVENTS:
            self._events &= ~value
        elif offset == _G.EVENT_ENABLE:
            self._enable = GLOBAL_OF[_G.EVENT_ENABLE].stored(value, {})
        elif offset == _G.SNAPSHOT:
            self._clear = bool(value >> TelemetrySnapshot.CLEAR_WATERMARKS & 1)
            if value >> TelemetrySnapshot.TAKE & 1 and not resting:
                self._freeze = True
                self._rest = SNAPSHOT_REST
                self._snapshots = self._snapshots + 1 & _WORD_MASK
                self._snapshot_time = self._cycle
        elif offset == _G.INDEX:
            stored = GLOBAL_OF[_G.INDEX].stored(value, {})
            self._index = Index(stored >> TelemetryIndex.TABLE, stored & _ENTRY_MASK)
        elif offset == _G.STREAM_PERIOD:
            stored = GLOBAL_OF[_G.STREAM_PERIOD].stored(value, {})
            self._period = stored and max(stored, least_period(self._config.ports))
            self._period_written = True


class WatchedSwitch(Switch):
    """A switch with telemetry.

    Attributes
    ----------
    telemetry
        It.
    telemetry_ready
        Pin ``m_axis_telemetry_tready`` in the current cycle.
    observed
        What was observed of each port in the cycle before.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self.telemetry = Telemetry(config)
        self.telemetry_ready = 1
        self.observed: list[Observation] = []
        self._observer = Observer(config)
        super().__init__(config)

    def reset(self) -> None:
        """As of the switch."""
        super().reset()
        self.telemetry.reset()

    def step(self, inputs: Inputs) -> None:
        """As of the switch."""
        self._observer.begin(self)
        super().step(inputs)
        self.observed = self._observer.end(self)
        if not inputs.reset:
            self.telemetry.step(self.observed, inputs.register, self.telemetry_ready)
            self.rdata |= self.telemetry.rdata

    def quiet_cycles(self) -> int:
        """None: telemetry counts in every cycle."""
        return 0
