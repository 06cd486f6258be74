# SPDX-License-Identifier: Apache-2.0
"""The registers of ``rdl/gavel_telemetry.rdl`` as data. Made by ``make registers``; do not edit."""

from __future__ import annotations

from gavel_model.register_entry import Field, Register

GLOBALS = (
    Register("TELEMETRY", 0x00, (Field("id", 0, bits=32, reset=0x544C0001),), writable=False),
    Register("EVENTS", 0x01, (Field("record_lost", 0, bits=1),)),
    Register("EVENT_ENABLE", 0x02, (Field("record_lost", 0, bits=1),)),
    Register("EVENT_PORTS", 0x03, (Field("ports", 0, bits=32, reset=None),), writable=False),
    Register("EVENT_PORTS_HI", 0x04, (Field("ports", 0, bits=32, reset=None),), writable=False),
    Register("SNAPSHOT", 0x05, (
        Field("take", 0, bits=1),
        Field("clear_watermarks", 1, bits=1),
    )),
    Register("SNAPSHOTS", 0x06, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("SNAPSHOT_TIME", 0x07, (Field("value", 0, bits=32, reset=None),), writable=False),
    Register("SNAPSHOT_TIME_HI", 0x08, (Field("value", 0, bits=32, reset=None),), writable=False),
    Register("INDEX", 0x09, (
        Field("entry", 0, bits=16),
        Field("table", 16, bits=4),
    )),
    Register("STREAM_PERIOD", 0x0A, (Field("cycles", 0, bits=24),)),
    Register("STREAM_LOST", 0x0B, (Field("count", 0, bits=32, reset=None),), writable=False),
)
"""Registers that a switch has once."""

PORT_REGISTERS = (
    Register("EVENTS", 0x00, (
        Field("link_down", 0, bits=1),
        Field("link_up", 1, bits=1),
        Field("llr_flush", 2, bits=1),
        Field("llr_established", 3, bits=1),
        Field("lossless_drop", 4, bits=1),
        Field("credit_error", 5, bits=1),
        Field("credits_recovered", 6, bits=1),
        Field("pfc_watchdog", 7, bits=1),
        Field("corrected_alarm", 8, bits=1),
        Field("uncorrectable_alarm", 9, bits=1),
        Field("frame_dropped", 10, bits=1),
        Field("cells_alarm", 11, bits=1),
    )),
    Register("EVENT_ENABLE", 0x01, (
        Field("link_down", 0, bits=1),
        Field("link_up", 1, bits=1),
        Field("llr_flush", 2, bits=1),
        Field("llr_established", 3, bits=1),
        Field("lossless_drop", 4, bits=1),
        Field("credit_error", 5, bits=1),
        Field("credits_recovered", 6, bits=1),
        Field("pfc_watchdog", 7, bits=1),
        Field("corrected_alarm", 8, bits=1),
        Field("uncorrectable_alarm", 9, bits=1),
        Field("frame_dropped", 10, bits=1),
        Field("cells_alarm", 11, bits=1),
    )),
    Register("HEALTH_WINDOW", 0x02, (Field("cycles", 0, bits=32),)),
    Register("CORRECTED_LIMIT", 0x03, (Field("limit", 0, bits=24),)),
    Register("UNCORRECTABLE_LIMIT", 0x04, (Field("limit", 0, bits=24),)),
    Register("CORRECTED", 0x05, (Field("count", 0, bits=24, reset=None),), writable=False),
    Register("UNCORRECTABLE", 0x06, (Field("count", 0, bits=24, reset=None),), writable=False),
    Register("CELLS_LIMIT", 0x07, (Field("cells", 0, bits=17, reset=0x1FFFF),)),
    Register("DATA", 0x08, (Field("value", 0, bits=32, reset=None),), writable=False),
    Register("DATA_HI", 0x09, (Field("value", 0, bits=16, reset=None),), writable=False),
    Register("CELLS", 0x0A, (Field("cells", 0, bits=17, reset=None),), writable=False),
    Register("CELLS_WATERMARK", 0x0B, (Field("cells", 0, bits=17, reset=None),), writable=False),
    Register("VC_CELLS_WATERMARK", 0x10, (
        Field("cells", 0, bits=17, reset=None),
    ), writable=False, of_each_vc=True),
    Register("CREDITS_USED_WATERMARK", 0x18, (
        Field("credits", 0, bits=20, reset=None),
    ), writable=False, of_each_vc=True),
    Register("COUNT", 0x40, (
        Field("value", 0, bits=32, reset=None),
    ), writable=False, elements=55, stride=2),
    Register("COUNT_HI", 0x41, (
        Field("value", 0, bits=32, reset=None),
    ), writable=False, elements=55, stride=2),
)
"""Registers that each port has."""
