# SPDX-License-Identifier: Apache-2.0
"""Addresses of the self-test's registers (docs/selftest.md, Registers)."""

from __future__ import annotations

from enum import IntEnum

SELF_TEST_VALUE = 0x5354_0001
"""ASCII "ST" and the version."""

GLOBAL_BASE = 0xBFC0
PORT_BASE = 0xC000
PORT_STRIDE = 0x40
MASK_BITS = 32
"""Ports of one register of ``DESTINATIONS``."""

LARGEST_COUNT = (1 << 32) - 1


class SelfTestGlobal(IntEnum):
    """Offsets of the registers that there are once."""

    SELF_TEST = 0x00
    CONTROL = 0x01
    BUSY = 0x02
    CYCLES = 0x04


class SelfTestControl(IntEnum):
    """Bit numbers of ``CONTROL``."""

    RUN = 0
    CLEAR = 1


class SelfTestRegister(IntEnum):
    """Offsets of the registers that each port has."""

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
    SENT = 0x0C
    FRAMES = 0x10
    BYTES = 0x12
    LATENCY_SUM = 0x14
    LATENCY_MIN = 0x16
    LATENCY_MAX = 0x17
    BAD_FCS = 0x18
    HEADER_ERRORS = 0x19
    PAYLOAD_ERRORS = 0x1A
    LOST = 0x1B
    OUT_OF_ORDER = 0x1C
    FIRST_ERROR = 0x1D
    FIRST_ERROR_CYCLE = 0x1E


WIDE = (SelfTestRegister.SENT, SelfTestRegister.FRAMES, SelfTestRegister.BYTES,
        SelfTestRegister.LATENCY_SUM)
"""Registers of 64 bits; their second word follows."""

LONGEST_SHIFT = 16
"""Where the longest length stands in ``LENGTH``."""

INJECT_HOW_SHIFT = 24
"""Where the kind stands in ``INJECT``."""

FIRST_ERROR_VALID = 1 << 31
FIRST_ERROR_KIND_SHIFT = 24
FIRST_ERROR_SOURCE_SHIFT = 16


def self_test_globals(*, writable: bool = False) -> frozenset[int]:
    """Word addresses of the registers that there are once: all, or those to be written."""
    offsets = {SelfTestGlobal.CONTROL} if writable else {
        *SelfTestGlobal, SelfTestGlobal.CYCLES + 1}
    return frozenset(GLOBAL_BASE + offset for offset in offsets)


def self_test_offsets(ports: int, *, writable: bool = False) -> frozenset[int]:
    """Offsets of the registers of a port of a switch with ``ports`` ports: all, or those to be
    written."""
    offsets: set[int] = {*SelfTestRegister, *(register + 1 for register in WIDE)}
    if ports <= MASK_BITS:
        offsets.remove(SelfTestRegister.DESTINATIONS_HI)
    return frozenset(offset for offset in offsets
                     if not writable or offset < SelfTestRegister.BUSY)


def is_self_test(ports: int, address: int, *, writable: bool = False) -> bool:
    """Whether a word address has a register of the self-test, or one that can be written."""
    port, offset = divmod(address - PORT_BASE, PORT_STRIDE)
    if 0 <= port < ports:
        return offset in self_test_offsets(ports, writable=writable)
    return address in self_test_globals(writable=writable)


def self_test_address(port: int, offset: int) -> int:
    """Word address of a port's register."""
    return PORT_BASE + port * PORT_STRIDE + offset
