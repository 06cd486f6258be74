# SPDX-License-Identifier: Apache-2.0
"""The registers of telemetry (docs/telemetry.md, Registers).

The names and the table are made from ``rdl/gavel_telemetry.rdl``; here is what follows from them.
"""

from __future__ import annotations

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

__all__ = [
    "GLOBAL_BASE", "PORT_BASE", "PORT_STRIDE", "TelemetryGlobal", "TelemetryIndex",
    "TelemetryPortEvents", "TelemetryRegister", "TelemetrySnapshot", "TelemetryTable",
]
