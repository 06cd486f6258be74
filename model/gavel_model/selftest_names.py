# SPDX-License-Identifier: Apache-2.0
"""Names in ``rdl/gavel_selftest.rdl``. Made from it by ``make registers``; do not edit."""

from __future__ import annotations

from enum import IntEnum

GLOBAL_BASE = 0xBFC0
PORT_BASE = 0xC000
PORT_STRIDE = 0x40
"""Words from the registers of a port to those of the next."""


class SelfTestGlobal(IntEnum):
    """Offsets of the registers that a switch has once, in words from ``GLOBAL_BASE``."""

    SELF_TEST = 0x00
    CONTROL = 0x01
    BUSY = 0x02
    CYCLES = 0x04
    CYCLES_HI = 0x05


class SelfTestRegister(IntEnum):
    """Offsets of the registers that each port has, in words from its base."""

    MODE = 0x00
    ORDER = 0x01
    DESTINATIONS = 0x02
    DESTINATIONS_HI = 0x03
    CLASSES = 0x04
    LENGTH = 0x05
    LOAD = 0x06
    PAYLOAD = 0x07
    SEED = 0x08
    COUNT = 0x09
    INJECT = 0x0A
    BUSY = 0x0B
    SENT = 0x0E
    SENT_HI = 0x0F
    FRAMES = 0x10
    FRAMES_HI = 0x11
    BYTES = 0x12
    BYTES_HI = 0x13
    LATENCY_SUM = 0x14
    LATENCY_SUM_HI = 0x15
    LATENCY_MIN = 0x16
    LATENCY_MAX = 0x17
    BAD_FCS = 0x18
    HEADER_ERRORS = 0x19
    PAYLOAD_ERRORS = 0x1A
    LOST = 0x1B
    OUT_OF_ORDER = 0x1C
    FIRST_ERROR = 0x1D
    FIRST_ERROR_CYCLE = 0x1E


class SelfTestMode(IntEnum):
    """Values of ``MODE.mode``."""

    OFF = 0
    INTERNAL = 1
    EXTERNAL = 2
    LINK = 3


class SelfTestPayload(IntEnum):
    """Values of ``PAYLOAD.kind``."""

    PRBS = 0
    CONSTANT = 1
    INCREMENT = 2


class SelfTestFault(IntEnum):
    """Values of ``INJECT.how``."""

    FCS = 0
    PAYLOAD = 1
    LEFT_OUT = 2


class SelfTestFinding(IntEnum):
    """Values of ``FIRST_ERROR.kind``."""

    NONE = 0
    BAD_FCS = 1
    HEADER = 2
    PAYLOAD = 3
    LOST = 4
    OUT_OF_ORDER = 5


class SelfTestControl(IntEnum):
    """Lowest bits of the fields of ``CONTROL``."""

    RUN = 0
    CLEAR = 1


class SelfTestLength(IntEnum):
    """Lowest bits of the fields of ``LENGTH``."""

    SHORTEST = 0
    LONGEST = 16


class SelfTestInject(IntEnum):
    """Lowest bits of the fields of ``INJECT``."""

    EVERY = 0
    HOW = 24


class SelfTestFirstError(IntEnum):
    """Lowest bits of the fields of ``FIRST_ERROR``."""

    SEQUENCE = 0
    SOURCE = 16
    KIND = 24
    VALID = 31
