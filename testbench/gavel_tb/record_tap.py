# SPDX-License-Identifier: Apache-2.0
"""Records of telemetry of a golden model, as a collector that always listens gets them."""

from __future__ import annotations

from gavel_model.config import SwitchConfig
from gavel_model.observer import Observer
from gavel_model.pins import RegisterPins
from gavel_model.record_format import WORD_BITS
from gavel_model.switch import Switch
from gavel_model.telemetry import Telemetry
from gavel_model.telemetry_map import GLOBAL_BASE, TelemetryGlobal

_NO_ACCESS = RegisterPins()


class RecordTap:
    """Telemetry beside a switch, which has none itself and is not changed.

    Parameters
    ----------
    config
        The switch.
    period
        ``STREAM_PERIOD``; the first interval begins behind the first cycle.

    Attributes
    ----------
    data
        Bytes of the records that have come whole.
    """

    def __init__(self, config: SwitchConfig, period: int) -> None:
        self._telemetry = Telemetry(config)
        self._observer = Observer(config)
        self._access = RegisterPins(GLOBAL_BASE + TelemetryGlobal.STREAM_PERIOD, period, we=1)
        self._begun = False
        self._record = bytearray()
        self.data = bytearray()

    def watch(self, switch: Switch) -> None:
        """Takes a cycle of the switch, before it is stepped through it."""
        if self._begun:
            pins = self._telemetry.pins
            if pins.tvalid:
                self._record += pins.tdata.to_bytes(WORD_BITS // 8, "little")
            if pins.tlast:
                self.data += self._record
                self._record.clear()
            self._telemetry.step(self._observer.end(switch), self._access, 1)
            self._access = _NO_ACCESS
        self._begun = True
        self._observer.begin(switch)
