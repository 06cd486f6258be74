# SPDX-License-Identifier: Apache-2.0
"""Names in ``rdl/gavel_telemetry.rdl``. Made from it by ``make registers``; do not edit."""

from __future__ import annotations

from enum import IntEnum

GLOBAL_BASE = 0x0100
PORT_BASE = 0x8000
PORT_STRIDE = 0x100
"""Words from the registers of a port to those of the next."""


class TelemetryGlobal(IntEnum):
    """Offsets of the registers that a switch has once, in words from ``GLOBAL_BASE``."""

    TELEMETRY = 0x00
    EVENTS = 0x01
    EVENT_ENABLE = 0x02
    EVENT_PORTS = 0x03
    EVENT_PORTS_HI = 0x04
    SNAPSHOT = 0x05
    SNAPSHOTS = 0x06
    SNAPSHOT_TIME = 0x07
    SNAPSHOT_TIME_HI = 0x08
    INDEX = 0x09
    STREAM_PERIOD = 0x0A
    STREAM_LOST = 0x0B


class TelemetryRegister(IntEnum):
    """Offsets of the registers that each port has, in words from its base."""

    EVENTS = 0x00
    EVENT_ENABLE = 0x01
    HEALTH_WINDOW = 0x02
    CORRECTED_LIMIT = 0x03
    UNCORRECTABLE_LIMIT = 0x04
    CORRECTED = 0x05
    UNCORRECTABLE = 0x06
    CELLS_LIMIT = 0x07
    DATA = 0x08
    DATA_HI = 0x09
    CELLS = 0x0A
    CELLS_WATERMARK = 0x0B
    VC_CELLS_WATERMARK = 0x10
    CREDITS_USED_WATERMARK = 0x18
    COUNT = 0x40
    COUNT_HI = 0x41


class TelemetryTable(IntEnum):
    """Values of ``INDEX.table``."""

    INGRESS = 0
    EGRESS = 1
    LATENCY = 2
    VOQ = 3
    STALLS = 4


class TelemetrySnapshot(IntEnum):
    """Lowest bits of the fields of ``SNAPSHOT``."""

    TAKE = 0
    CLEAR_WATERMARKS = 1


class TelemetryIndex(IntEnum):
    """Lowest bits of the fields of ``INDEX``."""

    ENTRY = 0
    TABLE = 16


class TelemetryPortEvents(IntEnum):
    """Lowest bits of the fields of ``EVENTS``, ``EVENT_ENABLE``."""

    LINK_DOWN = 0
    LINK_UP = 1
    LLR_FLUSH = 2
    LLR_ESTABLISHED = 3
    LOSSLESS_DROP = 4
    CREDIT_ERROR = 5
    CREDITS_RECOVERED = 6
    PFC_WATCHDOG = 7
    CORRECTED_ALARM = 8
    UNCORRECTABLE_ALARM = 9
    FRAME_DROPPED = 10
    CELLS_ALARM = 11
