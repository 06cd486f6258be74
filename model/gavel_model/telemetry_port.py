# SPDX-License-Identifier: Apache-2.0
"""Telemetry of one port (docs/telemetry.md): its blocks, and its page of registers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gavel_model import link_health
from gavel_model.config import SwitchConfig
from gavel_model.frozen_counts import FrozenCounts
from gavel_model.latency_histogram import LatencyHistogram
from gavel_model.link_health import LinkHealth
from gavel_model.observation import Observation
from gavel_model.port_events import PortEvents
from gavel_model.record_sums import Sample
from gavel_model.register_entry import Register
from gavel_model.register_map import COUNTERS, DROPS, Counter
from gavel_model.stall_account import StallAccount
from gavel_model.telemetry_map import PORT_OF, TelemetryTable
from gavel_model.telemetry_map import TelemetryRegister as Offset
from gavel_model.vc_statistics import VcStatistics
from gavel_model.voq_levels import VoqLevels
from gavel_model.watermarks import Watermarks

COUNT_BITS = 64

_KEPT: dict[int, Register] = {
    offset: register for offset, register in PORT_OF.items()
    if register.writable and offset != Offset.EVENTS}
"""Registers that keep what is written."""

_DROPS = sum(1 << counter for counter in DROPS)
_WORD = 32
_WORD_MASK = (1 << _WORD) - 1


class Index(NamedTuple):
    """Register ``INDEX``."""

    table: int = 0
    entry: int = 0


class TelemetryPort:
    """Everything that is kept of one port.

    Parameters
    ----------
    config
        The switch.
    """

    def __init__(self, config: SwitchConfig) -> None:
        self._vcs = config.vcs
        self._events = PortEvents()
        self._health = LinkHealth()
        self._counts = FrozenCounts(COUNTERS, COUNT_BITS)
        self._statistics = VcStatistics(config)
        self._latency = LatencyHistogram(config)
        self._levels = VoqLevels(config)
        self._stalls = StallAccount(config)
        self._watermarks = Watermarks(config)
        self.reset()

    def reset(self) -> None:
        """Reset values."""
        for part in (self._events, self._health, self._counts, self._statistics, self._latency,
                     self._levels, self._stalls, self._watermarks):
            part.reset()
        self._kept: dict[int, int] = {
            offset: register.reset({}) for offset, register in _KEPT.items()}

    @property
    def events(self) -> int:
        """Register ``EVENTS`` as visible in the cycle."""
        return self._events.events

    @property
    def wants(self) -> bool:
        """An event that is enabled is there."""
        return bool(self.events & self._kept[Offset.EVENT_ENABLE])

    def step(self, seen: Observation, *, freeze: bool, clear: bool,
             write: tuple[int, int] | None) -> Sample:
        """One cycle.

        Parameters
        ----------
        seen
            What was observed in the cycle before.
        freeze, clear
            A snapshot was taken, the watermarks were cleared, in the cycle before.
        write
            Offset and value of a register of this port that is written in this cycle.

        Returns
        -------
        What the next record is told.
        """
        offset, value = write or (-1, 0)
        kept = self._kept
        alarms = self._health.step(
            seen, window=kept[Offset.HEALTH_WINDOW],
            limits=(kept[Offset.CORRECTED_LIMIT], kept[Offset.UNCORRECTABLE_LIMIT]),
            window_written=offset == Offset.HEALTH_WINDOW)
        self._events.step(
            seen, cells_limit=kept[Offset.CELLS_LIMIT], corrected_alarm=alarms.corrected,
            uncorrectable_alarm=alarms.uncorrectable,
            clear=value if offset == Offset.EVENTS else 0)
        blocked = self._account(seen, freeze, clear)
        if offset in _KEPT:
            kept[offset] = _KEPT[offset].stored(value, {})
        return Sample(
            rx_bytes=seen.rx_bytes, tx_bytes=seen.tx_bytes, cells=seen.cells, blocked=blocked,
            corrected=link_health.corrected(seen), uncorrectable=link_health.uncorrectable(seen),
            dropped=(seen.count & _DROPS).bit_count())

    def _account(self, seen: Observation, freeze: bool, clear: bool) -> int:
        """Counters, tables and watermarks; whether a VC is blocked."""
        rest = seen.count
        while rest:
            event = rest & -rest
            rest ^= event
            self._counts.add(event.bit_length() - 1)
        self._counts.add(Counter.RX_BYTES, seen.rx_bytes)
        self._counts.add(Counter.TX_BYTES, seen.tx_bytes)
        if freeze:
            self._counts.freeze()
        self._statistics.step(seen, freeze)
        self._latency.step(seen, freeze)
        self._levels.step(seen, clear)
        self._watermarks.step(seen, clear)
        return self._stalls.step(seen, freeze)

    def read(self, offset: int, seen: Observation, index: Index, *, settled: bool) -> int:
        """A register as visible in the cycle, before its `step`; 0 if there is none.

        Parameters
        ----------
        seen
            What was observed in the cycle before.
        index
            Register ``INDEX``.
        settled
            What is frozen can be read.
        """
        if offset in self._kept:
            return self._kept[offset]
        if Offset.COUNT <= offset < Offset.COUNT + 2 * COUNTERS:
            number, high = divmod(offset - Offset.COUNT, 2)
            return _half(self._counts.read(number), high) if settled else 0
        if offset in (Offset.DATA, Offset.DATA_HI):
            return _half(self._entry(index, settled), offset == Offset.DATA_HI)
        for base, each in ((Offset.VC_CELLS_WATERMARK, self._watermarks.vc_cells),
                             (Offset.CREDITS_USED_WATERMARK, self._watermarks.credits_used)):
            if base <= offset < base + self._vcs:
                return each[offset - base]
        once: dict[int, int] = {
            Offset.EVENTS: self.events,
            Offset.CORRECTED: self._health.corrected,
            Offset.UNCORRECTABLE: self._health.uncorrectable,
            Offset.CELLS: seen.cells,
            Offset.CELLS_WATERMARK: self._watermarks.cells,
        }
        return once.get(offset, 0)

    def _entry(self, index: Index, settled: bool) -> int:
        """The entry of a table that is named."""
        if index.table == TelemetryTable.VOQ:
            return self._levels.read(index.entry)
        frozen: dict[int, Callable[[int], int]] = {
            TelemetryTable.INGRESS: self._statistics.read_ingress,
            TelemetryTable.EGRESS: self._statistics.read_egress,
            TelemetryTable.LATENCY: self._latency.read,
            TelemetryTable.STALLS: self._stalls.read,
        }
        if index.table in frozen and settled:
            return frozen[index.table](index.entry)
        return 0


def _half(value: int, high: int) -> int:
    """The upper or the lower word."""
    return value >> _WORD * high & _WORD_MASK
