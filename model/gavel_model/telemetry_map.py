# SPDX-License-Identifier: Apache-2.0
"""The registers of telemetry (docs/telemetry.md, Registers).

The names and the table are made from ``rdl/gavel_telemetry.rdl``; here is what follows from them.
"""

from __future__ import annotations

from gavel_model.address_map import AddressMap
from gavel_model.telemetry_names import (
    GLOBAL_BASE,
    PORT_BASE,
    PORT_STRIDE,
    TelemetryGlobal,
    TelemetryIndex,
    TelemetryPortEvents,
    TelemetryRegister,
    TelemetrySnapshot,
    TelemetryTable,
)
from gavel_model.telemetry_table import GLOBALS, PORT_REGISTERS

__all__ = [
    "GLOBAL_BASE", "PORT_BASE", "PORT_STRIDE", "TelemetryGlobal", "TelemetryIndex",
    "TelemetryPortEvents", "TelemetryRegister", "TelemetrySnapshot", "TelemetryTable",
]

TELEMETRY_MAP = AddressMap(base=GLOBAL_BASE, globals=GLOBALS, port_base=PORT_BASE,
                           port_stride=PORT_STRIDE, port=PORT_REGISTERS)

GLOBAL_OF = {TelemetryGlobal[register.name]: register for register in GLOBALS}
"""Each register that there is once."""

PORT_OF = {TelemetryRegister[register.name]: register for register in PORT_REGISTERS}
"""Each register of a port; what stands more than once stands here once."""

TELEMETRY_VALUE = GLOBAL_OF[TelemetryGlobal.TELEMETRY].reset({})
"""ASCII "TL" and the version."""

SNAPSHOT_REST = 31
"""Cycles after a snapshot in which no other is taken, and what is frozen reads 0."""


def least_period(ports: int) -> int:
    """The shortest ``STREAM_PERIOD`` but 0, cycles."""
    return 3 * ports + 8
