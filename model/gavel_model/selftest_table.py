# SPDX-License-Identifier: Apache-2.0
"""The registers of ``rdl/gavel_selftest.rdl`` as data. Made by ``make registers``; do not edit."""

from __future__ import annotations

from gavel_model.register_entry import Field, Register

GLOBALS = (
    Register("SELF_TEST", 0x00, (Field("id", 0, bits=32, reset=0x53540001),), writable=False),
    Register("CONTROL", 0x01, (
        Field("run", 0, bits=1),
        Field("clear", 1, bits=1),
    )),
    Register("BUSY", 0x02, (Field("busy", 0, bits=1, reset=None),), writable=False),
    Register("CYCLES", 0x04, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("CYCLES_HI", 0x05, (Field("count", 0, bits=32, reset=None),), writable=False),
)
"""Registers that a switch has once."""

PORT_REGISTERS = (
    Register("MODE", 0x00, (Field("mode", 0, bits=2),)),
    Register("ORDER", 0x01, (Field("random", 0, bits=1),)),
    Register("DESTINATIONS", 0x02, (Field("mask", 0, bits="low_ports"),)),
    Register("DESTINATIONS_HI", 0x03, (Field("mask", 0, bits="high_ports"),), needs="high_ports"),
    Register("CLASSES", 0x04, (Field("mask", 0, bits="classes"),)),
    Register("LENGTH", 0x05, (
        Field("shortest", 0, bits=14, reset=0x40, at_least=0x40, at_most="max_frame_bytes"),
        Field("longest", 16, bits=14, reset=0x40, at_least=0x40, at_most="max_frame_bytes"),
    )),
    Register("LOAD", 0x06, (Field("load", 0, bits=17, reset=0x10000, at_most=0x10000),)),
    Register("PAYLOAD", 0x07, (Field("kind", 0, bits=2),)),
    Register("SEED", 0x08, (Field("seed", 0, bits=32),)),
    Register("COUNT", 0x09, (Field("frames", 0, bits=32),)),
    Register("INJECT", 0x0A, (
        Field("every", 0, bits=24),
        Field("how", 24, bits=2),
    )),
    Register("BUSY", 0x0B, (Field("busy", 0, bits=1, reset=None),), writable=False),
    Register("SENT", 0x0E, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("SENT_HI", 0x0F, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("FRAMES", 0x10, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("FRAMES_HI", 0x11, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("BYTES", 0x12, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("BYTES_HI", 0x13, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("LATENCY_SUM", 0x14, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("LATENCY_SUM_HI", 0x15, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("LATENCY_MIN", 0x16, (Field("cycles", 0, bits=24, reset=None),), writable=False),
    Register("LATENCY_MAX", 0x17, (Field("cycles", 0, bits=24, reset=None),), writable=False),
    Register("BAD_FCS", 0x18, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("HEADER_ERRORS", 0x19, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("PAYLOAD_ERRORS", 0x1A, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("LOST", 0x1B, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("OUT_OF_ORDER", 0x1C, (Field("count", 0, bits=32, reset=None),), writable=False),
    Register("FIRST_ERROR", 0x1D, (
        Field("sequence", 0, bits=16, reset=None),
        Field("source", 16, bits=8, reset=None),
        Field("kind", 24, bits=3, reset=None),
        Field("valid", 31, bits=1, reset=None),
    ), writable=False),
    Register("FIRST_ERROR_CYCLE", 0x1E, (Field("cycle", 0, bits=32, reset=None),), writable=False),
)
"""Registers that each port has."""
